package import GoogleCloud

/// What one attempt asks Google for: where, which machine, and how it is sold. One rung of the ladder.
package struct MachineOffer: Codable, Hashable, Sendable {
  /// A zone, or a region in which Google picks one.
  package var scope: Scope
  package var machineType: String
  package var isSpot: Bool

  package init(scope: Scope, machineType: String, isSpot: Bool) {
    self.scope = scope
    self.machineType = machineType
    self.isSpot = isSpot
  }
}
