internal import Foundation

/// VMs that are process trees on this machine, each in namespaces and a folder of its own.
///
/// A VM ends with the process that has started it, whatever ends that: its first process holds a pipe of which this one
/// has the other end.
package final class ProcessMachines: VirtualMachineHost {
  private let options: MachineOptions
  /// Why there is none, is said when a VM is asked for.
  private let watch: Result<MachineWatch, any Error>

  package init(_ options: MachineOptions) {
    self.options = options
    watch = Result { try MachineWatch() }
    signal(SIGPIPE, SIG_IGN)
  }

  package func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    let watch = try watch.get()
    let metadata = try MetadataServer.start(
      InstanceMetadata(machine), identity: .of(machine.folder), issueToken: options.issueToken)
    let running = RunningMachine(machine, options: options, watch: watch, metadata: metadata, events: events)
    do {
      try running.start()
    } catch {
      metadata.stop()
      throw error
    }
    return running
  }

  package func removeDisk(folder: String) { removeFolder(folder) }
}
