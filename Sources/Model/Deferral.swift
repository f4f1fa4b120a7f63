package import Dagrun

/// What a try waits for that has released its process. It continues as the same try.
package enum Deferral: Hashable, Codable, Sendable {
  /// The moment to look again.
  case until(Timestamp)
  /// Something outside the machine.
  case event
}
