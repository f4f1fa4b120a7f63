package import Clash
internal import Dispatch
package import Model
internal import Processes
internal import Storage

/// Cancels a job: here where nobody drives it, else by asking the process that does.
package struct JobCanceller: Sendable {
  private let repository: JobRepository
  private let name: String

  package init(_ repository: JobRepository, job name: String) {
    self.repository = repository
    self.name = name
  }

  /// How a job is after another process had it.
  package enum State {
    case finished(JobRecord)
    /// Its driver has left without finishing it. It is driven here, if at all.
    case left(JobRecord?, JobLock)
  }

  /// Asks the process that drives the job. The request stays until the job has ended, whoever drives it.
  package func request(for job: JobRecord) throws {
    try repository.cancelRequest(name).write(for: job)
  }

  /// Waits until the job has ended, or nobody drives it any more. Its driver may be slow to leave: its log goes to
  /// somebody who does not read.
  package func waitUntilLeft() async throws -> State {
    let (events, continuation) = AsyncStream.makeStream(of: Event.self)
    let ticket = JobLockQueue.shared.wait(forJob: name, folder: repository.folder) { continuation.yield(.lock($0)) }
    let watch = try watchDatabase(continuation)
    defer {
      JobLockQueue.shared.withdraw(ticket)
      withExtendedLifetime(watch) {}
    }
    for await event in events {
      switch event {
      case .lock(.failure(let refusal)): throw JobControlError.lockUnavailable(refusal.description)
      case .lock(.success(let lock)):
        guard let job = try repository.find(name) else { return .left(nil, lock) }
        guard job.isFinished else { return .left(job, lock) }
        repository.cancelRequest(name).remove()
        return .finished(job)
      case .databaseChanged: if let job = try repository.find(name), job.isFinished { return .finished(job) }
      }
    }
    throw CancellationError()
  }

  /// Waits until a job has ended that the home's scheduler drives: a task's, of which the database tells.
  package func waitUntilFinished() async throws -> JobRecord? {
    let (events, continuation) = AsyncStream.makeStream(of: Event.self)
    let watch = try watchDatabase(continuation)
    defer { withExtendedLifetime(watch) {} }
    for await _ in events {
      guard let job = try repository.find(name) else { return nil }
      if job.isFinished { return job }
    }
    return nil
  }

  private enum Event: Sendable {
    case lock(Result<JobLock, JobLock.Refusal>)
    case databaseChanged
  }

  private func watchDatabase(
    _ events: AsyncStream<Event>.Continuation
  ) throws(SystemError) -> FileChanges {
    try FileChanges(of: repository.store.path, queue: DispatchQueue(label: "dagrun.database-changes")) {
      events.yield(.databaseChanged)
    }
  }

  /// Removes all that the job has.
  ///
  /// - Parameter project: of a job that this home does not know.
  package func cancel(_ runner: JobRunner, project: String?, holding lock: JobLock) async -> JobOutcome? {
    let (updates, continuation) = AsyncStream.makeStream(of: JobUpdate.self)
    if let project {
      runner.attach(name, project: project, logPath: nil) { continuation.yield($0) }
    } else {
      runner.adopt(name, logPath: nil) { continuation.yield($0) }
    }
    runner.cancel(name)
    defer {
      runner.stop()
      withExtendedLifetime(lock) {}
    }
    for await case .ended(let outcome) in updates {
      repository.cancelRequest(name).remove()
      return outcome
    }
    return nil
  }
}
