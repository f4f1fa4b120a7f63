import ArgumentParser
import Control
import Dagrun
import Foundation
import Model
import Presentation
import Scheduling
import Storage

struct DAGsTestCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "test", abstract: "Runs a DAG to its end in a temporary home, with the logs. Leaves no trace.",
    discussion: "Variables and pools are those of the home, copied.")

  @Argument(help: "The DAG.", completion: .dags) var dag: String
  @Argument(help: "The logical date; default: now.", transform: DateText.read) var date: DateArgument?
  @Option(name: .shortAndLong, help: ArgumentHelp("Values for the DAG's parameters: a JSON object.", valueName: "json"))
  var conf: String?
  @OptionGroup var parallelism: ParallelismOption
  @OptionGroup var logOptions: LogOptions
  @OptionGroup(title: "Global options") var global: GlobalOptions

  func execute(in session: Session) async throws -> CommandExit {
    let session = logOptions.session(session)
    let conf = try ConfText.check(conf)
    let workspace = try Workspace(session, global)
    let folder = try TemporaryFolder()
    let temporary = try workspace.temporary(in: folder.path + "/home")
    let logicalDate = await workspace.moment(date ?? .now, of: dag)
    let request = ControlRequest.trigger(dagID: dag, runID: "test", logicalDate: logicalDate, conf: conf)
    OutputLoss.watchReader()
    let ended: RunProgress
    do {
      ended = try await temporary.withScheduler(parallelism: parallelism.parallelism) { control in
        try await copyPools(of: workspace, to: control)
        return try await follow(request, control, temporary)
      }
    } catch {
      folder.keep(whileIn: temporary)
      throw error
    }
    try temporary.tellLosses(ofRun: ended.run.number)
    folder.keep(whileIn: temporary)
    session.errors.line(ProgressView.summary(ended.run, counts: ended.counts, style: session.errors.style))
    return ended.run.state == .success ? .success : .runFailed
  }

  private func copyPools(of workspace: Workspace, to control: any Control) async throws {
    for pool in try workspace.pools().map(\.pool) {
      _ = try await control.send(
        .setPool(
          name: pool.name, slots: pool.slots, documentation: pool.documentation, includeDeferred: pool.includeDeferred))
    }
  }

  private func follow(
    _ request: ControlRequest, _ control: any Control, _ temporary: Workspace
  ) async throws -> RunProgress {
    guard case .run(let run, _) = try await control.send(request) else {
      throw UserError(.unavailable, "the scheduler did not make a run of \(dag)")
    }
    let session = temporary.session
    var follower = RunFollower(control: control, session: session)
    follower.tryEnded = { task in
      let key = TryKey(run: run.number, taskID: task.taskID, number: task.tryNumber)
      let path = temporary.home.logPath(of: key, dagID: run.dagID, runID: run.runID)
      var log = LogTail(path: path)
      log.read(isRunning: false, session.output.log)
    }
    do {
      return try await follower.follow(run)
    } catch {
      // Nobody will resume it, so what is not cancelled yet is cancelled now.
      _ = try? await control.send(.setRunState(dagID: run.dagID, runID: run.runID, .failed))
      throw error
    }
  }
}

extension TemporaryFolder {
  /// A home whose jobs are there still is needed to remove them.
  fileprivate func keep(whileIn temporary: Workspace) {
    let jobs = (try? temporary.reader()?.listJobs(JobFilter(isFinished: false))) ?? []
    if !jobs.isEmpty { keep() }
  }
}

extension Workspace {
  /// A home of its own, with this one's compiled files (they are the same in any home) and variables, without its runs.
  fileprivate func temporary(in path: String) throws -> Workspace {
    var temporary = self
    temporary.cacheFolder = cacheFolder
    temporary.places.home = Home(path: path)
    try home.make()
    try temporary.home.make()
    for variable in try variables() { try temporary.set(variable) }
    return temporary
  }
}
