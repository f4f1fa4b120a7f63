internal import Dispatch
internal import Executors
internal import Model
internal import Scheduling

/// Jobs that nobody waits for any more. They cost money until they are removed.
extension Engine {
  /// As `stop`, but not before all is gone that stopped jobs had in the cloud. Nothing comes between the two: a request
  /// to stop another job is either waited for, or refused.
  package func stopWhenJobsAreRemoved() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in stopWhenJobsAreRemoved { continuation.resume() } }
    }
  }

  private func stopWhenJobsAreRemoved(_ done: @escaping @Sendable () -> Void) {
    guard !isStopped, executors.contains(where: \.isRemovingOrphans) else {
      end()
      return done()
    }
    removalWaiters.append { [self] in
      // Whoever calls this is in the middle of something.
      queue.async { [self] in stopWhenJobsAreRemoved(done) }
    }
  }

  /// Those that are not known to be removed, by name. An engine that starts nothing leaves them to the next one.
  package func unwantedJobs() async -> [String] {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let wanted = scheduler.activeTries.filter { $0.state != .restarting }
        let keys = Set(wanted.map(\.key) + scheduler.deferredTries)
        let orphans = executors.flatMap { (try? $0.orphans(except: keys)) ?? [] }
        continuation.resume(returning: isStopped ? [] : orphans)
      }
    }
  }
}
