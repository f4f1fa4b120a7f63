import Dagrun

/// What the scheduler asks of a task again and again, apart from its description, which is large.
struct PlannedTask: Sendable {
  var rule: TriggerRule
  var isEmpty: Bool
  /// Its executor is not this machine: it does not count against `parallelism`, and its executor says when the try has
  /// really started; until then the instance is `queued`.
  var isElsewhere: Bool
  var isSetup = false
  var isTeardown = false
  var dependsOnPast: Bool
  var waitsForPastBeforeSkipping: Bool
  /// Has a `SetupConstraint`.
  var isConstrained = false
  /// A choice of a task above it may exclude it.
  var isExcludable = false
  /// It may choose which tasks below it run.
  var decides: Bool
  var isLatestOnly: Bool
  /// Something else than its downstream has to be looked at when it ends.
  var isWatched = false
  /// Its failure fails the run.
  var decidesRun = false
  /// Index in `DAGPlan.poolNames`.
  var pool: Int32
  var poolSlots: Int32
  var retries: Int32
  /// 0: none.
  var executionTimeoutMicroseconds: Int64
  /// 0: none. (`maxActivePerRun` is not enforced: until tasks are mapped, a run has one instance of each.)
  var maxActivePerDAG: Int32

  init(_ task: TaskDescription, pool: Int32) {
    rule = task.triggerRule
    isEmpty = task.work == .empty
    isElsewhere = task.executorID != .local
    decides = task.decision != nil
    isLatestOnly = task.decision == .latestOnly
    switch task.role {
    case .work: break
    case .setup: isSetup = true
    case .teardown: isTeardown = true
    }
    dependsOnPast = task.dependsOnPast
    waitsForPastBeforeSkipping = task.dependsOnPast && task.waitForPastDependsBeforeSkipping
    self.pool = pool
    // A version that was stored before there were bounds may have any numbers.
    poolSlots = Int32(NumberBound.poolSlots.clamp(task.poolSlots))
    retries = Int32(NumberBound.retries.clamp(task.retries))
    executionTimeoutMicroseconds =
      task.executionTimeoutSeconds.map { max(1, Int64(saturating: NumberBound.executionTimeout.clamp($0) * 1e6)) } ?? 0
    maxActivePerDAG = task.maxActivePerDAG.map { $0 < 1 ? 0 : Int32(NumberBound.maxActivePerDAG.clamp($0)) } ?? 0
  }
}

/// What setups and teardowns ask for beyond the trigger rule.
struct SetupConstraint: Sendable {
  /// Setups further up whose teardown is downstream of the task, or that have none: they must have succeeded.
  var indirectSetups: [Int32] = []
  /// Of a teardown, or a task whose rule asks for its setups: the setups right above it.
  var directSetups: [Int32] = []
  /// Of a teardown: the tasks between it and its setups that are not right above it. They must have ended.
  var scope: [Int32] = []
}
