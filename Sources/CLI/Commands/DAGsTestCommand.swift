import ArgumentParser
import Dagrun
import Engine
import Foundation
import Scheduling
import Storage

struct DAGsTestCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs a DAG to its end in a temporary home, with the logs. Leaves no trace.",
    discussion: "Variables and pools are those of the home, copied.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The logical date; default: now.", transform: DateText.parse) var date: Timestamp?
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @OptionGroup var parallelism: ParallelismOption
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> ExitStatus {
    let conf = try ConfText.check(conf)
    let workspace = try Workspace(session, global)
    let folder = try TemporaryFolder()
    let trial = try workspace.trial(in: folder.path + "/home")
    let request = ControlRequest.trigger(
      dagID: dag, runID: "test", logicalDate: date ?? Timestamp(Date()), conf: conf)
    let ended = try await trial.withScheduler(parallelism: parallelism.parallelism) { control in
      for pool in try workspace.pools().map(\.pool) {
        _ = try await control.send(
          .setPool(
            name: pool.name, slots: pool.slots, documentation: pool.documentation, includeDeferred: pool.includeDeferred
          ))
      }
      guard case .run(let run, _) = try await control.send(request) else {
        throw Complaint(.unavailable, "the scheduler did not make a run of \(dag)")
      }
      var follower = RunFollower(control: control, session: session)
      follower.tryEnded = { task in
        let path = trial.home.logPath(
          dagID: dag, runID: run.runID, taskID: task.taskID, tryNumber: task.tryNumber)
        var log = GrowingLog(path: path)
        log.read(isRunning: false, session.output.write)
      }
      return try await follower.follow(run)
    }
    session.errors.line(ProgressView.summary(ended.run, counts: ended.counts, style: session.errors.style))
    return ended.run.state == .success ? .success : .runFailed
  }
}

extension Workspace {
  /// A home of its own, with this one's compiled files (they are the same in any home) and variables, without its runs.
  fileprivate func trial(in path: String) throws -> Workspace {
    var trial = self
    trial.cacheFolder = cacheFolder
    trial.places.home = Home(path: path)
    try home.make()
    try trial.home.make()
    for variable in try variables() { try trial.set(variable) }
    return trial
  }
}
