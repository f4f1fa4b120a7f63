import Foundation
import Processes
import Testing

@testable import CloudEmulator

/// A folder of a test's own, removed with it.
final class TestFolder: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "dagrun-machine-" + UUID().uuidString
    try? makeFolders(path)
  }

  deinit { removeFolder(path) }

  /// Puts a pipe on the disk that a VM will have, before it boots: /var/ready.
  func prepareDisk() {
    try? makeFolders(path + "/vm/disk/var")
    mkfifo(path + "/vm/disk/var/ready", 0o600)
  }

  func ready() async {
    let ready = path + "/vm/disk/var/ready"
    await Task.detached { _ = readWholeFile(ready) }.value
  }
}

/// A VM that a test boots.
final class TestMachine: Sendable {
  let folder: TestFolder
  let machine: any VirtualMachine
  private let events: AsyncStream<VirtualMachineEvent>

  static let fixture = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
    .appendingPathComponent("MachineFixture").path

  init(
    userData: String?, folder: TestFolder = TestFolder(), metadata: [String: String] = [:], isSpot: Bool = false,
    missingImages: Set<String> = [], storageEndpoint: String? = nil
  ) throws {
    self.folder = folder
    folder.prepareDisk()
    var options = MachineOptions(program: [Self.fixture, "virtual-machine"]) { account, scopes in
      MachineToken(value: "token of \(account) for \(scopes.joined(separator: "+"))", expiresAt: Date() + 3600)
    }
    options.missingImages = missingImages
    options.storageEndpoint = storageEndpoint
    var description = VirtualMachineDescription(
      project: "my-project", zone: "europe-west1-b", name: "job-1-x2y4", id: 4_242, machineType: "n1-standard-4",
      isSpot: isSpot, metadata: metadata, serviceAccount: "vm@my-project.iam.gserviceaccount.com",
      scopes: ["https://www.googleapis.com/auth/cloud-platform"], folder: folder.path + "/vm")
    description.metadata["user-data"] = userData
    description.projectNumber = 99
    let (events, continuation) = AsyncStream.makeStream(of: VirtualMachineEvent.self)
    self.events = events
    machine = try ProcessMachines(options).boot(description) { event in
      continuation.yield(event)
      if case .ended = event { continuation.finish() }
    }
  }

  /// Runs the script at its boot, and powers off.
  convenience init(script: String, folder: TestFolder = TestFolder(), missingImages: Set<String> = []) throws {
    try self.init(
      userData: Self.userData(script: script + "\npoweroff\n"), folder: folder, missingImages: missingImages)
  }

  static func userData(script: String, more: String = "") -> String {
    """
    #cloud-config
    write_files:
    - path: /var/test.sh
      encoding: b64
      content: \(Data(script.utf8).base64EncodedString())
    \(more)
    runcmd:
    - mkdir -p /var/out
    - cd /var/out && bash /var/test.sh
    """
  }

  /// All events to the end, which is the last.
  @discardableResult
  func end() async -> [VirtualMachineEvent] {
    var all: [VirtualMachineEvent] = []
    for await event in events { all.append(event) }
    return all
  }

  var console: String { machine.serialOutput }

  /// A file of the VM's disk, below /var/out.
  func output(_ name: String) -> String? {
    let path = "\(folder.path)/vm/disk/var/out/\(name)"
    return (try? String(contentsOfFile: path, encoding: .utf8))?.trimmingCharacters(in: .newlines)
  }

  /// Waits until a script of the VM writes to /var/ready.
  func ready() async { await folder.ready() }
}

/// Whether VMs can be had on this machine: a VM's root is made, and left again.
let canRunMachines: Bool = {
  let folder = TestFolder()
  let path = folder.path + "/user-data"
  try? "#cloud-config\nbootcmd: [poweroff]\n".write(toFile: path, atomically: true, encoding: .utf8)
  let spawn = Spawn(TestMachine.fixture, ["emulate", folder.path + "/vm", path])
  return (try? spawn.run(timeout: 30))?.text(1).contains("poweredOff") ?? false
}()

let needsMachines: Comment = "this system gives no namespaces to this user: VMs cannot run, and are NOT TESTED"
