package import Dagrun

/// A DAG as the scheduler reads it: tasks by position, with what each waits for and what waits for it. Immutable, and
/// shared by all runs that are on the same version.
package final class DAGPlan: Sendable {
  package let description: DAGDescription
  /// Content hash of the compiled file.
  package let version: String
  package let dagID: String

  package init(_ description: DAGDescription, version: String) {
    self.description = description
    self.version = version
    dagID = description.id
  }
}
