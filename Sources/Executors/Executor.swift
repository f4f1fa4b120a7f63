package import Dagrun
package import Dispatch
package import Model
package import Preparation

/// Runs tries somewhere: in processes of this machine, on machines that it rents, in a test.
///
/// Confined to the engine's queue. Every verb is by `TryKey` and may be repeated: a try that is known is not begun
/// twice, one that is not known is not there to be stopped. Beginnings and ends come back as events, and an executor
/// acts on nothing that it has reported before `resultsCommitted`.
package protocol Executor: AnyObject {
  var id: ExecutorID { get }

  /// Begins a try, or resumes what it has of it.
  ///
  /// - Throws: when it cannot, and nothing of the try has begun. The engine ends the try.
  func launch(_ workload: TaskWorkload, in run: RunFacts) throws
  /// Tells a try to end. It ends as stopped, or as it would have ended if that comes first.
  ///
  /// - Returns: false when the try is not here.
  func stop(_ key: TryKey) -> Bool
  /// Finds out what became of tries that an earlier engine launched. Called once, before anything is launched.
  ///
  /// - Parameters:
  ///   - tries: all that the database has as active here. What else is found, nobody waits for.
  ///   - lastBootID: of the machine, when the last engine started; nil: not known.
  /// - Returns: an entry for each.
  /// - Throws: when nothing can be found out.
  func recover(_ tries: [ActiveTry], lastBootID: String?) throws -> [TryKey: Recovery]

  /// Tries that are here and have not ended, and what else is still under way.
  var activeCount: Int { get }
  /// Leaves everything to the next engine.
  func shutDown()

  // What not every executor needs.

  /// The commit took so long, in seconds.
  func committed(inSeconds seconds: Double)
  /// All that was reported so far is in the database.
  func resultsCommitted()
  /// The engine has nothing to do for now.
  func engineIsIdle()
  /// From now on, looks after what belongs to no try. Called once, by a scheduler that stays.
  func startMaintenance()

  /// Names of what still costs something, and whose try nobody waits for.
  func orphans(except wanted: Set<TryKey>) throws -> [String]
  /// Removes them; `orphansRemoved` is reported when the last one is gone.
  func removeOrphans(except wanted: Set<TryKey>) throws
  var isRemovingOrphans: Bool { get }
  /// Cancels what a person calls by name.
  ///
  /// - Returns: false when it is not here.
  func cancel(named name: String) -> Bool
  /// Leaves what belongs to no try to whoever asks for it.
  ///
  /// - Returns: false when it is not here.
  func release(named name: String) -> Bool
}

extension Executor {
  package func committed(inSeconds seconds: Double) {}
  package func resultsCommitted() {}
  package func engineIsIdle() {}
  package func startMaintenance() {}
  package func orphans(except wanted: Set<TryKey>) throws -> [String] { [] }
  package func removeOrphans(except wanted: Set<TryKey>) throws {}
  package var isRemovingOrphans: Bool { false }
  package func cancel(named name: String) -> Bool { false }
  package func release(named name: String) -> Bool { false }
}

package enum ExecutorEvent: Sendable {
  /// Until then the instance is `queued`. A local try begins when it is launched.
  case began(TryKey)
  case ended(TryKey, TaskResult)
  /// It was taken over, and proves not to have begun.
  case neverBegan(TryKey)
  /// Nothing more is being removed (`removeOrphans`).
  case orphansRemoved
}

/// The engine, as an executor sees it.
package struct ExecutorHost {
  package let queue: DispatchQueue
  /// Notes an event. On the queue.
  package let report: (ExecutorEvent) -> Void
  /// Handles what was noted. On the queue, and by an executor that was not called by the engine just now.
  package let handleEvents: () -> Void

  package init(
    queue: DispatchQueue, report: @escaping (ExecutorEvent) -> Void, handleEvents: @escaping () -> Void
  ) {
    self.queue = queue
    self.report = report
    self.handleEvents = handleEvents
  }
}
