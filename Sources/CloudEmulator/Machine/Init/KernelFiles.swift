internal import CLinux
internal import Foundation
internal import Processes

/// What a VM's kernel would show, mounted by its first process.
enum KernelFiles {
  /// - Returns: what could not be had, for the console.
  static func mount(_ plan: MachinePlan) throws -> [String] {
    var notes: [String] = []
    if clinux_set_host_name(plan.hostName) != 0 { notes.append("the host name is this machine's") }
    try check(clinux_mount_new("proc", "/proc", ""), "mount /proc")
    if !SystemFolders.overlay(MachineRoot.ownUsr) {
      notes.append("the VM's own programs are found by PATH only, not in /usr/bin: the kernel has no overlay here")
    }
    try KernelCovers.lay()
    try check(clinux_make_read_only("/", 0), "make the root read-only")
    // The border. All mounts so far belong to another namespace then, and stay as they are; ids are those of nobody.
    let identity = plan.identity
    guard clinux_enter_user_namespace(identity.first, identity.count) == 0 else {
      throw MachineError.noUserNamespace(errno)
    }
    try check(clinux_make_mounts_private(), "make mounts private")
    try check(clinux_forbid_kernel_changes(), "forbid system calls (this needs a kernel with seccomp)")
    try MachineRoot.prepareVar()
    return notes
  }
}
