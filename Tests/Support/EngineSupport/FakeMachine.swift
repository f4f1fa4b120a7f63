package import Dagrun
package import Executors
package import Model
package import Preparation

/// What an executor starts things on. It outlives engines, as processes and rented machines do.
package final class FakeMachine {
  package let id: ExecutorID
  /// Tries that are under way, by key, and whether they have begun.
  package private(set) var running: [TryKey: Bool] = [:]
  /// Ends that no engine is known to have stored.
  package private(set) var ends: [TryKey: TaskResult] = [:]
  /// Tries that were told to stop.
  package private(set) var stopped: Set<TryKey> = []
  package private(set) var launches: [TryKey] = []
  /// Called when a try is launched; throws what keeps it from beginning.
  package var launched: (TaskWorkload) throws -> Void = { _ in }
  package var toldToStop: (TryKey) -> Void = { _ in }
  /// Of the engine that runs now.
  fileprivate weak var executor: FakeExecutor?

  package init(_ id: ExecutorID = .local) { self.id = id }

  package func makeExecutor(_ host: ExecutorHost) -> FakeExecutor {
    let made = FakeExecutor(self, host)
    executor = made
    return made
  }

  fileprivate func launch(_ workload: TaskWorkload) throws {
    try launched(workload)
    launches.append(workload.key)
    running[workload.key] = false
  }

  fileprivate func stop(_ key: TryKey) -> Bool {
    guard running[key] != nil else { return false }
    stopped.insert(key)
    toldToStop(key)
    return true
  }

  package func begin(_ key: TryKey) {
    guard running[key] == false else { return }
    running[key] = true
    executor?.report(.began(key))
  }

  package func end(_ key: TryKey, _ result: TaskResult) {
    guard running.removeValue(forKey: key) != nil else { return }
    stopped.remove(key)
    ends[key] = result
    executor?.report(.ended(key, result))
  }

  /// Hears nothing more from its executor, and tells it nothing: the engine is gone at this moment.
  package func cutOff() { executor?.isCutOff = true }

  /// Says it again, as an executor may.
  package func repeatEnd(_ key: TryKey, _ result: TaskResult) { executor?.report(.ended(key, result)) }

  fileprivate func recover(_ tries: [ActiveTry]) -> [TryKey: Recovery] {
    var found: [TryKey: Recovery] = [:]
    for activeTry in tries {
      let key = activeTry.key
      if let result = ends[key] {
        found[key] = .ended(result)
      } else if let hasBegun = running[key] {
        found[key] = .running
        if hasBegun { executor?.note(.began(key)) }
        if activeTry.mustStop { _ = stop(key) }
      } else {
        found[key] = .neverBegan
      }
    }
    for key in running.keys where found[key] == nil { running[key] = nil }
    return found
  }

  fileprivate func resultsCommitted() { ends = [:] }
}

/// Runs nothing: tries begin and end when a test says so.
package final class FakeExecutor: Executor {
  private let machine: FakeMachine
  private let host: ExecutorHost
  private var isShutDown = false
  fileprivate var isCutOff = false

  fileprivate init(_ machine: FakeMachine, _ host: ExecutorHost) { (self.machine, self.host) = (machine, host) }

  package var id: ExecutorID { machine.id }
  package var activeCount: Int { isShutDown ? 0 : machine.running.count }

  package func launch(_ workload: TaskWorkload, in run: RunFacts) throws {
    if !isCutOff { try machine.launch(workload) }
  }

  package func stop(_ key: TryKey) -> Bool { isCutOff ? false : machine.stop(key) }
  package func recover(_ tries: [ActiveTry], lastBootID: String?) -> [TryKey: Recovery] { machine.recover(tries) }
  package func resultsCommitted() { if !isCutOff { machine.resultsCommitted() } }
  package func shutDown() { isShutDown = true }

  fileprivate func note(_ event: ExecutorEvent) { if !isShutDown { host.report(event) } }

  fileprivate func report(_ event: ExecutorEvent) {
    guard !isShutDown else { return }
    host.report(event)
    host.handleEvents()
  }
}
