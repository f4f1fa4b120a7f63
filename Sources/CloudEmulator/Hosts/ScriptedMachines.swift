internal import Foundation
internal import Synchronization

/// VMs whose program is a closure: for tests, in which no process is to run.
///
/// A VM is on until its script calls `powerOff`, or it is told to go off; it goes off at once then, unless the script
/// has asked to be let to the end of the grace period (`lingers`).
package final class ScriptedMachines: VirtualMachineHost {
  private let script: @Sendable (ScriptedMachine) async -> Void
  private let lingers: Bool
  private let booted = Mutex<[ScriptedMachine]>([])

  package init(lingers: Bool = false, _ script: @escaping @Sendable (ScriptedMachine) async -> Void) {
    self.lingers = lingers
    self.script = script
  }

  /// Every VM that was ever booted, in order.
  package var machines: [ScriptedMachine] { booted.withLock(\.self) }

  package func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    let machine = ScriptedMachine(machine, lingers: lingers, events: events)
    booted.withLock { $0.append(machine) }
    events(.booted)
    Task { [script] in await script(machine) }
    return machine
  }

  package func removeDisk(folder: String) {}
}

package final class ScriptedMachine: VirtualMachine {
  package let description: VirtualMachineDescription
  /// What it is told, in order; ends with the machine.
  package let signals: AsyncStream<Signal>
  private let continuation: AsyncStream<Signal>.Continuation
  private let events: @Sendable (VirtualMachineEvent) -> Void
  private let lingers: Bool
  private let state = Mutex(State())

  private struct State {
    var isOn = true
    var serialOutput = ""
  }

  package enum Signal: Hashable, Sendable {
    case preempted(graceSeconds: Double)
    case shutDown(graceSeconds: Double)
  }

  init(
    _ description: VirtualMachineDescription, lingers: Bool, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) {
    self.description = description
    self.lingers = lingers
    self.events = events
    (signals, continuation) = AsyncStream.makeStream(of: Signal.self)
  }

  /// As `poweroff` on the VM.
  package func powerOff() { end(.poweredOff) }

  package func print(_ text: String) { state.withLock { $0.serialOutput += text } }

  package var serialOutput: String { state.withLock(\.serialOutput) }

  package func preempt(graceSeconds: Double) {
    continuation.yield(.preempted(graceSeconds: graceSeconds))
    if !lingers { end(.poweredOff) }
  }

  package func shutDown(graceSeconds: Double) {
    continuation.yield(.shutDown(graceSeconds: graceSeconds))
    if !lingers { end(.poweredOff) }
  }

  package func kill() { end(.killed) }

  private func end(_ end: VirtualMachineEnd) {
    let wasOn = state.withLock { state in
      defer { state.isOn = false }
      return state.isOn
    }
    guard wasOn else { return }
    continuation.finish()
    events(.ended(end))
  }
}
