import ArgumentParser
import Model
import Presentation
import Storage

struct DAGsDetailsCommand: Command {
  static let configuration = CommandConfiguration(commandName: "details", abstract: "Shows all properties of a DAG.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let files = try await workspace.dagFiles()
    let description = try files.dag(dag)
    let isPaused = try workspace.dagSummaries()[dag]?.record.isPaused ?? false
    try description.record(isPaused: isPaused).print(format.output, to: session)
    files.mentionImportErrors(to: session)
    return .success
  }
}
