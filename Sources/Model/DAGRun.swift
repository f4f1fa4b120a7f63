package import Dagrun

/// One run of a DAG, as the scheduler holds it and the database stores it.
package struct DAGRun: Hashable, Sendable {
  /// Counted from 1 over all DAGs, never used twice; the primary key of its row.
  package var number: Int64
  package var dagID: String
  /// Unique within the DAG: `manual__2026-01-31T03:00:00+00:00`, or what the caller gave.
  package var runID: String
  package var type: DAGRunType
  package var state: DAGRunState
  package var logicalDate: Timestamp?
  package var dataInterval: DataInterval?
  /// Not started before this moment.
  package var runAfter: Timestamp
  package var queuedAt: Timestamp
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// The caller's parameters, as given: JSON text of an object with sorted keys.
  package var conf: String
  /// The compiled DAG file the run is on (`DAGPlan.version`).
  package var version: String
  /// The backfill that made or took over the run.
  package var backfill: Int64?
  /// It is for the first of all dates of its backfill, also of those whose runs were left alone: it has no past.
  package var isFirstOfBackfill = false
  /// Was triggered for a date that the schedule was still to make a run for: there is one run for each date, and this
  /// is the one.
  package var standsForScheduled = false
  /// Only tasks whose whole id matches belong to the run, and edges from other tasks do not count; nil: all tasks. Set
  /// by a backfill of some tasks.
  package var taskRegex: String?
  /// Why the run fails or has failed, in words for a person, where the states of its tasks do not say it: it was
  /// cancelled, it timed out, its tasks wait for each other. Set while the run is still `running` when a cancelled run
  /// waits for its teardowns; it then fails when they are done.
  package var reason: String?

  /// What the run counts as the interval of its data: a manual run has its logical date only.
  package var effectiveInterval: DataInterval? {
    dataInterval ?? logicalDate.map { DataInterval(start: $0, end: $0) }
  }

  package init(
    number: Int64, dagID: String, runID: String, type: DAGRunType, state: DAGRunState, logicalDate: Timestamp?,
    dataInterval: DataInterval?, runAfter: Timestamp, queuedAt: Timestamp, startDate: Timestamp? = nil,
    endDate: Timestamp? = nil, conf: String, version: String, backfill: Int64? = nil, taskRegex: String? = nil,
    reason: String? = nil
  ) {
    self.number = number
    self.dagID = dagID
    self.runID = runID
    self.type = type
    self.state = state
    self.logicalDate = logicalDate
    self.dataInterval = dataInterval
    self.runAfter = runAfter
    self.queuedAt = queuedAt
    self.startDate = startDate
    self.endDate = endDate
    self.conf = conf
    self.version = version
    self.backfill = backfill
    self.taskRegex = taskRegex
    self.reason = reason
  }
}
