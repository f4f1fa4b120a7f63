package import Clash
internal import Dispatch
internal import Foundation
package import Model
internal import Processes
internal import Storage
internal import Synchronization

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

  /// Waits until the job has ended, or nobody drives it any more. Its driver may be slow to leave: its log goes to somebody
  /// who does not read.
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

  /// SQLite writes its log (-wal) before others can read the commit, and nothing tells of that moment: so each change is
  /// told of once more a little later.
  private func watchDatabase(_ events: AsyncStream<Event>.Continuation) throws -> FolderEvents {
    let queue = DispatchQueue(label: "dagrun.database-changes")
    let path = URL(filePath: repository.store.path)
    let (folder, file) = (path.deletingLastPathComponent().path(percentEncoded: false), path.lastPathComponent)
    let looks = PairedLooks(queue) { events.yield(.databaseChanged) }
    let watch = try FolderEvents(folder, .modified, queue: queue) { names in
      if names?.contains(where: { $0.hasPrefix(file) }) ?? true { looks.look() }
    }
    // What was written before the watch.
    looks.look()
    return watch
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

/// Calls at once, and once more a little later. What is asked for meanwhile has its second call after a pause of its own.
private final class PairedLooks: Sendable {
  private static let pauseSeconds = 0.2
  private let queue: DispatchQueue
  private let body: @Sendable () -> Void
  private let state = Mutex(State.none)

  private enum State { case none, due, dueAgain }

  init(_ queue: DispatchQueue, _ body: @escaping @Sendable () -> Void) {
    self.queue = queue
    self.body = body
  }

  func look() {
    let isFirst = state.withLock { state in
      defer { state = state == .none ? .due : .dueAgain }
      return state == .none
    }
    guard isFirst else { return }
    body()
    lookLater()
  }

  private func lookLater() {
    queue.asyncAfter(deadline: .now() + Self.pauseSeconds) { [self] in
      let isAgain = state.withLock { state in
        defer { state = state == .dueAgain ? .due : .none }
        return state == .dueAgain
      }
      body()
      if isAgain { lookLater() }
    }
  }
}
