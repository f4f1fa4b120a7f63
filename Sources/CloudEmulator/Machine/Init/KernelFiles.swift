internal import CLinux
internal import Foundation
internal import Processes

/// What a VM's kernel would show, mounted by its first process.
enum KernelFiles {
  /// - Returns: what could not be had, for the console.
  static func mount(_ plan: MachinePlan) throws -> [String] {
    var notes: [String] = []
    if clinux_set_host_name(plan.hostName) != 0 { notes.append("the host name is this machine's") }
    if clinux_mount_new("proc", "/proc", "") != 0 {
      notes.append("/proc is this machine's: the kernel gives no other one here")
    }
    if !SystemFolders.overlay(MachineRoot.ownUsr) {
      notes.append("the VM's own programs are found by PATH only, not in /usr/bin: the kernel has no overlay here")
    }
    try check(clinux_make_read_only("/", 0), "make the root read-only")
    // All mounts so far belong to another namespace then, and stay as they are.
    if clinux_enter_user_namespace() != 0 {
      guard geteuid() == 0, clinux_unshare(Int32(CLINUX_NAMESPACE_MOUNT.rawValue)) == 0 else {
        throw SystemError("lock the mounts of the VM")
      }
    }
    try check(clinux_make_mounts_private(), "make mounts private")
    try bindFolder("/proc/sys", "/proc/sys", readOnly: true)
    try bindFolder("/run/dagrun/boot_id", "/proc/sys/kernel/random/boot_id", readOnly: true)
    try MachineRoot.prepareVar()
    return notes
  }
}
