internal import CLinux
internal import Foundation
internal import Processes

/// What programs need of this machine's /etc. None of its secrets, and nothing that says whose machine it is.
enum EtcFiles {
  private static let files = [
    "passwd", "group", "nsswitch.conf", "resolv.conf", "host.conf", "gai.conf", "protocols", "services", "localtime",
    "timezone", "mime.types", "os-release", "ld.so.cache", "ld.so.conf", "bash.bashrc", "profile", "inputrc", "shells",
    "login.defs", "magic", "environment", "locale.conf", "debian_version",
  ]
  private static let folders = [
    "ssl", "pki", "ca-certificates", "alternatives", "ld.so.conf.d", "fonts", "perl", "python3", "terminfo",
    "crypto-policies",
  ]

  static func copy(from source: String, to target: String, hostName: String) throws {
    for name in files {
      guard let bytes = readWholeFile("\(source)/\(name)") else { continue }
      try write(bytes, to: "\(target)/\(name)")
    }
    try writeText(hostName + "\n", to: target + "/hostname")
    try writeText("127.0.0.1 localhost \(hostName)\n::1 localhost\n", to: target + "/hosts")
    try makeFolders(target + "/systemd/system", mode: 0o755)
    try makeFolders(target + "/docker", mode: 0o755)
    symlink("/proc/self/mounts", target + "/mtab")
  }

  static func bindFolders(from source: String, to target: String) throws {
    let manager = FileManager.default
    // Java, Python and others keep one folder for each version.
    let versions = ((try? manager.contentsOfDirectory(atPath: source)) ?? []).filter {
      $0.hasPrefix("java-") || $0.hasPrefix("python3.")
    }
    for name in folders + versions.sorted() where access("\(source)/\(name)", F_OK) == 0 {
      try makeFolders("\(target)/\(name)", mode: 0o755)
      try bindFolder("\(source)/\(name)", "\(target)/\(name)", readOnly: true)
    }
  }

  private static func write(_ bytes: [UInt8], to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { throw SystemError("write \(path)") }
    defer { close(descriptor) }
    try bytes.withUnsafeBytes { try writeAll($0, to: descriptor) }
  }
}
