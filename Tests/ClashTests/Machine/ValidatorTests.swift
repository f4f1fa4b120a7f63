import Dagrun
import Foundation
import GoogleCloud
import Processes
import Testing

@testable import Clash
@testable import CloudEmulator

/// Others' programs judge what the VM gets.
@Suite struct ValidatorTests {
  static func path(_ tool: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/bin:/bin"
    let folders: [String] = path.split(separator: ":").map(String.init) + ["/usr/bin"]
    return folders.map { "\($0)/\(tool)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// A python that has cloud-init's own modules: the one that the system's cloud-init runs with.
  static let cloudInitPython: String? = {
    let candidates = [path("python3"), "/usr/bin/python3"].compactMap { $0 }
    return candidates.first { python in
      (try? Spawn(python, ["-c", "import cloudinit.config.cc_write_files"]).run(timeout: 30).status) == .exited(0)
    }
  }()

  static let strange = "a\tb\u{1}\u{7f}\r\n 'q' \"Q\" \\ $(touch x) `y` ; & | %s {{ ds }} ünï 🚀 \u{2028} - : # ---\n"

  static let spec = machineSpec(.script("#!/bin/sh\n" + strange)) {
    $0.environment = ["STRANGE": strange, strange: "x"]
    $0.outputs = ["/out \(strange.replacingOccurrences(of: "\r\n", with: "\n"))": "a-bucket/a b"]
    $0.config.labels = ["ünï": "x"]
    $0.mounts = ["a-bucket/it's \"$HOME\"": "/in 'put'"]
    $0.config.mountMethod = .gcsfuse
    $0.config.secrets = ["TOKEN": "a-secret"]
  }

  static func makeMachine() throws -> JobMachine {
    try JobMachine(
      request: JobRequest(name: "a-job", spec: spec, origin: JobOrigin(homeID: "home")), attempt: 1,
      offer: MachineOffer(scope: .zone("europe-west1-b"), machineType: "n1-standard-4", isSpot: false),
      imageLink: "projects/cos-cloud/global/images/cos", endpoints: Endpoints())
  }

  /// Runs a program in a folder that holds `files`.
  func run(_ program: String, _ arguments: [String], files: [String: String]) throws -> (CapturedProcess, String) {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-judge-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    for (name, text) in files { try Data(text.utf8).write(to: URL(fileURLWithPath: folder + "/" + name)) }
    return (try Spawn(program, arguments, workingDirectory: folder).run(timeout: 120), folder)
  }

  @Test(.enabled(if: path("cloud-init") != nil, "cloud-init is not installed"))
  func `cloud-init's schema takes the user-data`() throws {
    let (process, folder) = try run(
      Self.path("cloud-init")!, ["schema", "--config-file", "user-data"],
      files: ["user-data": Self.makeMachine().userData])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(process.status == .exited(0), "\(process.text(1)) \(process.text(2))")
    #expect(process.text(1).contains("Valid"))
    #expect(!process.text(1).contains("deprecat") && !process.text(2).contains("deprecat"))
  }

  @Test(.enabled(if: cloudInitPython != nil, "no python here has the modules of cloud-init"))
  func `cloud-init's own write_files writes what was asked, byte for byte`() throws {
    let machine = try Self.makeMachine()
    let script = """
      import getpass, grp, os, sys
      from cloudinit import util
      from cloudinit.config.cc_write_files import write_files
      files = util.load_yaml(open("user-data").read())["write_files"]
      for file in files: file["path"] = os.getcwd() + "/root" + file["path"]
      write_files("write_files", files, getpass.getuser() + ":" + grp.getgrgid(os.getgid()).gr_name)
      """
    let (process, folder) = try run(
      Self.cloudInitPython!, ["-c", script], files: ["user-data": machine.userData])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(process.status == .exited(0), "\(process.text(2))")
    for file in machine.files.all {
      let path = folder + "/root" + file.path
      #expect(FileManager.default.contents(atPath: path) == file.contents, "\(file.path)")
      let permissions = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
      #expect(permissions.map { "0" + String($0, radix: 8) } == file.permissions, "\(file.path)")
    }
    let written = try FileManager.default.subpathsOfDirectory(atPath: folder + "/root").filter {
      var isFolder: ObjCBool = false
      return FileManager.default.fileExists(atPath: folder + "/root/" + $0, isDirectory: &isFolder)
        && !isFolder.boolValue
    }
    #expect(written.count == machine.files.all.count)
  }

  @Test func `the user-data is plain ASCII, and its files with secrets are for root alone`() throws {
    let machine = try Self.makeMachine()
    #expect(machine.userData.utf8.allSatisfy { $0 == 10 || (32..<127).contains($0) })
    #expect(machine.userData.hasPrefix("#cloud-config\n"))
    for file in machine.files.all where file.path != MachineFiles.unitPath {
      #expect(["0600", "0700"].contains(file.permissions))
    }
    #expect(!machine.userData.contains("owner"))
  }

  @Test(.enabled(if: path("shellcheck") != nil, "shellcheck is not installed"))
  func `shellcheck has nothing to say`() throws {
    let machine = try Self.makeMachine()
    let entry = try #require(machine.files.values.first { $0.path.hasSuffix("/mount-entry") })
    let (process, folder) = try run(
      Self.path("shellcheck")!, ["--severity=style", "runner.sh", "mount-entry"],
      files: ["runner.sh": RunnerScript.text, "mount-entry": String(decoding: entry.contents, as: UTF8.self)])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(process.status == .exited(0), "\(process.text(1))")
    #expect(process.text(1) + process.text(2) == "")
  }

  @Test func `the emulator honours all of the unit`() throws {
    let unit = try UnitFile(name: MachineFiles.unitName, text: Self.makeMachine().files.unit)
    #expect(unit.notes == [])
    #expect(unit.command == ["/bin/bash", "/var/lib/dagrun/a-job/runner.sh"])
    #expect(unit.stopTimeoutSeconds == Double(JobUnit.stopSeconds))
  }

  @Test(.enabled(if: path("systemd-analyze") != nil, "systemd-analyze is not installed"))
  func `systemd has nothing to say about the unit`() throws {
    let (process, folder) = try run(
      Self.path("systemd-analyze")!, ["verify", "--man=no", MachineFiles.unitName],
      files: [MachineFiles.unitName: Self.makeMachine().files.unit])
    defer { try? FileManager.default.removeItem(atPath: folder) }
    #expect(process.status == .exited(0))
    #expect(process.text(2) == "")
  }
}
