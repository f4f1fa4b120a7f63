import ArgumentParser
import Control
import Model
import Presentation
import Scheduling

struct DAGsSetStateCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "set-state",
    abstract: "Ends a run by hand (success, failed), or starts its unfinished tasks again (queued).",
    discussion: "What still runs in a run that is ended is stopped. This is how a run of another process is cancelled.")

  enum State: String, CaseIterable, ExpressibleByArgument {
    case success, failed, queued
  }

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The run, or 'latest'.") var run: String
  @Argument(help: "success, failed or queued.") var state: State
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let found = try await workspace.run(dag, run)
    let wanted: DAGRunState =
      switch state {
      case .success: .success
      case .failed: .failed
      case .queued: .queued
      }
    _ = try await workspace.ask(.setRunState(dagID: dag, runID: found.runID, wanted))
    session.output.line("run \(found.runID) of \(dag): \(session.output.style.state(state.rawValue))")
    return .success
  }
}
