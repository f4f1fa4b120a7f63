package import Dagrun
package import Model

/// What every shell task, and every container of a job, knows of its run and its try.
package enum TaskVariables {
  package static func of(_ run: RunContext, _ key: TryKey) -> [String: String] {
    var variables = [
      "DAGRUN_DAG_ID": run.dagID, "DAGRUN_RUN_ID": run.runID, "DAGRUN_TASK_ID": key.taskID,
      "DAGRUN_TRY_NUMBER": "\(key.number)", "DAGRUN_LOGICAL_DATE": run.effectiveLogicalDate.iso8601,
    ]
    if key.instance.mapIndex >= 0 { variables["DAGRUN_MAP_INDEX"] = "\(key.instance.mapIndex)" }
    return variables
  }
}
