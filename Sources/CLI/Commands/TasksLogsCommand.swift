import ArgumentParser
import Control
import Dagrun
import Model
import Scheduling
import Storage

struct TasksLogsCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "logs", abstract: "Prints the log of a task.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The run, or 'latest'.") var run: String
  @Argument(help: "The task.") var task: String
  @Option(
    name: .customLong("try"), help: "Of this try; default: the last one.", transform: BoundedNumber.whole(.tryNumber))
  var tryNumber: Int?
  @Flag(name: .shortAndLong, help: "Keep printing while the task runs.") var follow = false
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func validate() throws {
    if let tryNumber, tryNumber < 1 { throw ValidationError("tries count from 1, so --try \(tryNumber) is none") }
  }

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let workspace = try Workspace(session, global)
    let found = try await workspace.run(dag, run)
    let instance = try workspace.task(task, of: found).instance
    let wanted = tryNumber ?? instance.tryNumber
    guard instance.tryNumber > 0 else {
      if follow { return try await LogFollower(workspace: workspace, run: found, taskID: task).follow(from: 1) }
      throw UserError(
        .notFound,
        "\(task) in run \(found.runID) of \(dag) has no log: it was never started (\(instance.state.rawValue))",
        hint: "'dagrun explain \(dag) \(ShellWord.quote(found.runID)) \(task)' says why")
    }
    guard wanted <= instance.tryNumber else {
      throw UserError(
        .notFound, "\(task) in run \(found.runID) of \(dag) has no try \(wanted)",
        hint: "its last one is \(instance.tryNumber)")
    }
    let follower = LogFollower(workspace: workspace, run: found, taskID: task)
    if follow { return try await follower.follow(from: wanted) }
    follower.printLog(ofTry: wanted, isRunning: wanted == instance.tryNumber && instance.state.isActive)
    try follower.tellLoss(ofTry: wanted)
    return .success
  }
}
