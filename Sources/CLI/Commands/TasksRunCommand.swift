import ArgumentParser
import Dagrun
import Foundation

struct TasksRunCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "run", abstract: "Runs one task alone, without its upstreams, and shows its log. Leaves no trace.",
    discussion: """
      Outputs of other tasks that it needs come from the run of that date, or from the newest one that has them. The \
      result is not stored; retries, pools and trigger rules do not count.
      """)

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "The logical date; default: now.", transform: DateText.parse) var date: Timestamp?
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    let workspace = try Workspace(session, global)
    let conf = try conf.map { try ConfText.check($0) }
    let files = try await workspace.dagFiles()
    let description = try files.dag(dag)
    let trial = try TrialRun(
      description.task(task), of: description, at: date ?? Timestamp(Date()), conf: conf, in: workspace)
    guard let file = files.file(of: dag) else { throw files.complaint(aboutMissing: dag) }
    return try await SoloTask(trial: trial, file: file, workspace: workspace).run()
  }
}
