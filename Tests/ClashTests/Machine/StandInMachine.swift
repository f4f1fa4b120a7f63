import Dagrun
import Foundation
import GoogleCloud
import Processes
import Testing
import WaitSupport
import Yams

@testable import Clash

/// A VM for the runner: its files as the user-data has them, below a folder, and stand-ins for docker and systemd.
final class StandInMachine {
  let cloud: StandInCloud
  let folder: String
  let machine: JobMachine
  private var pid: pid_t?
  private var process: ProcessDescriptor?

  /// - Parameter program: bash that stands for what the container runs; `$INSIDE` is its /dagrun.
  init(_ spec: JobSpec, isDetached: Bool = false, program: String = "exit 0") throws {
    cloud = try StandInCloud()
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-machine-\(UUID().uuidString)").path
    var request = JobRequest(name: "a-job", spec: spec, origin: JobOrigin(homeID: "home"))
    request.isDetached = isDetached
    machine = try JobMachine(
      request: request, attempt: 3,
      offer: MachineOffer(scope: .zone("europe-west1-b"), machineType: "n1-standard-4", isSpot: true),
      imageLink: "projects/cos-cloud/global/images/cos", endpoints: cloud.endpoints)
    try FileManager.default.createDirectory(atPath: folder + "/bin", withIntermediateDirectories: true)
    try FileManager.default.createDirectory(atPath: folder + "/home", withIntermediateDirectories: true)
    try write("program", program)
    try write("home/.curlrc", "connect-to = \"metadata.google.internal:80:127.0.0.1:\(cloud.port)\"\n")
    try addTool("docker", DockerStandIn.script.replacingOccurrences(of: "@WORLD@", with: folder))
    try addTool("systemctl", "#!/bin/bash\nprintf '%s\\n' \"$*\" >>'\(folder)/systemctl'\n")
    for item in machine.template.properties.metadata?.items ?? [] {
      cloud.change { $0.attributes[item.key] = item.value }
    }
    try writeFiles()
  }

  /// `DAGRUN_KEEP_MACHINES` leaves the folder, for a look at what went wrong.
  func remove() {
    if let pid {
      kill(-pid, SIGKILL)
      _ = waitForChild(pid)
    }
    cloud.close()
    if ProcessInfo.processInfo.environment["DAGRUN_KEEP_MACHINES"] == nil {
      try? FileManager.default.removeItem(atPath: folder)
    }
  }

  func write(_ file: String, _ text: String) throws {
    try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + file))
  }

  func addTool(_ name: String, _ script: String) throws {
    try write("bin/" + name, script)
    try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: folder + "/bin/" + name)
  }

  /// As cloud-init does, at each boot.
  private func writeFiles() throws {
    let config = try #require(try Yams.load(yaml: machine.userData) as? [String: Any])
    for file in try #require(config["write_files"] as? [[String: Any]]) {
      let path = folder + "\(file["path"] ?? "")"
      let base64 = try #require(file["content"] as? String)
      let contents = try #require(Data(base64Encoded: base64))
      try FileManager.default.createDirectory(
        atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try contents.write(to: URL(fileURLWithPath: path))
    }
  }

  /// Starts the runner, as systemd does after each boot.
  func boot(_ variables: [String: String] = [:]) throws {
    let environment = [
      "PATH": "\(folder)/bin:/usr/local/bin:/usr/bin:/bin", "HOME": "\(folder)/home", "DAGRUN_LOG_SECONDS": "0.1",
      "DAGRUN_RETRY_SECONDS": "0", "DAGRUN_LINGER_SECONDS": "0", "DAGRUN_CONSOLE_SECONDS": "0",
      "DAGRUN_FLUSH_SECONDS": "20",
    ]
    var spawn = Spawn(
      "/bin/bash", ["\(folder)/var/lib/dagrun/a-job/runner.sh"], environment: environment.merging(variables) { $1 })
    spawn.group = .session
    let output = open(folder + "/console", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    defer { close(output) }
    spawn.descriptors = [1: output, 2: output]
    let started = try spawn.start()
    pid = started
    process = try ProcessDescriptor(pid: started)
  }

  func sendTerminate() { process?.signal(SIGTERM) }

  /// As when the power goes.
  func cutPower() {
    guard let pid else { return }
    kill(-pid, SIGKILL)
    _ = waitForChild(pid)
    self.pid = nil
  }

  /// Waits until the runner has left.
  func end() throws {
    guard let pid, let process else { return }
    #expect(process.hasEnded(within: 20_000), "the runner does not end: \(console)")
    kill(-pid, SIGKILL)
    let ended = waitForChild(pid)
    self.pid = nil
    #expect(ended?.status == .exited(0), "\(console)")
  }

  func run(_ variables: [String: String] = [:]) throws {
    try boot(variables)
    try end()
  }

  /// What the runner calls its container.
  let container = "dagrun-a-job-3"

  /// Waits until it is there; false when it has not come within half a minute.
  func waitForFile(_ file: String) -> Bool {
    wait(forChangesIn: ((folder + "/" + file) as NSString).deletingLastPathComponent, seconds: 30) { data(file) != nil }
  }

  var console: String { text("console") }

  func data(_ file: String) -> Data? { FileManager.default.contents(atPath: folder + "/" + file) }
  func text(_ file: String) -> String { String(decoding: data(file) ?? Data(), as: UTF8.self) }

  /// Values that are each followed by a zero byte.
  func values(_ file: String) -> [String] {
    (data(file) ?? Data()).split(separator: 0, omittingEmptySubsequences: false).dropLast().map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  var messages: [StandInCloud.Message] { cloud.read { $0.messages } }
  func messages(_ kind: String) -> [StandInCloud.Message] { messages.filter { $0.kind == kind } }

  /// The result as the client reads it; exactly one is expected.
  func result(sourceLocation: Testing.SourceLocation = #_sourceLocation) throws -> MachineResult {
    let results = messages("result")
    try #require(results.count == 1, "\(console)", sourceLocation: sourceLocation)
    return try JSONDecoder().decode(MachineResult.self, from: results[0].data)
  }

  /// What the log messages say, put together by their offsets.
  var log: Data {
    var log = Data()
    for message in messages("log").sorted(by: { Int($0.attributes["offset"]!)! < Int($1.attributes["offset"]!)! }) {
      #expect(Int(message.attributes["offset"] ?? "") == log.count)
      log += message.data
    }
    return log
  }
}
