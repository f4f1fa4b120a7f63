internal import Dagrun

package struct Pool: Hashable, Sendable {
  package var name: String
  /// -1: without limit.
  package var slots: Int
  package var documentation: String
  /// A deferred task keeps its slots.
  package var includeDeferred: Bool

  package init(name: String, slots: Int, documentation: String = "", includeDeferred: Bool = false) {
    self.name = name
    self.slots = slots
    self.documentation = documentation
    self.includeDeferred = includeDeferred
  }

  /// Airflow's: 128 slots.
  package static let standard = Pool(name: TaskDescription.defaultPool, slots: 128)
}
