package import Executors
package import Scheduling
package import Storage

/// All that an engine has of the world. A simulation gives it another one.
package struct EngineEnvironment {
  package var store: Store
  package var limits: Limits
  package var clock: any EngineClock
  package var dagSource: any DAGSource
  package var makeExecutors: (ExecutorHost) throws -> [any Executor]
  /// `Store.commit`; in a simulation also what comes in its way.
  package var commit: (Store, [Change]) throws(StoreError) -> Void = { store, changes throws(StoreError) in
    try store.commit(changes)
  }

  package init(
    store: Store, limits: Limits, clock: any EngineClock, dagSource: any DAGSource,
    makeExecutors: @escaping (ExecutorHost) throws -> [any Executor]
  ) {
    self.store = store
    self.limits = limits
    self.clock = clock
    self.dagSource = dagSource
    self.makeExecutors = makeExecutors
  }
}
