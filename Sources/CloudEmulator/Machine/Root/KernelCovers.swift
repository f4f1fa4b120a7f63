internal import CLinux
internal import Foundation
internal import Processes

/// What of /proc speaks of this machine, or changes it, and is not seen in a VM. As docker has it, and some more.
enum KernelCovers {
  static let folders = ["acpi", "asound", "bus", "driver", "fs", "irq", "scsi", "tty"].map { "/proc/" + $0 }
  static let files = [
    "config.gz", "interrupts", "iomem", "ioports", "kallsyms", "kcore", "key-users", "keys", "kmsg", "kpagecgroup",
    "kpagecount", "kpageflags", "latency_stats", "mtrr", "sched_debug", "schedstat", "slabinfo", "sysrq-trigger",
    "timer_list", "timer_stats", "vmallocinfo",
  ].map { "/proc/" + $0 }
  static let readOnly = "/proc/sys"
  static let bootID = "/proc/sys/kernel/random/boot_id"

  /// In a VM: what lies over the others. Below it is a /proc that nothing covers, which nobody reaches: the kernel lets
  /// a container have a /proc of its own only where such a one is.
  private static let place = "/.kernel"
  static var emptyFolder: String { place + "/folder" }
  static var emptyFile: String { place + "/file" }

  /// In the VM, once /proc is mounted.
  static func lay() throws {
    for path in [place, place + "/uncovered"] { try makeFolders(path, mode: 0o700) }
    try check(clinux_mount_new("proc", place + "/uncovered", ""), "mount /proc once more")
    try check(clinux_mount_new("tmpfs", place, "mode=755,size=4k"), "mount \(place)")
    try makeFolders(emptyFolder, mode: 0o555)
    try writeText("", to: emptyFile, mode: 0)
    try check(clinux_make_read_only(place, 0), "make \(place) read-only")
    try bindFolder(readOnly, readOnly, readOnly: true)
    try bindFolder("/run/dagrun/boot_id", bootID, readOnly: true)
    for path in folders where access(path, F_OK) == 0 { try bindFolder(emptyFolder, path, readOnly: true) }
    for path in files where access(path, F_OK) == 0 { try bindFolder(emptyFile, path, readOnly: true) }
  }
}
