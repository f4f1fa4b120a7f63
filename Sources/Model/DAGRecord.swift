package import Dagrun

/// What is known of a DAG besides its description.
package struct DAGRecord: Hashable, Sendable {
  package var dagID: String
  package var isPaused: Bool
  /// The newest version that compiled; new runs are on it. nil when its file is gone.
  package var version: String?
  /// Logical date of the newest run made by the schedule; the next one lies after it.
  package var lastScheduled: Timestamp?

  package init(dagID: String, isPaused: Bool = false, version: String?, lastScheduled: Timestamp? = nil) {
    self.dagID = dagID
    self.isPaused = isPaused
    self.version = version
    self.lastScheduled = lastScheduled
  }
}
