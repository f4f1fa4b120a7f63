package import Dagrun

/// Which jobs to list. Everything that is nil does not narrow the list.
package struct JobFilter: Hashable, Sendable {
  package var isFinished: Bool?
  package var dagID: String?
  package var taskID: String?
  /// Submitted then or later.
  package var since: Timestamp?
  package var limit: Int?

  package init(
    isFinished: Bool? = nil, dagID: String? = nil, taskID: String? = nil, since: Timestamp? = nil, limit: Int? = nil
  ) {
    self.isFinished = isFinished
    self.dagID = dagID
    self.taskID = taskID
    self.since = since
    self.limit = limit
  }
}
