internal import CLinux
internal import Foundation
internal import Processes

/// The folders of this machine that VMs and containers see, all read-only: its programs and the kernel's own.
enum SystemFolders {
  /// Programs, below the root. Other systems keep theirs in one folder of their own.
  private static let programs = [
    "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "gnu", "sys/devices/system/cpu",
    "sys/devices/system/node",
  ]

  /// Whether a path of this machine is the same file in a VM.
  static func show(_ path: String) -> Bool { programs.contains { path.hasPrefix("/\($0)/") } }

  static func bind(into root: String) throws {
    for name in programs {
      let source = "/" + name
      let target = root + source
      if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: source) {
        symlink(link, target)
      } else if access(source, F_OK) == 0 {
        try makeFolders(target, mode: 0o755)
        try bindFolder(source, target, readOnly: true)
      }
    }
  }

  /// Puts programs of the VM's own beside those of this machine, in place of any of the same name.
  ///
  /// - Returns: whether the kernel can do that.
  static func overlay(_ programs: String) -> Bool {
    clinux_mount_new("overlay", "/usr", "lowerdir=\(programs):/usr") == 0
  }
}

enum Devices {
  private static let names = ["null", "zero", "full", "random", "urandom", "tty"]
  private static let links = [
    "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
  ]

  /// A folder for shared memory, and the devices that need no hardware.
  static func make(in folder: String, from source: String, sharedMemory: String = "64m", owner: UInt32 = 0) throws {
    let options = owner == 0 ? "" : ",uid=\(owner),gid=\(owner)"
    try check(clinux_mount_new("tmpfs", folder, "mode=755,size=1m\(options)"), "mount \(folder)")
    for name in names where access("\(source)/\(name)", F_OK) == 0 {
      try writeText("", to: "\(folder)/\(name)")
      try bindFolder("\(source)/\(name)", "\(folder)/\(name)")
    }
    for (name, target) in links.sorted(by: { $0.key < $1.key }) { symlink(target, "\(folder)/\(name)") }
    try makeFolders(folder + "/shm", mode: 0o1777)
    try check(
      clinux_mount_new("tmpfs", folder + "/shm", "mode=1777,size=\(sharedMemory)"), "mount \(folder)/shm")
  }
}
