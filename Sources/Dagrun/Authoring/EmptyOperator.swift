/// A task with nothing to run: a place where arrows meet.
public struct EmptyOperator: DAGTask {
  public let task: TaskReference

  @discardableResult
  public init(_ id: String, triggerRule: TriggerRule? = nil, file: String = #filePath, line: Int = #line) {
    task = Registry.addTask(
      id, .empty, CommonOptions(triggerRule: triggerRule), SourceLocation(file: file, line: line))
  }
}
