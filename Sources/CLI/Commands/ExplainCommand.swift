import ArgumentParser
import Control
import Model
import Presentation
import Scheduling

struct ExplainCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "explain", abstract: "Says why a task is in its state; while it waits: for what.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The run, or 'latest'.") var run: String
  @Argument(help: "The task.") var task: String
  @OptionGroup var format: FormatOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let found = try await workspace.run(dag, run)
    _ = try workspace.task(task, of: found)
    guard
      case .reasons(let state, let reasons) = try await workspace.ask(
        .explain(dagID: dag, runID: found.runID, taskID: task))
    else { throw UserError(.unavailable, "the scheduler gave no reasons for \(task)") }
    if format.output == .table {
      session.output.line("\(task) is \(session.output.style.state(state))")
      for reason in reasons { session.output.line("  \(reason)") }
    } else {
      let record: OutputObject = [
        "dag_id": .text(dag), "dag_run_id": .text(found.runID), "task_id": .text(task), "map_index": .int(-1),
        "state": .text(state), "reasons": .list(reasons.map(OutputValue.text)),
      ]
      try record.print(format.output, to: session)
    }
    return .success
  }
}
