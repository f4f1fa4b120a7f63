internal import Foundation
package import GoogleCloud
package import Logging
package import Model

/// Drives jobs: any number of them on one serial queue. A job that waits costs a held pull and its row: no thread, no
/// process.
///
/// A job decides (`Job`), the runner acts: events in; then the log is written, the job is saved, and only then its
/// actions are performed, as tasks whose ends are events again. While saving fails nothing is done; what came waits,
/// and is tried again.
///
/// All that a job asks for can be asked for again, so a runner may end at any point, and another one on the same
/// journal continues. Two must not drive one job at once: `JobLock`, or the scheduler's lock, sees to that.
package final class JobRunner: @unchecked Sendable {
  package typealias Observer = @Sendable (JobUpdate) -> Void

  /// Owns everything below.
  let queue = DispatchQueue(label: "dagrun.jobs")
  let journal: any JobJournal
  let transport: any CloudTransport
  let endpoints: Endpoints
  let options: JobRunnerOptions
  let logger: Logger
  let images = ImageLinks()
  /// A template has the whole runner and all values of the job: a hundred kilobytes, several times over while it is
  /// made and sent. A thousand jobs that begin at once wait for each other here, instead of all being in memory.
  let templates = AsyncSemaphore(places: 32)

  /// By name.
  var jobs: [String: ActiveJob] = [:]
  /// Those with something in their inbox, in the order in which it came.
  var ready: [ActiveJob] = []
  var isDrainScheduled = false
  var memory: MemoryTrim
  var isStopped = false
  var idleWaiters: [CheckedContinuation<Void, Never>] = []

  package init(
    transport: any CloudTransport, endpoints: Endpoints, journal: any JobJournal,
    options: JobRunnerOptions = JobRunnerOptions(), logger: Logger
  ) {
    self.transport = transport
    self.endpoints = endpoints
    self.journal = journal
    self.options = options
    self.logger = logger
    memory = MemoryTrim(queue)
  }

  /// Begins a job, or continues with it where the journal knows its name: asking twice is asking once. A job that has
  /// ended already tells its end again.
  ///
  /// - Parameters:
  ///   - logPath: where everything that the job prints goes; nil: nowhere. The file of a job that is taken up again is
  ///     cut to what was stored, so that each byte is in it once.
  ///   - observer: told on the runner's queue: it must not wait. `JobUpdate.ended` is the last. A job that is taken up
  ///     again tells `began` again.
  package func start(_ request: JobRequest, logPath: String?, observer: @escaping Observer) {
    drive(request.name, .start(request), logPath: logPath, observer: observer)
  }

  /// Continues with a job that the journal knows. One that it does not know ends at once, as an invalid request.
  package func adopt(_ name: String, logPath: String?, observer: @escaping Observer) {
    drive(name, .adopt, logPath: logPath, observer: observer)
  }

  /// As `adopt`; a job that the journal does not know is looked for in the cloud by its name, where the one that began
  /// it has left its request with its template. If its result waits there already, it is taken.
  ///
  /// - Parameter likely: what the job asks for, by somebody who knows; for a template that had no room to say it.
  package func attach(
    _ name: String, project: String, likely: JobRequest? = nil, logPath: String?, observer: @escaping Observer
  ) {
    drive(name, .attach(project: project, likely: likely), logPath: logPath, observer: observer)
  }

  /// Removes everything of the job; it ends as cancelled. Nothing, when this runner does not drive it.
  package func cancel(_ name: String) {
    queue.async { [self] in
      guard let job = jobs[name] else { return }
      post(.event(.cancel), to: job)
    }
  }

  /// Waits until a detached job needs this runner no more (`Job.isHandedOver`), or has ended.
  ///
  /// - Parameter toAnybody: not only a detached one: somebody else will continue with it (`Job.canBeHandedOver`).
  /// - Returns: false when it has ended, or is not driven here.
  package func waitUntilHandedOver(_ name: String, toAnybody: Bool = false) async -> Bool {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        guard let job = jobs[name], !isStopped else { return continuation.resume(returning: false) }
        job.waitUntilHandedOver(toAnybody: toAnybody, continuation)
      }
    }
  }

  /// Waits until no job is driven: all have ended, or the runner was stopped.
  package func waitUntilIdle() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        if jobs.isEmpty { return continuation.resume() }
        idleWaiters.append(continuation)
      }
    }
  }

  /// Leaves one job, and touches nothing in the cloud. Its observer receives nothing more once this returns. Not to be
  /// called by an observer.
  ///
  /// - Returns: false when this runner does not drive it.
  @discardableResult
  package func leave(_ name: String) -> Bool {
    queue.sync {
      guard let job = jobs[name] else { return false }
      detach(job)
      return true
    }
  }

  /// Leaves all jobs, and touches nothing in the cloud. Observers receive nothing more once it returns. Not to be
  /// called by an observer.
  package func stop() {
    queue.sync {
      isStopped = true
      for job in Array(jobs.values) { detach(job) }
    }
  }

  private func drive(
    _ name: String, _ beginning: ActiveJob.Beginning, logPath: String?, observer: @escaping Observer
  ) {
    queue.async { [self] in
      guard !isStopped else { return }
      if let known = jobs[name] {
        // The last one to ask receives the updates.
        known.observer = observer
        return
      }
      let job = ActiveJob(name: name, beginning: beginning, logPath: logPath, observer: observer)
      jobs[name] = job
      post(.resume(isOverElsewhere: false), to: job)
    }
  }

  func detach(_ job: ActiveJob) {
    dispatchPrecondition(condition: .onQueue(queue))
    guard jobs[job.name] === job else { return }
    jobs[job.name] = nil
    job.detach()
    guard jobs.isEmpty else { return }
    for waiter in idleWaiters { waiter.resume() }
    idleWaiters = []
  }
}
