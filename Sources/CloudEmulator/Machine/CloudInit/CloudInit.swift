internal import Foundation
internal import Processes

/// Does at every boot what cloud-init does, in its order: bootcmd, write_files, files that are deferred, runcmd.
struct CloudInit {
  private let loop: MachineLoop
  private let console: Console
  private let plan: MachinePlan
  private let environment: [String: String]
  private static let scripts = "/var/lib/cloud/instance/scripts"

  init(_ machine: MachineInit) {
    loop = machine.loop
    console = machine.console
    plan = machine.plan
    environment = machine.environment
  }

  func start(_ done: @escaping () -> Void) {
    guard let text = plan.userData else {
      note("no user-data")
      return done()
    }
    switch UserData(text) {
    case .invalid(let reason):
      note("the user-data is invalid, and was ignored: \(reason)")
      done()
    case .script(let script): run(script, as: "part-001", directly: true, done)
    case .cloudConfig(let config):
      for line in config.notes { note(line) }
      run(script(config.bootCommands), as: "bootcmd") {
        for file in config.files.filter({ !$0.isDeferred }) + config.files.filter(\.isDeferred) { write(file) }
        run(script(config.runCommands), as: "runcmd") {
          note("finished")
          done()
        }
      }
    }
  }

  private func note(_ text: String) { console.write("cloud-init: " + text) }

  private func script(_ commands: [String]) -> String? {
    commands.isEmpty ? nil : "#!/bin/sh\n" + commands.map { $0 + "\n" }.joined()
  }

  private func write(_ file: CloudConfig.File) {
    do {
      let content = try decoded(file)
      try makeFolders((file.path as NSString).deletingLastPathComponent, mode: 0o755)
      let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (file.appends ? O_APPEND : O_TRUNC)
      let descriptor = open(file.path, flags, 0o600)
      guard descriptor >= 0 else { throw SystemError("write \(file.path)") }
      defer { close(descriptor) }
      try content.withUnsafeBytes { try writeAll($0, to: descriptor) }
      fchmod(descriptor, mode_t(file.permissions))
      note("wrote \(file.path) (\(content.count) bytes)")
    } catch {
      note("\(file.path): \(error)")
    }
  }

  private func decoded(_ file: CloudConfig.File) throws -> [UInt8] {
    switch file.encoding {
    case .text: return Array(file.content.utf8)
    case .base64: return try base64(file.content)
    case .gzipBase64: return try gunzip(base64(file.content))
    case .gzip: return try gunzip(Array(file.content.utf8))
    }
  }

  private func base64(_ text: String) throws -> [UInt8] {
    guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else {
      throw MachineError("the content is not base64")
    }
    return Array(data)
  }

  private func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
    let path = "/run/dagrun/content.gz"
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    defer { unlink(path) }
    let result = try Spawn("gzip", ["-dc", path], environment: environment).run(timeout: 60, limitBytes: 256 << 20)
    guard result.status.isSuccess else { throw MachineError("the content is not what gzip makes: \(result.text(2))") }
    return result.captured[1] ?? []
  }

  /// Runs the script of a stage to its end. That a command of it fails stops nothing.
  private func run(_ script: String?, as name: String, directly: Bool = false, _ done: @escaping () -> Void) {
    guard let script else { return done() }
    do {
      try makeFolders(Self.scripts, mode: 0o755)
      let path = "\(Self.scripts)/\(name)"
      try writeText(script, to: path, mode: 0o700)
      let output = try OutputLines.open(loop) { [console] in console.write(Array("cloud-init: ".utf8) + $0) }
      defer { close(output) }
      var spawn = directly ? Spawn(path) : Spawn("/bin/sh", [path])
      spawn.environment = environment
      spawn.workingDirectory = "/"
      spawn.descriptors = [1: output, 2: output]
      spawn.group = .session
      let pid = try spawn.startConfined()
      loop.whenEnded(pid) { status in
        if !status.isSuccess { note("\(name) failed: \(status)") }
        done()
      }
    } catch {
      note("\(name): \(error)")
      done()
    }
  }
}
