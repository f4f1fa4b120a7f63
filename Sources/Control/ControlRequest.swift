package import Dagrun
package import Model

/// What a command asks of the scheduler, in names that people use. The engine looks the names up, loads what the pure
/// scheduler does not hold, and turns the request into an `Event`.
package enum ControlRequest: Codable, Hashable, Sendable {
  /// Answered by `.status`.
  case ping
  /// Reads the DAG files again, now. Answered by `.done` when that is through.
  case reload
  case trigger(dagID: String, runID: String?, logicalDate: Timestamp?, conf: String)
  case backfill(BackfillParameters)
  case cancelBackfill(number: Int64)
  case clear(TaskSelection, onNewestVersion: Bool)
  case setTaskState(dagID: String, runID: String, taskID: String, mapIndex: Int32 = -1, TaskState)
  case setRunState(dagID: String, runID: String, DAGRunState)
  /// Fails a run that is said to be stuck (`WaitingRuns.isStuck`).
  case endStuckRun(dagID: String, runID: String)
  case setPaused(dagID: String, Bool)
  case setPool(name: String, slots: Int, documentation: String, includeDeferred: Bool)
  case deletePool(name: String)
  case deleteDAG(dagID: String)
  /// Answered by `.reasons`.
  case explain(dagID: String, runID: String, taskID: String, mapIndex: Int32 = -1)
  /// What runs wait for, those that have ended aside. Answered by `.waiting`.
  case waiting(runs: [Int64])
  /// Removes what a task's job has in the cloud; its task fails. Answered by `.done` at once.
  case cancelJob(name: String)
  /// Lets somebody else drive a job that the scheduler has taken over. Answered by `.done` when it has let it go.
  case leaveJob(name: String)
  /// Answered by `.progress`, again and again, until the run has finished; the last one says so.
  case follow(run: Int64)
}

package struct BackfillParameters: Codable, Hashable, Sendable {
  package var dagID: String
  package var fromDate: Timestamp
  package var toDate: Timestamp
  package var maxActiveRuns = 10
  package var runsBackwards = false
  /// nil: `failed` where a task depends on its past, else `none`.
  package var reprocess: Backfill.ReprocessBehavior?
  package var taskRegex: String?
  package var conf = "{}"
  /// Answer with the plan and change nothing.
  package var isDryRun = false

  package init(dagID: String, fromDate: Timestamp, toDate: Timestamp) {
    self.dagID = dagID
    self.fromDate = fromDate
    self.toDate = toDate
  }
}

/// Which task instances of a DAG a command means.
package struct TaskSelection: Codable, Hashable, Sendable {
  package var dagID: String
  /// Only this run; nil: all runs between the dates.
  package var runID: String?
  /// Task ids in which the regular expression is found; nil: all.
  package var taskRegex: String?
  /// Of mapped tasks only this instance; nil: all.
  package var mapIndex: Int32?
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  package var withUpstream = false
  package var withDownstream = false
  package var onlyFailed = false
  /// Answer with the selection and change nothing.
  package var isDryRun = false

  package init(dagID: String) { self.dagID = dagID }
}
