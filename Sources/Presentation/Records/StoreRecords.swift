internal import Dagrun
package import Model
internal import Scheduling
package import Storage

/// The field names are those of Airflow's REST API v2 (`PoolResponse`, `VariableResponse`, `TaskInstanceResponse`).
extension PoolUsage {
  package var record: OutputObject {
    let occupied = runningSlots + queuedSlots + (pool.includeDeferred ? deferredSlots : 0)
    return [
      "name": .text(pool.name), "slots": .int(pool.slots),
      // Airflow's -1 for "no limit", here too.
      "open_slots": .int(pool.slots == -1 ? -1 : max(0, pool.slots - occupied)),
      "occupied_slots": .int(occupied), "running_slots": .int(runningSlots), "queued_slots": .int(queuedSlots),
      "scheduled_slots": .int(scheduledSlots), "deferred_slots": .int(deferredSlots),
      "include_deferred": .bool(pool.includeDeferred), "description": .text(pool.documentation),
    ]
  }
}

extension Variable {
  package var record: OutputObject { ["key": .text(key), "value": .text(value), "description": .text(documentation)] }
}

extension TaskRecord {
  package func record(in run: DAGRun) -> OutputObject {
    var record = instance.record(in: run)
    record.append("reason", .optional(reason))
    record.append("exit_code", .optional(exitCode))
    record.append("signal", .optional(signal))
    record.append("cpu_seconds", .optional(usage.cpuSeconds))
    record.append("peak_memory_bytes", .optional(usage.peakMemoryBytes.map(Int.init)))
    record.append("loss", .optional(loss))
    record.append("chosen", choice?.outputValue ?? .null)
    return record
  }
}

extension DownstreamChoice {
  /// The cases of a branch that were chosen; the empty list where no task right below may run.
  fileprivate var outputValue: OutputValue {
    switch self {
    case .cases(let names): .list(names.map(OutputValue.text))
    case .nothingBelow: .list([])
    }
  }
}

extension TaskRecord {
  /// Of a failed task, in the record of its run.
  package var failureRecord: OutputObject {
    [
      "task_id": .text(instance.taskID), "state": .text(instance.state.rawValue),
      "try_number": .int(instance.tryNumber), "reason": .optional(reason), "exit_code": .optional(exitCode),
    ]
  }
}

extension DatabaseInfo {
  package var record: OutputObject {
    [
      "path": .text(path), "size_bytes": .int(sizeBytes), "schema_version": .text(schemaVersion),
      "sqlite_version": .text(sqliteVersion), "dags": .int(counts.dags), "dag_versions": .int(counts.versions),
      "dag_runs": .int(counts.runs), "unfinished_dag_runs": .int(counts.unfinishedRuns),
      "task_instances": .int(counts.taskInstances), "past_tries": .int(counts.pastTries),
      "outputs": .int(counts.outputs),
    ]
  }
}
