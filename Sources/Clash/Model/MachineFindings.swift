package import Model

/// What a driver read of the VMs of an attempt.
package struct MachineFindings: Hashable, Sendable {
  package var instances: [InstanceFact]
  /// nil: they were not read, or could not be.
  package var operations: [OperationFact]?
  /// The cloud remembers all that there ever were.
  package var areOperationsComplete: Bool

  package init(
    instances: [InstanceFact] = [], operations: [OperationFact]? = nil, areOperationsComplete: Bool = false
  ) {
    self.instances = instances
    self.operations = operations
    self.areOperationsComplete = areOperationsComplete
  }
}
