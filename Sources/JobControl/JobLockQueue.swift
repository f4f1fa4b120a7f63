package import Clash
internal import Foundation
internal import Synchronization

/// Waits for locks of jobs that others hold. The kernel wakes it when a lock is released, however its holder ends.
///
/// A thread blocks for each lock, however often it is asked for. Nothing can call such a thread back: when nobody wants
/// the lock any more, it takes it at last and releases it at once.
package final class JobLockQueue: Sendable {
  package typealias Handler = @Sendable (Result<JobLock, JobLock.Refusal>) -> Void

  /// One wait.
  package struct Ticket: Hashable, Sendable {
    fileprivate var path: String
    fileprivate var number: Int
  }

  private struct State {
    /// In the order in which they came, by the lock's folder and name. A thread waits for each of them.
    var waiting: [String: [(number: Int, handler: Handler)]] = [:]
    var last = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// That of the process.
  package static let shared = JobLockQueue()

  /// - Parameter handler: called once, on another thread, with the lock or with why there is none. Not when it was
  ///   withdrawn before; who withdraws at that very moment may be called all the same, and releases the lock.
  package func wait(forJob job: String, folder: String, handler: @escaping Handler) -> Ticket {
    let path = "\(folder)/\(job)"
    let (ticket, isFirst) = state.withLock { state in
      state.last += 1
      let isFirst = state.waiting[path] == nil
      state.waiting[path, default: []].append((state.last, handler))
      return (Ticket(path: path, number: state.last), isFirst)
    }
    if isFirst {
      Thread.detachNewThread { [self] in serve(path, job, folder) }
    }
    return ticket
  }

  package func withdraw(_ ticket: Ticket) {
    // The entry stays, also when nobody is left in it: its thread is still there.
    state.withLock { $0.waiting[ticket.path]?.removeAll { $0.number == ticket.number } }
  }

  private func serve(_ path: String, _ job: String, _ folder: String) {
    var isOver = false
    while !isOver {
      let result: Result<JobLock, JobLock.Refusal>
      do throws(JobLock.Refusal) {
        result = .success(try JobLock(waitingFor: job, folder: folder))
      } catch {
        result = .failure(error)
      }
      let first: Handler?
      (first, isOver) = state.withLock { state in
        var entries = state.waiting[path] ?? []
        let first = entries.isEmpty ? nil : entries.removeFirst().handler
        state.waiting[path] = entries.isEmpty ? nil : entries
        return (first, entries.isEmpty)
      }
      first?(result)
    }
  }
}
