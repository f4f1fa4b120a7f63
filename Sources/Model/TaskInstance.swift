package import Dagrun

/// One task of one run, as the scheduler needs it back after a restart.
package struct TaskInstance: Hashable, Sendable {
  package var taskID: String
  package var state: TaskState
  /// Tries started so far; the current one while it is active.
  package var tryNumber: Int
  /// The last try that may be followed by a retry is this one; grows when the task is cleared.
  package var maxTries: Int
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// While `up_for_retry` or `up_for_reschedule`: when it is due.
  package var retryAt: Timestamp?

  package init(
    taskID: String, state: TaskState = .none, tryNumber: Int = 0, maxTries: Int, startDate: Timestamp? = nil,
    endDate: Timestamp? = nil, retryAt: Timestamp? = nil
  ) {
    self.taskID = taskID
    self.state = state
    self.tryNumber = tryNumber
    self.maxTries = maxTries
    self.startDate = startDate
    self.endDate = endDate
    self.retryAt = retryAt
  }
}
