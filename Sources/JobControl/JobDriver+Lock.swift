internal import Clash
internal import Foundation

extension JobDriver {
  /// Takes the right to drive a job, and waits a while for whoever has it and may be about to leave.
  ///
  /// - Parameters:
  ///   - file: of the lock, where it is not the job's own.
  ///   - onHeld: called once it is known that it has to be waited for.
  ///   - isCancelled: whoever has it removes a cancelled job, which takes Google minutes: that is waited for.
  /// - Returns: nil when the lifeline has ended meanwhile, or a higher attempt has come.
  func lock(
    _ name: String, file: String? = nil, onHeld: () -> Void = {}, isCancelled: () throws -> Bool
  ) async throws -> JobLock? {
    let file = file ?? name
    do {
      return try repository.lock(file)
    } catch {
      guard error.reason == .held else { throw JobControlError.lockUnavailable(error.description) }
    }
    // Asked before `onHeld`, which may make it leave.
    let driver = repository.driver(of: file)
    onHeld()
    report(.waiting(job: name, process: driver))
    let (events, continuation) = AsyncStream.makeStream(of: LockEvent.self)
    let ticket = JobLockQueue.shared.wait(forJob: file, folder: repository.folder) { continuation.yield(.decided($0)) }
    defer { JobLockQueue.shared.withdraw(ticket) }
    let handler = lifeline?.onEnd { continuation.yield(.lifelineEnded) }
    defer { lifeline?.forget(handler) }
    var limit = timeLimit(continuation)
    defer { limit.cancel() }
    for await event in events {
      switch event {
      case .decided(.success(let lock)): return lock
      case .decided(.failure(let refusal)): throw JobControlError.lockUnavailable(refusal.description)
      // Who wants the job cancelled waits until it can be.
      case .lifelineEnded: if !cancellation.wasInterrupted { return nil }
      case .limitReached:
        if claim?.isSuperseded == true { return nil }
        guard try isCancelled() else {
          throw JobControlError.drivenElsewhere(
            job: name, process: repository.driver(of: file), waitedSeconds: lockLimitSeconds)
        }
        limit = timeLimit(continuation)
      }
    }
    return nil
  }

  private enum LockEvent: Sendable {
    case decided(Result<JobLock, JobLock.Refusal>)
    case lifelineEnded
    case limitReached
  }

  private func timeLimit(_ events: AsyncStream<LockEvent>.Continuation) -> Task<Void, any Error> {
    Task {
      try await Task.sleep(for: .seconds(lockLimitSeconds))
      events.yield(.limitReached)
    }
  }
}
