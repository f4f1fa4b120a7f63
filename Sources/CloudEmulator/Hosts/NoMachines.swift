internal import Foundation

/// VMs that are on, and do nothing (`--machines none`).
package struct NoMachines: VirtualMachineHost {
  package init() {}

  package func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    events(.booted)
    return IdleMachine(events: events)
  }

  package func removeDisk(folder: String) {}

  private final class IdleMachine: VirtualMachine {
    let events: @Sendable (VirtualMachineEvent) -> Void
    init(events: @escaping @Sendable (VirtualMachineEvent) -> Void) { self.events = events }
    func preempt(graceSeconds: Double) { events(.ended(.poweredOff)) }
    func shutDown(graceSeconds: Double) { events(.ended(.poweredOff)) }
    func kill() { events(.ended(.killed)) }
    var serialOutput: String { "" }
  }
}
