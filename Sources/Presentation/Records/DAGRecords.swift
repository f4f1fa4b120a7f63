package import Dagrun

/// The field names are those of Airflow's REST API v2 (`DAGDetailsResponse`, `TaskResponse`).
extension DAGDescription {
  package func record(isPaused: Bool) -> OutputObject {
    [
      "dag_id": .text(id), "is_paused": .bool(isPaused), "timetable_summary": .text(schedule.summary),
      "description": .optional(documentation.isEmpty ? nil : documentation),
      "tags": .list(tags.map(OutputValue.text)), "start_date": .optional(startDate), "end_date": .optional(endDate),
      "catchup": .bool(catchup), "max_active_runs": .int(maxActiveRuns), "max_active_tasks": .int(maxActiveTasks),
      "dag_run_timeout": .optional(dagrunTimeoutSeconds),
      "params": .list(parameters.map { .object($0.record) }), "fileloc": .text(location.file),
      "tasks": .list(tasks.map { .text($0.id) }),
    ]
  }

  /// Tasks that name this one as their upstream, in the order of the file.
  package func downstream(of taskID: String) -> [String] {
    tasks.filter { $0.upstream.contains(taskID) }.map(\.id)
  }
}

extension TaskDescription {
  package func record(downstream: [String]) -> OutputObject {
    [
      "task_id": .text(id), "operator_name": .text(operatorName), "trigger_rule": .text(triggerRule.rawValue),
      "task_group_id": .optional(groupID.isEmpty ? nil : groupID),
      "upstream_task_ids": .list(upstream.map(OutputValue.text)),
      "downstream_task_ids": .list(downstream.map(OutputValue.text)), "branch_cases": branchCases,
      "retries": .int(retries), "retry_delay": .double(retryDelaySeconds),
      "retry_exponential_backoff": .optional(retryBackoffMultiplier),
      "max_retry_delay": .optional(maxRetryDelaySeconds),
      "retry_on": .list(failureRules.map { .text("\($0)") }),
      "execution_timeout": .optional(executionTimeoutSeconds), "pool": .text(pool), "pool_slots": .int(poolSlots),
      "priority_weight": .int(priorityWeight), "weight_rule": .text(weightRule.rawValue),
      "depends_on_past": .bool(dependsOnPast), "run_as_user": .optional(runAsUser), "is_mapped": .bool(mapping != nil),
      "doc_md": .optional(documentation.isEmpty ? nil : documentation), "fileloc": .text(location.text),
    ]
  }
}

extension TaskDescription {
  /// Case -> the tasks that it leads to; null of a task that is not a branch.
  package var branchCases: OutputValue {
    guard case .branch(let cases) = decision else { return .null }
    return .object(
      OutputObject(cases.sorted { $0.key < $1.key }.map { ($0.key, .list($0.value.map(OutputValue.text))) }))
  }
}

extension ParameterDescription {
  package var record: OutputObject {
    var record: OutputObject = [
      "name": .text(name), "type": .text(type.text), "default": defaultValue.map(OutputValue.init) ?? .null,
    ]
    if let minimum { record.append("minimum", .double(minimum)) }
    if let maximum { record.append("maximum", .double(maximum)) }
    if let minimumLength { record.append("min_length", .int(minimumLength)) }
    if let maximumLength { record.append("max_length", .int(maximumLength)) }
    if let pattern { record.append("pattern", .text(pattern)) }
    if !documentation.isEmpty { record.append("description", .text(documentation)) }
    return record
  }
}

extension ParameterDescription.ValueType {
  package var text: String {
    switch self {
    case .string: "string"
    case .int: "integer"
    case .double: "number"
    case .bool: "boolean"
    case .date: "date"
    case .oneOf(let values): values.joined(separator: " | ")
    case .list(let element): "list of \(element.text)"
    }
  }
}

extension Schedule {
  /// As Airflow's `timetable_summary`: the expression, or the timetable's name.
  package var summary: String {
    func with(_ expression: String, _ zone: String) -> String {
      // What becomes of times that the clock leaps over or shows twice, where it is not the usual.
      let other = [gap == .shift ? nil : "gap \(gap)", fold == .second ? nil : "fold \(fold)"].compactMap(\.self)
      let words = (zone == "UTC" && other.isEmpty ? [] : [zone]) + other
      return words.isEmpty ? expression : "\(expression) (\(words.joined(separator: ", ")))"
    }
    switch kind {
    case .none: return "None"
    case .once: return "@once"
    case .continuous: return "@continuous"
    case .cron(let expression, let zone): return with(expression, zone)
    case .dataInterval(let expression, let zone): return with(expression, zone) + " data interval"
    }
  }
}

extension SourceLocation {
  /// `dags/nightly.swift:12`, as compilers write it.
  package var text: String { line > 0 ? "\(file):\(line)" : file }
}
