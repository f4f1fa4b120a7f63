import Presentation
import Dagrun
import Dispatch
import Foundation
import JobControl
import Model
import Preparation
import Processes
import Scheduling
import Synchronization
import Workers

/// Runs one shell or Swift task in a worker of its own, without a scheduler: one try, whose log is told as it grows.
struct SoloTask {
  let trial: TrialRun
  let workspace: Workspace
  /// Where the log goes.
  let log: Output
  let lifeline: ParentLifeline?

  private var task: TaskDescription { trial.task }

  /// Why a task was stopped.
  enum Stop {
    case interrupted, lifelineEnded
    case timedOut(seconds: Double)
  }

  func run(_ workload: TaskWorkload) async throws -> (result: TaskResult, stop: Stop?) {
    if log.isStandardOutput { OutputLoss.watchReader() }
    let folder = try TemporaryFolder()
    let wantsStop = Atomic(false)
    let interruption = Interruption { wantsStop.store(true, ordering: .relaxed) }
    defer { interruption.end() }
    return try await withCheckedThrowingContinuation { continuation in
      // Waits for the worker with `poll`, which would hold up a thread of the concurrency pool.
      Thread.detachNewThread {
        let result = Result {
          try watch(workload, in: folder.path, wantsStop: { wantsStop.load(ordering: .relaxed) })
        }
        continuation.resume(with: result)
      }
    }
  }

  private func watch(
    _ workload: TaskWorkload, in folder: String, wantsStop: () -> Bool
  ) throws -> (result: TaskResult, stop: Stop?) {
    let key = workload.key
    let link = try WorkerLink(WorkerProgram(), folder: folder + "/workers/1")
    defer {
      link.hangUp()
      _ = waitForChild(link.pid)
    }
    let briefing = RunBriefing(
      run: key.run, context: trial.context, logFolder: folder + "/logs", workingDirectory: workspace.places.dagsFolder)
    let logPath = briefing.logPath(of: key)
    var growing = GrowingLog(path: logPath, workerOutput: WorkerOutput.path(in: link.folder))
    let assignment = TryAssignment(workload, graceSeconds: 10, endsWithItsGiver: true)
    var isSent = link.send(.run(briefing))
    isSent = link.send(.start(assignment)) && isSent
    let deadline = task.executionTimeoutSeconds.map { monotonicSeconds() + $0 }

    var result: TaskResult?
    var stop: Stop?
    while result == nil {
      var entry = pollfd(fd: link.socket, events: Int16(isSent ? POLLIN : POLLIN | POLLOUT), revents: 0)
      _ = poll(&entry, 1, 50)
      if !isSent { isSent = link.sendRest() }
      let isOpen = link.receive { if case .finished(_, let ended, _) = $0 { result = ended } }
      if result != nil, workload.user != nil { try? WorkerOutput.move(from: link.folder, to: logPath) }
      growing.read(isRunning: result == nil, log.log)
      if result == nil && !isOpen {
        // The worker has died with the task in it; it noted how in the log.
        let now = Timestamp(Date())
        result = TaskResult(.lost(.workerDied), startDate: now, endDate: now)
      }
      guard stop == nil, result == nil else { continue }
      stop = cause(wantsStop: wantsStop(), deadline: deadline)
      if stop != nil { link.stop(key) }
    }
    return (result!, stop)
  }

  private func cause(wantsStop: Bool, deadline: Double?) -> Stop? {
    if wantsStop { return .interrupted }
    if lifeline?.hasEnded == true { return .lifelineEnded }
    if let deadline, monotonicSeconds() > deadline { return .timedOut(seconds: task.executionTimeoutSeconds ?? 0) }
    return nil
  }
}

/// Gone with its owner.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/dagrun-\(UUID().uuidString)"
    try makeFolders(path, mode: 0o700)
  }

  /// It is needed for longer than its owner lives.
  func keep() { isKept.store(true, ordering: .relaxed) }

  private let isKept = Atomic(false)

  deinit {
    if !isKept.load(ordering: .relaxed) { try? FileManager.default.removeItem(atPath: path) }
  }
}
