import DagBag
import Dagrun
import Presentation

/// What another workflow engine needs of DAG files to schedule their tasks itself: `dagrun dags export`. The names are
/// part of the protocol with the Airflow plugin (`Version.protocolNumber`).
extension DAGFiles {
  var exportRecord: OutputObject {
    let dags = files.flatMap { file in file.dags.map { (file: file, dag: $0) } }.sorted { $0.dag.id < $1.dag.id }
    return [
      "dags": .list(dags.map { .object($0.dag.exportRecord(file: $0.file)) }),
      "import_errors": .list(importErrors.map { .object($0.exportRecord) }),
    ]
  }
}

extension ImportError {
  fileprivate var exportRecord: OutputObject {
    ["file": .text(path), "line": .optional(line), "message": .text(message), "details": .optional(details)]
  }
}

extension DAGDescription {
  fileprivate func exportRecord(file: DAGFile) -> OutputObject {
    [
      "id": .text(id), "file": .text(file.path), "version": .text(file.version), "schedule": schedule.exportValue,
      "start_date": .optional(startDate), "end_date": .optional(endDate), "catchup": .bool(catchup),
      "tags": .list(tags.map(OutputValue.text)), "doc": .nonEmpty(documentation),
      "max_active_runs": .int(maxActiveRuns),
      "max_active_tasks": .int(maxActiveTasks), "dagrun_timeout_seconds": .optional(dagrunTimeoutSeconds),
      "params": .list(parameters.map { .object($0.exportRecord) }),
      "groups": .list(groups.map { .object($0.exportRecord) }),
      "tasks": .list(tasks.map { .object($0.exportRecord) }),
    ]
  }
}

extension TaskGroupDescription {
  fileprivate var exportRecord: OutputObject {
    [
      "id": .text(id), "parent": .optional(parentID.isEmpty ? nil : parentID), "prefix": .text(prefix),
      "doc": .nonEmpty(documentation),
    ]
  }
}

extension Schedule {
  var exportValue: OutputValue {
    func cron(_ expression: String, _ timeZone: String, isInterval: Bool) -> OutputValue {
      // Other engines know other presets.
      let fields = CronExpression.fields(of: expression)
      return .object(["cron": .text(fields), "timezone": .text(timeZone), "data_interval": .bool(isInterval)])
    }
    return switch kind {
    case .none: .null
    case .once: .object(["once": .bool(true)])
    case .continuous: .object(["continuous": .bool(true)])
    case .cron(let expression, let timeZone): cron(expression, timeZone, isInterval: false)
    case .dataInterval(let expression, let timeZone): cron(expression, timeZone, isInterval: true)
    }
  }
}

extension TaskDescription {
  fileprivate var exportRecord: OutputObject {
    let (setups, failsRun): ([String], Bool) =
      if case .teardown(let setups, let failsRun) = role { (setups, failsRun) } else { ([], false) }
    return [
      "id": .text(id), "operator": .text(operatorName), "group": .optional(groupID.isEmpty ? nil : groupID),
      "decides": .bool(decision != nil), "upstream": .list(upstream.map(OutputValue.text)),
      "inputs": .list(readOutputs.map(OutputValue.text)), "has_output": .bool(work != .empty),
      "trigger_rule": .text(triggerRule.rawValue), "role": .text(role.word),
      "setups": .list(setups.map(OutputValue.text)), "on_failure_fail_dagrun": .bool(failsRun),
      "retries": .int(retries), "retry_delay_seconds": .double(retryDelaySeconds),
      "retry_backoff_multiplier": .optional(retryBackoffMultiplier),
      "max_retry_delay_seconds": .optional(maxRetryDelaySeconds),
      "execution_timeout_seconds": .optional(executionTimeoutSeconds), "pool": .text(pool),
      "pool_slots": .int(poolSlots), "priority_weight": .int(priorityWeight), "weight_rule": .text(weightRule.rawValue),
      "depends_on_past": .bool(dependsOnPast), "run_as_user": .optional(runAsUser),
      "wait_for_past_depends_before_skipping": .bool(waitForPastDependsBeforeSkipping),
      "max_active_tis_per_dag": .optional(maxActivePerDAG), "max_active_tis_per_dagrun": .optional(maxActivePerRun),
      "doc": .nonEmpty(documentation), "line": .int(location.line), "is_job": .bool(work.job != nil),
      "project": .optional(work.job?.job.project), "job_output": .optional(work.job?.outputWord),
    ]
  }
}

extension ComputeEngineJobDescription {
  /// What its task hands on: the record of how it went, those of a group, or the text that it wrote itself.
  fileprivate var outputWord: String { isGroup ? "results" : handsOnOwnOutput ? "text" : "result" }
}

extension TaskDescription.Role {
  fileprivate var word: String {
    switch self {
    case .work: "work"
    case .setup: "setup"
    case .teardown: "teardown"
    }
  }
}

extension ParameterDescription {
  fileprivate var exportRecord: OutputObject {
    var record: OutputObject = ["name": .text(name), "schema": .object(schema)]
    if let defaultValue { record.append("default", OutputValue(defaultValue)) }
    return record
  }

  /// As JSON Schema (https://json-schema.org), draft 7, as far as that goes: the value is checked again when a task
  /// runs.
  var schema: OutputObject {
    var schema = type.schema
    if let minimum { schema.append("minimum", .double(minimum)) }
    if let maximum { schema.append("maximum", .double(maximum)) }
    let isList = if case .list = type { true } else { false }
    if let minimumLength { schema.append(isList ? "minItems" : "minLength", .int(minimumLength)) }
    if let maximumLength { schema.append(isList ? "maxItems" : "maxLength", .int(maximumLength)) }
    if let pattern, Self.isPlain(pattern) { schema.append("pattern", .text("^(?:\(pattern))$")) }
    if !documentation.isEmpty { schema.append("description", .text(documentation)) }
    return schema
  }

  /// It means the same to every engine of regular expressions; what only Swift's knows would be an error in another.
  private static func isPlain(_ pattern: String) -> Bool {
    let special = [
      "(?", "\\p", "\\P", "\\h", "\\R", "\\X", "\\N", "\\K", "\\Q", "[[", "&&", "--", "++", "*+", "?+", "}+",
    ]
    return special.allSatisfy { !pattern.contains($0) }
  }
}

extension ParameterDescription.ValueType {
  fileprivate var schema: OutputObject {
    switch self {
    case .string: ["type": .text("string")]
    case .int: ["type": .text("integer")]
    case .double: ["type": .text("number")]
    case .bool: ["type": .text("boolean")]
    // A date, or a date with its time: JSON Schema has no word for both.
    case .date: ["type": .text("string")]
    case .oneOf(let choices): ["type": .text("string"), "enum": .list(choices.map(OutputValue.text))]
    case .list(let element): ["type": .text("array"), "items": .object(element.schema)]
    }
  }
}

extension OutputValue {
  /// null where there is nothing to read.
  fileprivate static func nonEmpty(_ text: String) -> OutputValue { .optional(text.isEmpty ? nil : text) }
}
