import ArgumentParser
import Presentation

struct DAGsExportCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "export", abstract: "Prints all DAGs with their tasks, for another program that schedules them.",
    discussion: """
      What the Airflow plugin reads. Only files that have changed are compiled. Import errors are part of the answer, and \
      no failure of this command. Pools are not looked at: the other program has its own.
      """)

  @Option(name: .shortAndLong, help: "How to print it.") var output: RecordFormat = .json
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let record = try workspace.dagFilesForOthers().exportRecord
    switch output {
    // On one line: a hundred files are a megabyte with the blanks that a person would like.
    case .json: session.output.data(JSONText.compact(.object(record)) + "\n")
    case .yaml: try record.print(.yaml, to: session)
    }
    return .success
  }
}

/// For what only programs read.
enum RecordFormat: String, ExpressibleByArgument, CaseIterable, Sendable {
  case json, yaml
}
