/// What the emulated Compute Engine asks of whoever runs its VMs.
package protocol VirtualMachineHost: Sendable {
  /// Starts a VM. What becomes of it is told through `events`, from any thread, in order; `.ended` is the last.
  ///
  /// Its disk is below `machine.folder` and stays there when the VM has ended: booted again with the same folder, it is
  /// the same VM, started after it was stopped. A re-created VM has another folder, or `removeDisk` comes first.
  func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine
  /// Removes what a VM that has ended left in its folder, and the folder.
  func removeDisk(folder: String)
}

/// A VM that runs. Every function returns at once.
package protocol VirtualMachine: AnyObject, Sendable {
  /// Notice of a preemption: the metadata value `instance/preempted` turns TRUE, then ACPI soft-off; killed after the
  /// grace period.
  func preempt(graceSeconds: Double)
  /// ACPI soft-off, as when the instance is stopped or deleted: units are stopped in order; killed after the grace
  /// period.
  func shutDown(graceSeconds: Double)
  /// As when the power goes.
  func kill()
  /// What it has written to its serial console so far.
  var serialOutput: String { get }
}

package struct VirtualMachineDescription: Hashable, Sendable {
  package var project: String
  package var projectNumber: UInt64 = 1
  /// Such as `europe-west1-b`.
  package var zone: String
  package var name: String
  /// The instance's number, as in its `id`.
  package var id: UInt64
  /// Such as `n1-standard-4`.
  package var machineType: String
  package var isSpot: Bool
  /// Metadata of the instance: `user-data` and all others.
  package var metadata: [String: String]
  /// Metadata of the project.
  package var projectMetadata: [String: String] = [:]
  package var serviceAccount: String
  package var scopes: [String]
  /// Its network leads to its metadata server and nowhere else.
  package var isCutOff = false
  /// Where its whole world is kept; made by the host where it is missing.
  package var folder: String

  package init(
    project: String, zone: String, name: String, id: UInt64, machineType: String, isSpot: Bool,
    metadata: [String: String], serviceAccount: String, scopes: [String], folder: String
  ) {
    self.project = project
    self.zone = zone
    self.name = name
    self.id = id
    self.machineType = machineType
    self.isSpot = isSpot
    self.metadata = metadata
    self.serviceAccount = serviceAccount
    self.scopes = scopes
    self.folder = folder
  }
}

package enum VirtualMachineEvent: Hashable, Sendable {
  /// The operating system is up; cloud-init begins. Comes again after a reboot from inside.
  case booted
  /// It is off, with all its processes.
  case ended(VirtualMachineEnd)
}

package enum VirtualMachineEnd: Hashable, Sendable {
  /// It shut itself down (`poweroff`), or was asked to.
  case poweredOff
  case killed
  /// It could not be started at all.
  case failed(String)
}
