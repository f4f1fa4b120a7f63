import ArgumentParser
import Control
import Model

struct DAGsPauseCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "pause", abstract: "Stops a DAG's schedule: no scheduled runs, and no more tasks are started.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    _ = try await workspace.ask(.setPaused(dagID: dag, true))
    session.output.line("\(dag) is paused")
    return .success
  }
}

struct DAGsUnpauseCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "unpause", abstract: "Lets a paused DAG continue.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    _ = try await workspace.ask(.setPaused(dagID: dag, false))
    session.output.line("\(dag) is not paused")
    return .success
  }
}
