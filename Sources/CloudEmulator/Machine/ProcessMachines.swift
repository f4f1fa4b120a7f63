package import Foundation

/// VMs that are process trees on this machine.
package final class ProcessMachines: VirtualMachineHost {
  package let options: MachineOptions

  package init(_ options: MachineOptions) { self.options = options }

  package func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    throw CancellationError()
  }

  package func removeDisk(folder: String) { try? FileManager.default.removeItem(atPath: folder) }
}
