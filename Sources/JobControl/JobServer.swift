package import Clash
internal import Dispatch
internal import Foundation
internal import Model

/// Drives the jobs that it is asked to, many in one process, and says what happens to them.
///
/// Everything happens on one queue. A job that waits costs what it costs its runner, and the file of its lock.
package final class JobServer: @unchecked Sendable {
  let repository: JobRepository
  let runner: JobRunner
  /// Takes an event, on the server's queue; false when nobody reads any more.
  private let write: (ServeEvent) -> Bool
  let queue = DispatchQueue(label: "dagrun.job-server")
  /// How long another process may take to leave a job.
  let lockLimitSeconds: Double
  var jobs: [String: ServedJob] = [:]
  /// Driven as soon as another process has left them.
  var waits: [String: LockWait] = [:]
  private var cancelRequests: JobFolderWatch?
  var isLeaving = false
  private var whenLeft: [@Sendable () -> Void] = []

  final class ServedJob {
    let lock: JobLock
    var lines = LogLineBuffer()
    var isCancelled = false

    init(lock: JobLock) { self.lock = lock }
  }

  struct LockWait {
    var ticket: JobLockQueue.Ticket
    var project: String?
    /// It is to be cancelled as soon as it is driven here.
    var isCancelled = false
  }

  /// - Parameters:
  ///   - cannotSeeCancelRequests: called where requests of other processes to cancel jobs will not be seen.
  package init(
    _ repository: JobRepository, _ runner: JobRunner, lockLimitSeconds: Double = 10,
    cannotSeeCancelRequests: (_ reason: String) -> Void = { _ in }, write: @escaping (ServeEvent) -> Bool
  ) {
    self.repository = repository
    self.runner = runner
    self.lockLimitSeconds = lockLimitSeconds
    self.write = write
    watchCancelRequests(orSay: cannotSeeCancelRequests)
  }

  package func handle(line: String) {
    queue.async { [self] in
      do throws(ServeRequest.Problem) { handle(try ServeRequest(line: line)) } catch { say(.refused(error.words)) }
    }
  }

  /// Leaves all jobs and cancels none. Those that somebody has cancelled are finished first: nobody else would.
  package func leave(then act: @escaping @Sendable () -> Void) {
    queue.async { [self] in
      isLeaving = true
      whenLeft.append(act)
      for (name, job) in jobs where !job.isCancelled { leave(name) }
      for (name, wait) in waits where !wait.isCancelled { leave(name) }
      endIfDone()
    }
  }

  func endIfDone() {
    guard isLeaving, jobs.isEmpty, waits.isEmpty else { return }
    runner.stop()
    for act in whenLeft { act() }
    whenLeft = []
  }

  // MARK: Requests

  private func handle(_ request: ServeRequest) {
    switch request {
    case .attach(let name, let project): attach(name, project: project)
    case .cancel(let name):
      if waits[name] != nil {
        waits[name]?.isCancelled = true
      } else if jobs[name] != nil {
        cancel(name)
      } else {
        say(.refused("job \(name) is not attached; attach to it, then cancel it"))
      }
    case .taken(let name): acknowledgeResult(name)
    case .leave(let name):
      leave(name)
      say(.left(job: name))
    }
  }

  func cancel(_ name: String) {
    jobs[name]?.isCancelled = true
    runner.cancel(name)
  }

  private func leave(_ name: String) {
    if let wait = waits.removeValue(forKey: name) { JobLockQueue.shared.withdraw(wait.ticket) }
    runner.leave(name)
    jobs[name] = nil
  }

  private func acknowledgeResult(_ name: String) {
    do {
      guard try repository.acknowledgeResult(name) else {
        return say(.refused("no job \(name) that has ended is known here"))
      }
    } catch {
      say(.refused("cannot note that the result of job \(name) was taken: \(error)"))
    }
  }

  // MARK: Updates

  func received(_ update: JobUpdate, of name: String) {
    // What was on its way when it was left.
    guard let job = jobs[name] else { return }
    switch update {
    case .note(let text): say(.note(job: name, text))
    case .began(let attempt): say(.began(job: name, attempt))
    case .log(let bytes):
      let lines = job.lines.append(bytes)
      if !lines.isEmpty { say(.log(job: name, lines)) }
    case .ended(let outcome):
      let rest = job.lines.rest()
      if !rest.isEmpty { say(.log(job: name, rest)) }
      ended(name, outcome)
    }
  }

  private func ended(_ name: String, _ outcome: JobOutcome) {
    repository.cancelRequest(name).remove()
    jobs[name] = nil
    do {
      if let stored = try repository.find(name) {
        sayEnd(of: stored, outcome)
      } else if case .infrastructure(let failure) = outcome.ending {
        // There was nothing to attach to.
        throw JobControlError.cannotAttach(failure)
      }
    } catch {
      say(.failed(job: name, error))
    }
    endIfDone()
  }

  func sayEnd(of stored: JobRecord, _ outcome: JobOutcome) {
    let attempt = (try? stored.decodedRequest())?.series?.number
    say(.ended(job: stored.name, attempt: attempt, outcome))
  }

  func say(_ event: ServeEvent) {
    if !write(event), !isLeaving { leave {} }
  }

  // MARK: Requests of other processes to cancel

  /// One watch for all jobs.
  private func watchCancelRequests(orSay say: (_ reason: String) -> Void) {
    do {
      cancelRequests = try JobFolderWatch(repository.folder) { [weak self] files in
        guard let self else { return }
        let files = files ?? Set((try? FileManager.default.contentsOfDirectory(atPath: repository.folder)) ?? [])
        let names = Set(files.compactMap(CancelRequestFile.job(ofFile:)))
        guard !names.isEmpty else { return }
        // The queue waits while nobody reads what it says. The runner knows which jobs are driven here.
        for name in names where repository.isCancelRequested(name) { runner.cancel(name) }
        queue.async { self.cancelRequested(names) }
      }
    } catch {
      say("\(error)")
    }
  }

  private func cancelRequested(_ names: Set<String>) {
    for name in names where jobs[name] != nil && repository.isCancelRequested(name) { cancel(name) }
  }
}
