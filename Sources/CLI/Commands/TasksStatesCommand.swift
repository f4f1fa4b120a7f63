import ArgumentParser
import Model
import Presentation
import Scheduling
import Storage

struct TasksStatesCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "states-for-dag-run", abstract: "Lists the tasks of a run with their states.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The run, or 'latest'.") var run: String
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let found = try await workspace.run(dag, run)
    let tasks = try workspace.existingReader().taskInstances(run: found.number)
    // Most DAGs have no task that chooses.
    let chosen = tasks.contains { $0.choice != nil } ? ["chosen"] : []
    let listing = Listing(
      records: tasks.map { $0.record(in: found) },
      columns: ["task_id", "state", "try_number", "start_date", "end_date", "duration"] + chosen,
      whenEmpty: "run \(found.runID) of \(dag) has no tasks")
    try listing.print(format.output, to: session)
    return .success
  }
}
