package import Dagrun

/// One task of one run, or one element of it where the task is mapped, as the scheduler needs it back after a restart.
package struct TaskInstance: Hashable, Sendable {
  package var taskID: String
  /// From 0; -1 for a task that is not mapped, or whose list is not known yet.
  package var mapIndex: Int32
  package var state: TaskState
  /// Tries started so far; the current one while it is active.
  package var tryNumber: Int
  /// The last try that may be followed by a retry is this one; grows when the task is cleared.
  package var maxTries: Int
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// While `up_for_retry` or `up_for_reschedule`: when it is due.
  package var retryAt: Timestamp?
  /// nil: it has no output.
  package var output: OutputShape?

  package init(
    taskID: String, mapIndex: Int32 = TaskInstanceKey.notMapped, state: TaskState = .none, tryNumber: Int = 0,
    maxTries: Int, startDate: Timestamp? = nil,
    endDate: Timestamp? = nil, retryAt: Timestamp? = nil, output: OutputShape? = nil
  ) {
    self.taskID = taskID
    self.mapIndex = mapIndex
    self.state = state
    self.tryNumber = tryNumber
    self.maxTries = maxTries
    self.startDate = startDate
    self.endDate = endDate
    self.retryAt = retryAt
    self.output = output
  }
}
