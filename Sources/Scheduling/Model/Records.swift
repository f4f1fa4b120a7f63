package import Dagrun

/// Names one task instance: a task of one run.
package struct TaskInstanceKey: Hashable, Sendable {
  /// The run's number (`DAGRun.number`).
  package var run: Int64
  package var taskID: String

  package init(run: Int64, taskID: String) {
    self.run = run
    self.taskID = taskID
  }
}

/// Half open: from `start` up to, and without, `end`.
package struct DataInterval: Hashable, Sendable {
  package var start: Timestamp
  package var end: Timestamp

  package init(start: Timestamp, end: Timestamp) {
    self.start = start
    self.end = end
  }
}

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
  /// Was triggered for a date that the schedule was still to make a run for: there is one run for each date, and this is
  /// the one.
  package var standsForScheduled = false
  /// Only tasks whose whole id matches belong to the run, and edges from other tasks do not count; nil: all tasks. Set by
  /// a backfill of some tasks.
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

/// One task of one run, as the scheduler needs it back after a restart.
package struct TaskInstance: Hashable, Sendable {
  package var taskID: String
  package var state: TaskState
  /// Tries started so far; the current one while it is active.
  package var tryNumber: Int
  /// The last try that may be followed by a retry is this one; grows when the task is cleared.
  package var maxTries: Int
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// While `up_for_retry` or `up_for_reschedule`: when it is due.
  package var retryAt: Timestamp?

  package init(
    taskID: String, state: TaskState = .none, tryNumber: Int = 0, maxTries: Int, startDate: Timestamp? = nil,
    endDate: Timestamp? = nil, retryAt: Timestamp? = nil
  ) {
    self.taskID = taskID
    self.state = state
    self.tryNumber = tryNumber
    self.maxTries = maxTries
    self.startDate = startDate
    self.endDate = endDate
    self.retryAt = retryAt
  }
}

/// What is known of a DAG besides its description.
package struct DAGRecord: Hashable, Sendable {
  package var dagID: String
  package var isPaused: Bool
  /// The newest version that compiled; new runs are on it. nil when its file is gone.
  package var version: String?
  /// Logical date of the newest run made by the schedule; the next one lies after it.
  package var lastScheduled: Timestamp?

  package init(dagID: String, isPaused: Bool = false, version: String?, lastScheduled: Timestamp? = nil) {
    self.dagID = dagID
    self.isPaused = isPaused
    self.version = version
    self.lastScheduled = lastScheduled
  }
}

package struct Pool: Hashable, Sendable {
  package var name: String
  /// -1: without limit.
  package var slots: Int
  package var documentation: String
  /// A deferred task keeps its slots.
  package var includeDeferred: Bool

  package init(name: String, slots: Int, documentation: String = "", includeDeferred: Bool = false) {
    self.name = name
    self.slots = slots
    self.documentation = documentation
    self.includeDeferred = includeDeferred
  }

  /// Airflow's: 128 slots.
  package static let standard = Pool(name: TaskDescription.defaultPool, slots: 128)
}

/// Many runs of one DAG over a range of dates.
package struct Backfill: Hashable, Sendable {
  package var number: Int64
  package var dagID: String
  package var fromDate: Timestamp
  package var toDate: Timestamp
  package var maxActiveRuns: Int
  package var runsBackwards: Bool
  package var reprocess: ReprocessBehavior
  package var conf: String
  /// Only tasks whose whole id matches; nil: all.
  package var taskRegex: String?
  package var createdAt: Timestamp
  package var completedAt: Timestamp?
  /// The first date, in the order in which its runs are made, that it has not come to yet; nil: it has come to all.
  package var nextDate: Timestamp?

  package init(
    number: Int64, dagID: String, fromDate: Timestamp, toDate: Timestamp, maxActiveRuns: Int, runsBackwards: Bool,
    reprocess: ReprocessBehavior, conf: String, taskRegex: String?, createdAt: Timestamp, completedAt: Timestamp? = nil,
    nextDate: Timestamp? = nil
  ) {
    self.number = number
    self.dagID = dagID
    self.fromDate = fromDate
    self.toDate = toDate
    self.maxActiveRuns = maxActiveRuns
    self.runsBackwards = runsBackwards
    self.reprocess = reprocess
    self.conf = conf
    self.taskRegex = taskRegex
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.nextDate = nextDate
  }

  /// What a backfill does with a run that exists already and has ended. Raw values are Airflow's.
  package enum ReprocessBehavior: String, Hashable, Sendable, CaseIterable, Codable {
    case none, failed, completed
  }
}

/// A run with all its task instances, in the order of the plan; after them those that the plan does not have (they are
/// `removed`, or a backfill of some tasks took over a run that had more), by id.
package struct RunSnapshot: Hashable, Sendable {
  package var run: DAGRun
  package var tasks: [TaskInstance]

  package init(run: DAGRun, tasks: [TaskInstance]) {
    self.run = run
    self.tasks = tasks
  }
}

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
  /// By DAG: the logical dates after its `lastScheduled` (all, when that is nil) which a run bears already. The
  /// schedule passes over them.
  package var takenDates: [String: [Timestamp]]

  package init(
    plans: [DAGPlan] = [], dags: [DAGRecord] = [], pools: [Pool] = [.standard], backfills: [Backfill] = [],
    runs: [RunSnapshot] = [], lastRunNumber: Int64 = 0, lastBackfillNumber: Int64 = 0,
    takenDates: [String: [Timestamp]] = [:]
  ) {
    self.plans = plans
    self.dags = dags
    self.pools = pools
    self.backfills = backfills
    self.runs = runs
    self.lastRunNumber = lastRunNumber
    self.lastBackfillNumber = lastBackfillNumber
    self.takenDates = takenDates
  }
}
