internal import Foundation
internal import Processes

/// `dagrun virtual-machine ...`: the processes of a VM. Nothing but `ProcessMachines` and the VM itself start them.
///
///     run FOLDER      makes the VM's namespaces and its root, starts `init`, and ends with it
///     init            the VM's first process: boots, and is its systemd and its docker daemon
///     container       the first process of a container, until it executes the container's command
///     client NAME ARGUMENT...    `docker`, `systemctl` and the like: has `init` do it
package func virtualMachineMain(arguments: [String]) -> Never {
  switch arguments.first {
  case "run" where arguments.count == 2: runMachine(MachineFolder(path: arguments[1]))
  case "init" where arguments.count == 1: MachineInit.run()
  case "container" where arguments.count == 1: containerMain()
  case "client" where arguments.count >= 2: clientMain(name: arguments[1], Array(arguments.dropFirst(2)))
  default:
    FileHandle.standardError.write(Data("virtual-machine: only the emulator starts this\n".utf8))
    exit(64)
  }
}
