internal import Glibc

/// `dagrun virtual-machine ...`: the processes of a VM. Nothing but `ProcessMachines` and the VM itself start them.
package func virtualMachineMain(arguments: [String]) -> Never { exit(64) }
