import CloudEmulator
import Dispatch
import Foundation

// `virtual-machine ...`: a process of a VM, as `dagrun` itself is.
// `emulate FOLDER USER-DATA-FILE`: boots one VM and waits for its end, telling both on standard output. Tests kill it,
// or run it as another user.
let arguments = Array(CommandLine.arguments.dropFirst())
switch arguments.first {
case "virtual-machine": virtualMachineMain(arguments: Array(arguments.dropFirst()))
case "emulate" where arguments.count == 3:
  emulate(folder: arguments[1], userData: arguments[2])
default: exit(64)
}

func emulate(folder: String, userData: String) -> Never {
  var options = MachineOptions(program: ["/proc/self/exe", "virtual-machine"]) { _, _ in
    MachineToken(value: "token", expiresAt: Date() + 3600)
  }
  options.program[0] = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
  let text = (try? String(contentsOfFile: userData, encoding: .utf8)) ?? ""
  let machine = VirtualMachineDescription(
    project: "p", zone: "z-a", name: "vm", id: 1, machineType: "n1-standard-1", isSpot: false,
    metadata: ["user-data": text], serviceAccount: "default", scopes: [], folder: folder)
  do {
    let running = try ProcessMachines(options).boot(machine) { event in
      print(event)
      fflush(nil)
      if case .ended = event { exit(0) }
    }
    withExtendedLifetime(running) { dispatchMain() }
  } catch {
    print(error)
    exit(1)
  }
}
