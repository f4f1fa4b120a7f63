package import Dagrun
package import Model

/// Everything a scheduler is restored from.
package struct Snapshot: Sendable {
  /// The current plan of every DAG, and the plans that the runs below are on.
  package var plans: [DAGPlan]
  package var dags: [DAGRecord]
  package var pools: [Pool]
  package var backfills: [Backfill]
  /// Every unfinished run, and the finished ones of DAGs in which a task depends on its past. Ordered by number.
  package var runs: [RunSnapshot]
  package var lastRunNumber: Int64
  package var lastBackfillNumber: Int64
  /// By DAG: the logical dates after its `lastScheduled` (all, when that is nil) which a run has already. The
  /// schedule passes over them.
  package var usedLogicalDates: [String: [Timestamp]]

  package init(
    plans: [DAGPlan] = [], dags: [DAGRecord] = [], pools: [Pool] = [.standard], backfills: [Backfill] = [],
    runs: [RunSnapshot] = [], lastRunNumber: Int64 = 0, lastBackfillNumber: Int64 = 0,
    usedLogicalDates: [String: [Timestamp]] = [:]
  ) {
    self.plans = plans
    self.dags = dags
    self.pools = pools
    self.backfills = backfills
    self.runs = runs
    self.lastRunNumber = lastRunNumber
    self.lastBackfillNumber = lastBackfillNumber
    self.usedLogicalDates = usedLogicalDates
  }
}
