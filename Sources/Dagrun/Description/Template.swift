/// Text with values that are known only when a task runs.
///
///     BashOperator("extract", "extract.sh --region \(region) --day \(.ds)")
///
/// A template is a list of parts: nothing is parsed at run time, and a misspelt variable does not compile. In a shell
/// command every value is quoted for the shell, unless it was written as `\(raw: …)`.
public struct Template: Hashable, Sendable {
  package enum Part: Hashable, Sendable {
    /// Text of the author's own, never quoted.
    case text(String)
    /// A value known when the file was described, such as an element of a loop.
    case value(String)
    case variable(TemplateVariable)
    /// The output of a task: a string as it is, anything else as JSON.
    case output(taskID: String)
    /// As `variable`, `output` or `value`, but never quoted.
    indirect case raw(Part)
  }

  package var parts: [Part]

  package init(parts: [Part]) { self.parts = parts }
}

/// A value of the run or of the task instance. Names are Airflow's.
public enum TemplateVariable: Hashable, Sendable {
  /// The logical date as `2026-01-31`; of a manual run without one, the date it was triggered for.
  case ds
  /// The logical date as `20260131`.
  case dsNodash
  /// The logical date as `2026-01-31T00:00:00+00:00`.
  case ts
  /// The logical date as `20260131T000000`.
  case tsNodash
  case logicalDate
  case dataIntervalStart
  case dataIntervalEnd
  /// Of the DAG's last successful run before this one; empty when there is none.
  case prevDataIntervalStartSuccess
  case prevDataIntervalEndSuccess
  case runID
  case dagID
  case taskID
  case tryNumber
  /// Which element of the list that the task is mapped over, from 0; -1 for a task that is not mapped.
  case mapIndex
  /// A parameter of the DAG.
  case param(String)
  /// A variable set with `dagrun variables set`.
  case `var`(String)
}
