internal import CLinux
internal import Foundation
internal import Processes

/// The file system of a VM: this machine's programs, read-only, and everything else below the VM's folder.
struct MachineRoot {
  var folder: MachineFolder
  var plan: MachinePlan

  /// This program, as it is seen in the VM.
  static let program = "/run/dagrun/machine"
  static let commandSocket = "/run/dagrun/machine.sock"
  private static let libraries = "/run/dagrun/lib"
  /// Laid over /usr.
  static let ownUsr = "/run/dagrun/usr"

  /// What processes of a VM have in their environment when nobody says otherwise.
  static func environment(_ plan: MachinePlan) -> [String: String] {
    var environment = [
      "PATH": "\(ownUsr)/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      "LANG": "C.UTF-8",
      "CURL_HOME": "/run/dagrun",
      "GCE_METADATA_HOST": plan.metadataAddress,
    ]
    if FileManager.default.fileExists(atPath: libraries) { environment["LD_LIBRARY_PATH"] = libraries }
    return environment
  }

  /// Builds it below `folder.root` and makes it the root of this process.
  func build() throws {
    try prepareFolders()
    try EtcFiles.copy(from: "/etc", to: folder.boot + "/etc", hostName: plan.hostName)
    try writeOwnFiles()
    // What this one has made, the VM's root must be able to change.
    try plan.identity.give(folder.boot)
    for name in ["var", "home"] { try plan.identity.giveOnce("\(folder.disk)/\(name)") }

    let root = folder.root
    try check(clinux_mount_new("tmpfs", root, "mode=755,size=1m"), "mount the root of the VM at \(root)")
    for name in [
      "usr", "opt", "sys", ".kernel", "proc", "dev", "etc", "run", "root", "mnt", "tmp", "var", "home", "media", "srv",
    ] {
      try makeFolders(root + "/" + name, mode: 0o755)
    }
    try SystemFolders.bind(into: root)
    // The first process mounts another one over it. The kernel allows that only where one is in sight.
    try bindFolder("/proc", root + "/proc")
    try Devices.make(in: root + "/dev", from: "/dev", owner: plan.identity.first)
    for name in ["etc", "run", "root", "mnt", "tmp"] { try bindFolder("\(folder.boot)/\(name)", "\(root)/\(name)") }
    for name in ["var", "home"] { try bindFolder("\(folder.disk)/\(name)", "\(root)/\(name)") }
    // While this machine's folders are in sight.
    try EtcFiles.bindFolders(from: "/etc", to: root + "/etc")
    try bindProgram(root)

    guard clinux_enter_root(root) == 0 else {
      let error = SystemError("enter the root of the VM")
      throw MachineError("\(error). No VM can be had in a chroot; run the emulator outside, or with --machines none")
    }
    try check(clinux_leave_old_root(), "leave this machine's root")
  }

  private func prepareFolders() throws {
    for name in ["etc", "tmp", "run/dagrun", "run/lock", "root", "mnt/disks"] {
      try makeFolders("\(folder.boot)/\(name)", mode: 0o755)
    }
    // What is below them is the VM's: after its first boot a path may lead anywhere, and is followed only inside.
    for name in ["var", "home"] { try makeFolders("\(folder.disk)/\(name)", mode: 0o755) }
    chmod(folder.boot + "/tmp", 0o1777)
    chmod(folder.boot + "/root", 0o700)
    try makeFolders(folder.root)
  }

  /// The folders of /var and its links; called in the VM.
  static func prepareVar() throws {
    for name in ["lib/docker", "lib/cloud", "lib/google", "log", "tmp", "cache", "spool"] {
      try makeFolders("/var/" + name, mode: 0o755)
    }
    chmod("/var/tmp", 0o1777)
    symlink("/run", "/var/run")
    symlink("/run/lock", "/var/lock")
    // As on Container-Optimized OS: no program is executed from the disk, but in these folders.
    try check(clinux_set_executable("/var", 0), "forbid programs in /var")
    for name in ["/var/lib/docker", "/var/lib/cloud", "/var/lib/google", "/var/lib/nvidia"] {
      try makeFolders(name, mode: 0o755)
      try bindFolder(name, name)
      try check(clinux_set_executable(name, 1), "allow programs in \(name)")
    }
  }

  private func writeOwnFiles() throws {
    let own = folder.boot + "/run/dagrun"
    var curl = """
      connect-to = "metadata.google.internal:80:\(plan.metadataAddress)"
      connect-to = "169.254.169.254:80:\(plan.metadataAddress)"

      """
    // Curl takes the first that fits. Nothing listens at the port.
    if plan.isCutOff { curl += "connect-to = \"::127.0.0.1:1\"\n" }
    for path in [own + "/.curlrc", folder.boot + "/root/.curlrc"] { try writeText(curl, to: path) }
    try writeText(plan.bootID + "\n", to: own + "/boot_id", mode: 0o444)
    for (name, script) in Shims.scripts(plan) {
      // In place of any program of that name, wherever this machine has it.
      for place in ["bin", "sbin", "local/bin"] {
        try makeFolders("\(own)/usr/\(place)", mode: 0o755)
        try writeText(script, to: "\(own)/usr/\(place)/\(name)", mode: 0o755)
      }
    }
  }

  /// This program and the libraries that it has from places that are not seen in the VM.
  private func bindProgram(_ root: String) throws {
    let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    try checkProgram(executable)
    var status = stat()
    if stat(executable, &status) == 0, status.st_mode & 0o005 != 0o005, plan.identity.first != 0 {
      // Only root may read it, and the VM's root is another.
      try FileManager.default.copyItem(atPath: executable, toPath: root + Self.program)
      chmod(root + Self.program, 0o755)
    } else {
      try bindFile(executable, root + Self.program)
    }
    for line in String(decoding: readWholeFile("/proc/self/maps") ?? [], as: UTF8.self).split(separator: "\n") {
      guard let slash = line.firstIndex(of: "/") else { continue }
      let path = String(line[slash...])
      let name = (path as NSString).lastPathComponent
      guard name.contains(".so"), !SystemFolders.show(path) else { continue }
      try makeFolders(root + Self.libraries, mode: 0o755)
      let target = "\(root)\(Self.libraries)/\(name)"
      if !FileManager.default.fileExists(atPath: target) { try bindFile(path, target) }
    }
  }
}

func check(_ result: Int32, _ operation: @autoclosure () -> String) throws {
  if result != 0 { throw SystemError(operation(), code: errno) }
}

func bindFolder(_ source: String, _ target: String, readOnly: Bool = false) throws {
  try check(clinux_bind(source, target), "mount \(source) at \(target)")
  if readOnly {
    try check(clinux_make_read_only(target, 1), "make \(target) read-only (this needs Linux 5.12 or later)")
  }
}

/// For a target that is not there yet.
func bindFile(_ source: String, _ target: String) throws {
  try writeText("", to: target)
  try bindFolder(source, target, readOnly: true)
}

func writeText(_ text: String, to path: String, mode: mode_t = 0o644) throws {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode)
  guard descriptor >= 0 else { throw SystemError("write \(path)") }
  defer { close(descriptor) }
  fchmod(descriptor, mode)
  var text = text
  try text.withUTF8 { try writeAll(UnsafeRawBufferPointer($0), to: descriptor) }
}
