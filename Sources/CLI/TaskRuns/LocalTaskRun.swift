import Dagrun
import Dispatch
import Executors
import Foundation
import JobControl
import Model
import Preparation
import Presentation
import Processes
import Synchronization
import Workers

/// Runs one shell or Swift task without a scheduler: one try, whose log is printed as it grows.
struct LocalTaskRun {
  let rehearsal: TaskRehearsal
  let workspace: Workspace
  /// Where the log goes.
  let log: Output
  let lifeline: ParentLifeline?

  /// Why a task was stopped.
  enum Stop {
    case interrupted, lifelineEnded
    case timedOut(seconds: Double)
  }

  func run(_ workload: TaskWorkload, in facts: RunFacts) async throws -> (result: TaskResult, stop: Stop?) {
    if log.isStandardOutput { OutputLoss.watchReader() }
    let folder = try TemporaryFolder()
    defer { withExtendedLifetime(folder) {} }
    var facts = facts
    facts.logFolder = folder.path + "/logs"
    var tail = LogTail(path: "\(facts.logFolder)/\(LogPath.withinRun(workload.key))")
    try makeFolders((tail.path as NSString).deletingLastPathComponent)
    let wakes = LogWakes()
    wakes.watch(tail.path)

    let options = LocalExecutor.Options(
      program: WorkerProgram(), workersFolder: folder.path + "/workers",
      workingDirectory: workspace.places.dagsFolder, graceSeconds: 10, endsTriesWithProcess: true)
    let began = Timestamp(Date())
    let attempt = try StandaloneTry(workload, in: facts, options, logger: workspace.session.logger) { wakes.wake() }
    defer { attempt.end() }
    let stops = Stops(of: attempt)
    let interruption = Interruption { stops.stop(.interrupted) }
    let handler = lifeline?.onEnd { stops.stop(.lifelineEnded) }
    let timer = rehearsal.task.executionTimeoutSeconds.map { seconds in
      startTimer(afterSeconds: seconds) { stops.stop(.timedOut(seconds: seconds)) }
    }
    defer {
      interruption.end()
      lifeline?.forget(handler)
      timer?.cancel()
    }

    while true {
      // Asked before the log is read, so that the last lines are not missed.
      let progress = attempt.progress
      if let output = progress.workerOutput {
        tail.workerOutput = output
        wakes.watch(output)
      }
      tail.read(isRunning: progress.result == nil, log.log)
      if var result = progress.result {
        // A worker that died under its task does not report when that began.
        result.startDate = result.startDate ?? began
        return (result, stops.first)
      }
      try await wakes.wait(atMost: Quiet.seconds)
    }
  }

  private func startTimer(
    afterSeconds seconds: Double, _ body: @escaping @Sendable () -> Void
  ) -> any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "dagrun.execution-timeout"))
    timer.schedule(deadline: .now() + seconds)
    timer.setEventHandler(handler: body)
    timer.resume()
    return timer
  }

  /// Stops the try once, for the first reason that comes.
  private final class Stops: Sendable {
    private let attempt: StandaloneTry
    private let reason = Mutex<Stop?>(nil)

    init(of attempt: StandaloneTry) { self.attempt = attempt }

    var first: Stop? { reason.withLock { $0 } }

    func stop(_ new: Stop) {
      let isFirst = reason.withLock { reason in
        defer { reason = reason ?? new }
        return reason == nil
      }
      if isFirst { attempt.stop() }
    }
  }
}
