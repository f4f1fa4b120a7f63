/// What a Swift task is told of its run.
public struct TaskContext: Sendable {
  package var run: RunContext
  package var taskID: String
  /// From 1.
  public let tryNumber: Int

  package init(run: RunContext, taskID: String, tryNumber: Int) {
    self.run = run
    self.taskID = taskID
    self.tryNumber = tryNumber
  }
}

/// Throw it to end the task as failed, without another try.
public struct TaskFailure: Error, Sendable {
  public let reason: String

  public init(_ reason: String) { self.reason = reason }
}

/// Throw it to end the task as skipped.
public struct TaskSkip: Error, Sendable {
  public let reason: String

  public init(_ reason: String = "") { self.reason = reason }
}
