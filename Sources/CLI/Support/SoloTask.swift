import DagBag
import Dagrun
import Dispatch
import Foundation
import Processes
import Scheduling
import Synchronization
import Workers

/// Runs one task in a worker of its own, without a scheduler: one try, whose log goes to standard output as it grows.
struct SoloTask {
  let trial: TrialRun
  let file: DAGFile
  let workspace: Workspace

  private var task: TaskDescription { trial.task }
  private var session: Session { workspace.session }

  func run() async throws -> ExitStatus {
    guard let work = try work() else {
      session.errors.line("\(task.id): nothing to run (\(task.work.operatorName))")
      return .success
    }
    let folder = try TemporaryFolder()
    let wantsStop = Atomic(false)
    let interruption = Interruption { wantsStop.store(true, ordering: .relaxed) }
    defer { interruption.end() }
    let result: TryResult = try await withCheckedThrowingContinuation { continuation in
      // Waits for the worker with `poll`, which would hold up a thread of the concurrency pool.
      Thread.detachNewThread {
        let result = Result {
          try watch(work, in: folder.path, wantsStop: { wantsStop.load(ordering: .relaxed) })
        }
        continuation.resume(with: result)
      }
    }
    return try report(result, wasInterrupted: wantsStop.load(ordering: .relaxed))
  }

  /// nil for a task without work of its own.
  private func work() throws -> TryAssignment.Work? {
    switch task.work {
    case .empty: return nil
    case .bash(let script):
      return .bash(
        script: try trial.render(script, for: .shell, standIns: false),
        environment: try task.environment.mapValues { try trial.render($0, for: .plain, standIns: false) },
        workingDirectory: try task.workingDirectory.map {
          let path = try trial.render($0, for: .plain, standIns: false)
          return path.hasPrefix("/") ? path : workspace.places.dagsFolder + "/" + path
        })
    case .swift:
      let inputs = try task.inputs.map { id in
        guard let output = trial.outputs[id] else {
          throw Complaint(
            .wrongUsage, "\(task.id) needs the output of \(id), and no run of \(trial.dag.id) has one yet",
            hint: "run it once: dagrun trigger \(trial.dag.id)")
        }
        return output
      }
      return .swift(library: file.libraryPath, entry: file.entry, inputs: inputs)
    case .computeEngineJob:
      throw Complaint(.wrongUsage, "\(task.id) runs on a machine in the cloud, which 'tasks run' does not make")
    }
  }

  private func watch(_ work: TryAssignment.Work, in folder: String, wantsStop: () -> Bool) throws -> TryResult {
    let id = TryID(run: 1, taskID: task.id, tryNumber: 1)
    let link = try WorkerLink(WorkerProgram(), folder: folder + "/workers/1")
    defer {
      link.hangUp()
      _ = waitForChild(link.pid)
    }
    let briefing = RunBriefing(
      run: 1, context: trial.context, logFolder: folder + "/logs", workingDirectory: workspace.places.dagsFolder)
    var log = GrowingLog(
      path: briefing.logPath(taskID: task.id, tryNumber: 1), workerOutput: WorkerOutput.path(in: link.folder))
    var isSent = link.send(.run(briefing))
    isSent = link.send(.start(TryAssignment(id: id, work: work, graceSeconds: 10))) && isSent
    let deadline = task.executionTimeoutSeconds.map { monotonicSeconds() + $0 }

    var result: TryResult?
    var isStopping = false
    while result == nil {
      var entry = pollfd(fd: link.socket, events: Int16(isSent ? POLLIN : POLLIN | POLLOUT), revents: 0)
      _ = poll(&entry, 1, 50)
      if !isSent { isSent = link.sendRest() }
      let isOpen = link.receive { if case .finished(_, let ended) = $0 { result = ended } }
      session.output.write(log.rest(isRunning: result == nil))
      if result == nil && !isOpen {
        // The worker has died with the task in it; it noted how in the log.
        let now = Timestamp(Date()).microseconds
        result = TryResult(.failed(reason: "its process died"), startDate: now, endDate: now)
      }
      let isTooLate = deadline.map { monotonicSeconds() > $0 } ?? false
      if !isStopping && (wantsStop() || isTooLate) {
        isStopping = true
        link.stop(id)
      }
    }
    return result!
  }

  private func report(_ result: TryResult, wasInterrupted: Bool) throws -> ExitStatus {
    let duration = Durations.text(Double(result.endDate - result.startDate) / 1e6)
    switch result.outcome {
    case .success:
      if let output = result.output { session.errors.line("\(task.id): output \(output)") }
      session.errors.line("\(task.id): \(session.errors.style.state("success")) after \(duration)")
      return .success
    case .skipped(let reason):
      session.errors.line("\(task.id): \(session.errors.style.state("skipped")) \(reason)")
      return .success
    case .failed(let reason, _, _, _):
      session.errors.line("\(task.id): \(session.errors.style.state("failed")) after \(duration): \(reason)")
      return .runFailed
    case .stopped:
      guard !wasInterrupted else { throw Complaint(.interrupted, "\(task.id) was stopped after \(duration)") }
      session.errors.line("\(task.id): \(session.errors.style.state("failed")) after \(duration): it took too long")
      return .runFailed
    }
  }
}

/// Gone with its owner.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/dagrun-\(UUID().uuidString)"
    try makeFolders(path, mode: 0o700)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }
}
