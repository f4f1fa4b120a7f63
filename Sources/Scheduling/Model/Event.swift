package import Dagrun
package import Model

/// What reaches the scheduler: facts from executors, requests of people, and that time has passed.
///
/// Requests about finished runs, which the scheduler does not hold, carry them along (`loaded`); a run that it does
/// hold is left as it is.
package enum Event: Sendable {
  // Facts.
  /// The DAG files were read: the plan of every DAG there now is. A DAG that is missing has no new runs.
  case dagsLoaded([DAGPlan])
  /// Plans of older versions, for the request that follows: a finished run that it is about is on one of them.
  /// Without its plan such a run moves to the newest version.
  case plansLoaded([DAGPlan])
  /// An executor has really started the try (only those that do not start at once say so).
  case taskStarted(TryKey)
  /// The try has ended, or released its process until something happens (`TaskResult.Outcome.deferred`).
  case taskFinished(TryKey, TaskResult)
  /// What a deferred try waited for has happened: it continues, as the same try.
  case triggerFired(TryKey)
  /// `nextWake` has come, or the scheduler was just restored.
  case wake

  // Requests.
  case trigger(TriggerRequest)
  case backfill(BackfillRequest)
  /// Makes the next runs of a backfill that has come to only some of its dates (`nextDates`).
  /// - Parameter existing: every run of the DAG for one of those dates.
  case continueBackfill(number: Int64, existing: [RunSnapshot])
  case cancelBackfill(number: Int64)
  case clear(ClearRequest)
  /// Only `success`, `failed` and `skipped` can be set by hand.
  case setTaskState(TaskInstanceKey, TaskState, loaded: RunSnapshot?)
  /// `success` and `failed` end the run and stop what runs in it; `queued` starts its unfinished tasks again.
  case setRunState(run: Int64, DAGRunState, loaded: RunSnapshot?)
  /// Fails a run of which nothing will move by itself (`Waiting.isStuck`).
  case endStuckRun(run: Int64, loaded: RunSnapshot?)
  case setPaused(dagID: String, Bool)
  case setPool(Pool)
  case deletePool(name: String)
  case deleteDAG(dagID: String)
}

package struct TriggerRequest: Hashable, Sendable {
  package var dagID: String
  /// nil: `manual__<logical date or requestedAt>`, made unique.
  package var runID: String?
  package var logicalDate: Timestamp?
  /// JSON text of an object with sorted keys, already checked against the DAG's parameters.
  package var conf: String
  /// The run that already has `runID`, when it has finished and so is not in the scheduler.
  package var existing: DAGRun?
  /// The run of the DAG, finished or not, that already has `logicalDate`.
  package var holder: DAGRun?
  /// What a run without a logical date is called after; nil: now.
  package var requestedAt: Timestamp?
  /// Those of the ids that the run may get which runs of the DAG have already.
  package var takenRunIDs: [String]

  package init(
    dagID: String, runID: String? = nil, logicalDate: Timestamp? = nil, conf: String = "{}", existing: DAGRun? = nil,
    holder: DAGRun? = nil, requestedAt: Timestamp? = nil, takenRunIDs: [String] = []
  ) {
    self.dagID = dagID
    self.runID = runID
    self.logicalDate = logicalDate
    self.conf = conf
    self.existing = existing
    self.holder = holder
    self.requestedAt = requestedAt
    self.takenRunIDs = takenRunIDs
  }
}

package struct BackfillRequest: Sendable {
  package var dagID: String
  package var fromDate: Timestamp
  package var toDate: Timestamp
  package var maxActiveRuns: Int
  package var runsBackwards: Bool
  /// nil: `failed` where a task depends on its past, else `none`.
  package var reprocess: Backfill.ReprocessBehavior?
  package var taskRegex: String?
  package var conf: String
  /// Every run of the DAG with a logical date in the range, finished or not. Those that are not among the first to be
  /// cleared may come without their tasks.
  package var existing: [RunSnapshot]

  package init(
    dagID: String, fromDate: Timestamp, toDate: Timestamp, maxActiveRuns: Int = 10, runsBackwards: Bool = false,
    reprocess: Backfill.ReprocessBehavior? = nil, taskRegex: String? = nil, conf: String = "{}",
    existing: [RunSnapshot] = []
  ) {
    self.dagID = dagID
    self.fromDate = fromDate
    self.toDate = toDate
    self.maxActiveRuns = maxActiveRuns
    self.runsBackwards = runsBackwards
    self.reprocess = reprocess
    self.taskRegex = taskRegex
    self.conf = conf
    self.existing = existing
  }
}

package struct ClearRequest: Sendable {
  /// The task instances to clear, already selected (`TaskSelection`).
  package var keys: [TaskInstanceKey]
  /// Move the runs to the DAG's current version first, so that a mended task runs as mended.
  package var onNewestVersion: Bool
  package var loaded: [RunSnapshot]

  package init(keys: [TaskInstanceKey], onNewestVersion: Bool = true, loaded: [RunSnapshot] = []) {
    self.keys = keys
    self.onNewestVersion = onNewestVersion
    self.loaded = loaded
  }
}
