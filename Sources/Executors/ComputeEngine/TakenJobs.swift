internal import Clash
internal import Dagrun
internal import Dispatch
internal import Logging
internal import Model
internal import Storage

/// Jobs of the home that belong to no task and that nobody drives, such as one whose `dagrun job run` was killed: the
/// scheduler takes them over, so that their machines are replaced and removed. Whoever wants one back asks for it.
///
/// Not a detached one, which is meant to be on its own, nor one of another scheduler's tasks, which comes back for it.
///
/// Confined to the engine's queue. The lock of each is held as long as it is driven here, as by any other process.
final class TakenJobs: @unchecked Sendable {
  private let queue: DispatchQueue
  private let logger: Logger
  private let folder: String
  private let logPath: (_ job: String) -> String
  private let runner: () throws -> JobRunner
  private var locks: [String: JobLock] = [:]
  /// Once is enough.
  private var hasSaidProblem = false
  /// Called when one has ended.
  private let ended: () -> Void

  init(
    queue: DispatchQueue, logger: Logger, folder: String, logPath: @escaping (_ job: String) -> String,
    runner: @escaping () throws -> JobRunner, ended: @escaping () -> Void
  ) {
    self.queue = queue
    self.logger = logger
    self.folder = folder
    self.logPath = logPath
    self.runner = runner
    self.ended = ended
  }

  var count: Int { locks.count }

  func take(_ jobs: [JobRecord]) {
    for job in jobs where job.task == nil && !job.isDetached && !job.isFinished && locks[job.name] == nil {
      guard let request = try? job.decodedRequest(), request.series == nil else { continue }
      // Held: somebody drives it.
      guard let lock = try? JobLock(job: job.name, folder: folder) else { continue }
      drive(job, lock)
    }
  }

  private func drive(_ job: JobRecord, _ lock: JobLock) {
    let name = job.name
    // An older one is about another job.
    CancelRequestFile(job: name, folder: folder).removeUnlessFor(job)
    let runner: JobRunner
    do {
      runner = try self.runner()
    } catch {
      if !hasSaidProblem {
        logger.warning(
          "nobody drives a job, and it cannot be taken over", metadata: ["job": "\(name)", "reason": "\(error)"])
      }
      hasSaidProblem = true
      return
    }
    locks[name] = lock
    logger.notice("took over a job that nobody drove", metadata: ["job": "\(name)"])
    runner.adopt(name, logPath: logPath(name)) { [queue, weak self] update in
      guard case .ended(let outcome) = update else { return }
      let me = self
      queue.async { me?.hasEnded(name, outcome) }
    }
    // Whoever drove it may have died before it met the request.
    if CancelRequestFile(job: name, folder: folder).isFor(job) { runner.cancel(name) }
  }

  private func hasEnded(_ name: String, _ outcome: JobOutcome) {
    guard locks.removeValue(forKey: name) != nil else { return }
    CancelRequestFile(job: name, folder: folder).remove()
    for resource in outcome.leftBehind {
      logger.warning(
        "a job has left something behind; dagrun job gc removes it",
        metadata: ["job": "\(name)", "resource": "\(resource)"])
    }
    logger.notice("a job that was taken over has ended", metadata: ["job": "\(name)"])
    ended()
  }

  /// - Returns: false when it is not driven here.
  func cancel(_ name: String) -> Bool {
    guard locks[name] != nil, let runner = try? runner() else { return false }
    runner.cancel(name)
    return true
  }

  /// Lets somebody else drive it.
  ///
  /// - Returns: false when it is not driven here.
  func leave(_ name: String) -> Bool {
    guard locks[name] != nil, let runner = try? runner() else { return false }
    runner.leave(name)
    locks[name] = nil
    return true
  }

  /// They continue by themselves; whoever stops the runner leaves them.
  func stop() { locks = [:] }
}
