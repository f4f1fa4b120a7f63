import CloudEmulator
import Foundation

extension Doctor {
  /// The emulator's VMs need more of this machine than anything else does, and are needed by nothing but the emulator.
  func examineMachines() async -> Finding {
    let subject = "emulator"
    let program = [EmulatorStartCommand.executable, "virtual-machine"]
    guard let problem = await MachineProbe.problem(program: program, in: NSTemporaryDirectory()) else {
      return .good(subject, "its VMs can boot here")
    }
    return .warning(subject, "its VMs cannot boot here: \(problem)", "jobs on Google's Compute Engine do not need that")
  }
}
