import ArgumentParser
import Control
import Model
import Presentation
import Scheduling
import Storage

struct TasksSetStateCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "set-state", abstract: "Marks a task of a run as success, failed or skipped, by hand.",
    discussion: "A task that is running is stopped.")

  enum State: String, CaseIterable, ExpressibleByArgument {
    case success, failed, skipped
  }

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The run, or 'latest'.") var run: String
  @Argument(help: "The task.") var task: String
  @Argument(help: "success, failed or skipped.") var state: State
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let found = try await workspace.run(dag, run)
    let instance = try workspace.task(task, of: found)
    let wanted: TaskState =
      switch state {
      case .success: .success
      case .failed: .failed
      case .skipped: .skipped
      }
    _ = try await workspace.ask(
      .setTaskState(dagID: dag, runID: found.runID, taskID: instance.instance.taskID, wanted))
    session.output.line("\(task) in run \(found.runID) of \(dag): \(session.output.style.state(state.rawValue))")
    return .success
  }
}
