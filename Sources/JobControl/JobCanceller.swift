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

  /// Waits until nobody drives the job any more.
  package func waitUntilLeft() async throws -> State {
    let lock: JobLock
    do {
      lock = try await withCheckedThrowingContinuation { continuation in
        _ = JobLockQueue.shared.wait(forJob: name, folder: repository.folder) { continuation.resume(with: $0) }
      }
    } catch let refusal as JobLock.Refusal {
      throw JobControlError.lockUnavailable(refusal.description)
    }
    guard let job = try repository.find(name) else { return .left(nil, lock) }
    guard job.isFinished else { return .left(job, lock) }
    repository.cancelRequest(name).remove()
    return .finished(job)
  }

  /// Waits until a job has ended that the home's scheduler drives: a task's, of which the database tells.
  ///
  /// - Parameter folder: of the database.
  package func waitUntilFinished(databaseFolder folder: String) async throws -> JobRecord? {
    let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    let file = repository.store.path.split(separator: "/").last.map(String.init) ?? ""
    // Its log (-wal) is written by each commit.
    let events = try FolderEvents(folder, .modified, queue: DispatchQueue(label: "dagrun.database-changes")) { names in
      if names?.contains(where: { $0.hasPrefix(file) }) ?? true { continuation.yield() }
    }
    defer { withExtendedLifetime(events) {} }
    // One that was written before the watch.
    continuation.yield()
    for await _ in changes {
      guard let job = try repository.findAfterWrites(name) else { return nil }
      if job.isFinished { return job }
    }
    return nil
  }

  /// Removes all that the job has.
  ///
  /// - Parameter project: of a job that this home does not know.
  package func cancel(_ runner: JobRunner, project: String?, holding lock: JobLock) async -> JobOutcome? {
    let (updates, continuation) = AsyncStream.makeStream(of: JobNews.self)
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
