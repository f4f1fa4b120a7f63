internal import Foundation
internal import Logging
internal import Synchronization

/// The VMs that are on. Does what the emulated Compute Engine commands, in order, beside the event loop: to start one
/// takes its time.
final class MachineSupervisor: Sendable {
  private let host: any VirtualMachineHost
  private let queue = DispatchQueue(label: "dagrun.emulator.machines")
  private let machines = Mutex<[UInt64: any VirtualMachine]>([:])
  /// Of VMs that were booted, on or off: kept until Compute Engine forgets them.
  private let folders = Mutex<[UInt64: String]>([:])
  /// Why VMs are off that nobody has told to be.
  private let failures = Mutex<[UInt64: String]>([:])
  private let logger: Logger

  init(host: any VirtualMachineHost, logger: Logger) {
    self.host = host
    self.logger = logger
  }

  /// - Parameter events: called on any thread.
  func perform(_ command: HostCommand, events: @escaping @Sendable (UInt64, VirtualMachineEvent) -> Void) {
    queue.async { [self] in
      switch command {
      case .boot(let description): boot(description, events)
      case .preempt(let id, let graceSeconds): machine(id)?.preempt(graceSeconds: graceSeconds)
      case .shutDown(let id, let graceSeconds): machine(id)?.shutDown(graceSeconds: graceSeconds)
      case .kill(let id): machine(id)?.kill()
      case .forget(let id):
        machines.withLock { $0[id] = nil }
        _ = failures.withLock { $0.removeValue(forKey: id) }
        if let folder = folders.withLock({ $0.removeValue(forKey: id) }) { host.removeDisk(folder: folder) }
      }
    }
  }

  private func boot(
    _ description: VirtualMachineDescription, _ events: @escaping @Sendable (UInt64, VirtualMachineEvent) -> Void
  ) {
    let id = description.id
    folders.withLock { $0[id] = description.folder }
    let told: @Sendable (VirtualMachineEvent) -> Void = { [self] event in
      if case .ended(.failed(let reason)) = event {
        failures.withLock { $0[id] = reason }
        logger.error("a VM has failed", metadata: ["instance": "\(description.name)", "reason": "\(reason)"])
      }
      events(id, event)
    }
    do {
      let machine = try host.boot(description, events: told)
      machines.withLock { $0[id] = machine }
    } catch {
      told(.ended(.failed("\(error)")))
    }
  }

  private func machine(_ id: UInt64) -> (any VirtualMachine)? { machines.withLock { $0[id] } }

  func serialOutput(_ id: UInt64) -> String {
    let output = machine(id)?.serialOutput ?? ""
    guard let reason = failures.withLock({ $0[id] }) else { return output }
    return output + (output.isEmpty || output.hasSuffix("\n") ? "" : "\n") + "dagrun: the VM has failed: \(reason)\n"
  }

  /// Kills all that are on, after whatever was commanded before.
  func killAll() {
    queue.sync { for machine in machines.withLock({ Array($0.values) }) { machine.kill() } }
  }
}
