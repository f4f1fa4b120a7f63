import CloudEmulator
import Foundation
import Logging
import Processes
import Synchronization
import Testing
import WaitSupport

/// An emulator in this process, whose machines run what Google's would be given, and which remembers every one of them.
final class RecordedCloud {
  let emulator: CloudEmulator
  let machines: RecordedMachines
  let story: CloudStory
  private let folder: String

  init(_ options: EmulatorOptions) async throws {
    folder = FileManager.default.temporaryDirectory.path + "/dagrun-cloud-\(UUID().uuidString.prefix(8))"
    let machines = Mutex<RecordedMachines?>(nil)
    let story = CloudStory()
    self.story = story
    var options = options
    options.recorder = { story.record($0) }
    options.folder = folder
    options.machines = .host { services in
      var machine = MachineOptions(program: [Project.binary, "virtual-machine"]) { account, scopes in
        let token = await services.issueToken(account, scopes)
        return MachineToken(value: token.value, expiresAt: token.expiresAt)
      }
      machine.storageEndpoint = services.address
      let made = RecordedMachines(ProcessMachines(machine), story)
      machines.withLock { $0 = made }
      return made
    }
    emulator = try await CloudEmulator.start(
      options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    self.machines = try #require(machines.withLock { $0 })
  }

  func end() async {
    await emulator.stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// A shell's line by which a container leaves word on this machine, whatever becomes of its own machine, whose name
  /// is the word's last part.
  static func leaveWord(_ words: String) -> String {
    "curl -sSf --retry 20 --retry-all-errors --retry-max-time 60 -o /dev/null -X POST --data-binary '' "
      + "\"http://$EMULATOR/upload/storage/v1/b/words/o?uploadType=media&name=\(words).$HOSTNAME\""
  }

  /// A shell's condition in a container: whether `leave` was called with that word.
  static func hasWord(_ word: String) -> String {
    "curl -sf -o /dev/null \"http://$EMULATOR/storage/v1/b/words/o/\(word)\""
  }

  /// Leaves word for containers. Blocks no thread, for the emulator needs them.
  func leave(_ word: String) async throws {
    let address = "http://\(emulator.address)/upload/storage/v1/b/words/o?uploadType=media&name=\(word)"
    let pid = try Spawn("/usr/bin/env", ["curl", "-sSf", "-o", "/dev/null", "--data-binary", "", address]).start()
    try #require(await awaitEnd(of: ProcessDescriptor(pid: pid)), "curl does not end")
    try #require(waitForChild(pid)?.status == .exited(0), "cannot leave word at \(emulator.address)")
  }

  /// Of all containers there ever were, in no order.
  var words: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder + "/buckets/words")) ?? [] }

  /// Containers that came to their end: the token of each, and its machine. In no order.
  func ends(of name: String) -> [(token: String, machine: String)] {
    words.filter { $0.hasPrefix("\(name).ended.") }.map { word in
      let parts = word.split(separator: ".").map(String.init)
      return (parts[parts.count - 2], parts[parts.count - 1])
    }
  }

  /// Of the jobs whose containers left words that begin so.
  func story(of name: String) -> String {
    let machines = words.filter { $0.hasPrefix("\(name).") }.compactMap {
      $0.split(separator: ".").last.map(String.init)
    }
    return Set(machines.map(CloudStory.job)).sorted().map { story.text(ofJob: $0) }.joined(separator: "\n")
  }
}

/// Knows which machines were on at once.
final class RecordedMachines: VirtualMachineHost {
  struct History {
    /// By job: the machines that are on.
    var isOn: [String: Set<String>] = [:]
    /// Every machine that was booted, with its job.
    var booted: [(job: String, name: String)] = []
    /// Machines that were booted while another one of their job was on.
    var seconds: [String] = []
  }

  private let host: any VirtualMachineHost
  private let story: CloudStory
  private let history = Mutex(History())

  init(_ host: any VirtualMachineHost, _ story: CloudStory) {
    self.host = host
    self.story = story
  }

  var all: History { history.withLock { $0 } }

  func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    let name = machine.name
    let job = CloudStory.job(ofMachine: name)
    story.note(.booted(machine: name), ofJob: job)
    history.withLock { history in
      if let others = history.isOn[job], !others.isEmpty {
        history.seconds.append("\(name) beside \(others.sorted().joined(separator: ", "))")
      }
      history.isOn[job, default: []].insert(name)
      history.booted.append((job, name))
    }
    do {
      let running = try host.boot(machine) { [self] event in
        if case .ended(let how) = event {
          story.note(.off(machine: name, "\(how)"), ofJob: job)
          _ = history.withLock { $0.isOn[job]?.remove(name) }
        }
        events(event)
      }
      return RecordedMachine(running, name, story)
    } catch {
      _ = history.withLock { $0.isOn[job]?.remove(name) }
      throw error
    }
  }

  func removeDisk(folder: String) { host.removeDisk(folder: folder) }
}

/// Tells what is done to it.
private final class RecordedMachine: VirtualMachine {
  private let machine: any VirtualMachine
  private let name: String
  private let story: CloudStory

  init(_ machine: any VirtualMachine, _ name: String, _ story: CloudStory) {
    self.machine = machine
    self.name = name
    self.story = story
  }

  func preempt(graceSeconds: Double) {
    story.note(.preempted(machine: name, graceSeconds: graceSeconds), ofJob: CloudStory.job(ofMachine: name))
    machine.preempt(graceSeconds: graceSeconds)
  }

  func shutDown(graceSeconds: Double) {
    story.note(.shutDown(machine: name, graceSeconds: graceSeconds), ofJob: CloudStory.job(ofMachine: name))
    machine.shutDown(graceSeconds: graceSeconds)
  }

  func kill() {
    story.note(.killed(machine: name), ofJob: CloudStory.job(ofMachine: name))
    machine.kill()
  }

  var serialOutput: String { machine.serialOutput }
}
