import ArgumentParser
import Control
import Model
import Storage

struct DAGsDeleteCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "delete",
    abstract: "Deletes a DAG's runs and everything known of them from the database. Its file stays.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Flag(name: [.short, .long], help: "Do not ask.") var yes = false
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let workspace = try Workspace(session, global)
    let count = try workspace.reader()?.listRuns(RunFilter(dagID: dag)).count ?? 0
    if count == 0 { try await workspace.checkDAGExists(dag) }
    if !yes {
      try session.confirm("Delete \(count) \(count == 1 ? "run" : "runs") of \(dag), with outputs and history?")
    }
    _ = try await workspace.ask(.deleteDAG(dagID: dag))
    session.output.line("\(dag): \(count) \(count == 1 ? "run" : "runs") deleted")
    return .success
  }
}
