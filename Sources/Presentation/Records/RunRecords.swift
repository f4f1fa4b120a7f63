package import Control
internal import Dagrun
package import Model
internal import Scheduling

/// The field names are those of Airflow's REST API v2 (`DAGRunResponse`, `TaskInstanceResponse`, …).
extension DAGRun {
  package var record: OutputObject {
    [
      "dag_run_id": .text(runID), "dag_id": .text(dagID), "run_type": .text(type.rawValue),
      "state": .text(state.rawValue), "logical_date": .optional(logicalDate), "queued_at": .time(queuedAt),
      "start_date": .optional(startDate), "end_date": .optional(endDate),
      "duration": .optional(seconds(from: startDate, to: endDate)),
      "data_interval_start": .optional(dataInterval?.start), "data_interval_end": .optional(dataInterval?.end),
      "run_after": .time(runAfter), "conf": OutputValue(jsonText: conf), "dag_version": .text(version),
      "backfill_id": .optional(backfill.map(Int.init)), "stands_for_scheduled": .bool(standsForScheduled),
    ]
  }
}

extension RunSummary {
  package var record: OutputObject {
    [
      "dag_run_id": .text(runID), "dag_id": .text(dagID), "run_type": .text(runType.rawValue),
      "state": .text(state.rawValue), "logical_date": .optional(logicalDate), "start_date": .optional(startDate),
      "end_date": .optional(endDate), "duration": .optional(seconds(from: startDate, to: endDate)),
      "conf": OutputValue(jsonText: conf), "stands_for_scheduled": .bool(standsForScheduled),
    ]
  }
}

extension TaskInstance {
  package func record(in run: DAGRun) -> OutputObject {
    [
      "task_id": .text(taskID), "dag_id": .text(run.dagID), "dag_run_id": .text(run.runID),
      "map_index": .int(Int(mapIndex)), "logical_date": .optional(run.logicalDate),
      // Airflow's null.
      "state": state == .none ? .null : .text(state.rawValue), "try_number": .int(tryNumber),
      "max_tries": .int(max(0, maxTries)), "start_date": .optional(startDate), "end_date": .optional(endDate),
      "duration": .optional(seconds(from: startDate, to: endDate)),
    ]
  }
}

extension BackfillRow {
  package func record(dagID: String) -> OutputObject {
    [
      "dag_id": .text(dagID), "logical_date": .time(logicalDate), "dag_run_id": .text(runID), "verdict": .text(verdict),
    ]
  }
}

extension ClearedTask {
  package func record(dagID: String) -> OutputObject {
    [
      "dag_id": .text(dagID), "dag_run_id": .text(runID), "task_id": .text(taskID),
      "map_index": .int(Int(mapIndex)),
      // The state it had.
      "state": state == .none ? .null : .text(state.rawValue),
    ]
  }
}

extension Backfill {
  package var record: OutputObject {
    [
      "id": .int(number), "dag_id": .text(dagID), "from_date": .time(fromDate), "to_date": .time(toDate),
      "dag_run_conf": OutputValue(jsonText: conf), "reprocess_behavior": .text(reprocess.rawValue),
      "max_active_runs": .int(maxActiveRuns), "run_backwards": .bool(runsBackwards),
      "task_regex": .optional(taskRegex), "created_at": .time(createdAt), "completed_at": .optional(completedAt),
    ]
  }
}

private func seconds(from start: Timestamp?, to end: Timestamp?) -> Double? {
  guard let start, let end else { return nil }
  return end.seconds(since: start)
}
