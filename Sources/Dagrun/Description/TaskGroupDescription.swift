/// Tasks that are shown as one.
package struct TaskGroupDescription: Codable, Hashable, Sendable {
  /// With those of the groups around it: `tables.checks`.
  package var id: String
  /// The group it is in; empty: it is in none.
  package var parentID: String
  /// What the ids in it begin with: `tables.checks.`; empty: it has `prefix: false`.
  package var prefix: String
  package var documentation: String
  package var location: SourceLocation
}
