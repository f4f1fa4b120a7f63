import ArgumentParser
import Dagrun
import Presentation

struct TasksListCommand: Command {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the tasks of a DAG.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let files = try await Workspace(session, global).dagFiles()
    let description = try files.dag(dag)
    let listing = Listing(
      records: description.tasks.map { $0.record(downstream: description.downstream(of: $0.id)) },
      columns: ["task_id", "operator_name", "trigger_rule", "upstream_task_ids", "retries", "pool"],
      whenEmpty: "\(dag) has no tasks")
    try listing.print(format.output, to: session)
    files.mentionImportErrors(to: session)
    return .success
  }
}
