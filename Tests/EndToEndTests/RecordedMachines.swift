import CloudEmulator
import Foundation
import Logging
import Synchronization
import Testing

/// An emulator in this process, whose machines run what Google's would be given, and which remembers every one of them.
final class RecordedCloud {
  let emulator: CloudEmulator
  let machines: RecordedMachines
  private let folder: String

  init(_ options: EmulatorOptions) async throws {
    folder = FileManager.default.temporaryDirectory.path + "/dagrun-cloud-\(UUID().uuidString.prefix(8))"
    let machines = Mutex<RecordedMachines?>(nil)
    var options = options
    options.folder = folder
    options.machines = .host { services in
      var machine = MachineOptions(program: [Project.binary, "virtual-machine"]) { account, scopes in
        let token = await services.issueToken(account, scopes)
        return MachineToken(value: token.value, expiresAt: token.expiresAt)
      }
      machine.storageEndpoint = services.address
      let made = RecordedMachines(ProcessMachines(machine))
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

  /// A shell's line by which a container leaves word on this machine, whatever becomes of its own machine.
  static func leaveWord(_ words: String) -> String {
    "curl -sSf --retry 20 --retry-all-errors --retry-max-time 60 -o /dev/null -X POST --data-binary '' "
      + "\"http://$EMULATOR/upload/storage/v1/b/words/o?uploadType=media&name=\(words)\""
  }

  /// Of all containers there ever were, in no order.
  var words: [String] { (try? FileManager.default.contentsOfDirectory(atPath: folder + "/buckets/words")) ?? [] }
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
  private let history = Mutex(History())

  init(_ host: any VirtualMachineHost) { self.host = host }

  var all: History { history.withLock { $0 } }

  func boot(
    _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) throws -> any VirtualMachine {
    // JOB-ATTEMPT-SUFFIX
    let job = machine.name.split(separator: "-").dropLast(2).joined(separator: "-")
    let name = machine.name
    history.withLock { history in
      if let others = history.isOn[job], !others.isEmpty {
        history.seconds.append("\(name) beside \(others.sorted().joined(separator: ", "))")
      }
      history.isOn[job, default: []].insert(name)
      history.booted.append((job, name))
    }
    do {
      return try host.boot(machine) { [self] event in
        if case .ended = event { _ = history.withLock { $0.isOn[job]?.remove(name) } }
        events(event)
      }
    } catch {
      _ = history.withLock { $0.isOn[job]?.remove(name) }
      throw error
    }
  }

  func removeDisk(folder: String) { host.removeDisk(folder: folder) }
}
