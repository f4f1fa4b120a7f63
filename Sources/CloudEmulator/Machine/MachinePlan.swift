import Foundation

/// What the processes of a VM are told at each boot, as a file.
struct MachinePlan: Codable {
  var name: String
  var hostName: String
  /// nil: the instance has none.
  var userData: String?
  /// `127.0.0.1:PORT` of its metadata server.
  var metadataAddress: String
  /// Nothing but the metadata server is reached.
  var isCutOff: Bool
  var storageEndpoint: String?
  /// Of this boot: the machine's own one cannot change while it is up.
  var bootID: String
  /// How this program is asked to be a process of a VM.
  var programArguments: [String]
  var missingImages: Set<String>
  var identity: MachineIdentity

  static let path = "/run/dagrun/plan.json"

  func write(to path: String) throws {
    try JSONEncoder().encode(self).write(to: URL(fileURLWithPath: path))
    chmod(path, 0o600)
  }

  init(readingFrom path: String) throws {
    self = try JSONDecoder().decode(Self.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  init(_ machine: VirtualMachineDescription, options: MachineOptions, metadataAddress: String) {
    name = machine.name
    hostName = machine.name
    userData = machine.metadata["user-data"]
    self.metadataAddress = metadataAddress
    isCutOff = machine.isCutOff
    storageEndpoint = options.storageEndpoint
    bootID = UUID().uuidString.lowercased()
    programArguments = Array(options.program.dropFirst())
    missingImages = options.missingImages
    identity = .of(machine.folder)
  }
}

/// Where things are below a VM's folder.
struct MachineFolder {
  var path: String

  /// Stays when the VM is stopped.
  var disk: String { path + "/disk" }
  /// Made anew at each boot.
  var boot: String { path + "/boot" }
  /// Where the VM's root is mounted, in its own namespace only.
  var root: String { path + "/root" }
  var console: String { path + "/console.log" }
  var plan: String { boot + MachinePlan.path }
}

/// Descriptors that a VM's processes are started with.
enum MachineDescriptor {
  /// Lines of `MachineCommand`; its end is the end of the VM.
  static let commands: Int32 = 3
  /// Lines of `MachineReport`.
  static let reports: Int32 = 4
}

enum MachineCommand: String {
  case softOff = "soft-off"
}

enum MachineReport {
  case booted
  case failed(String)

  init?(line: String) {
    if line == "booted" {
      self = .booted
    } else if line.hasPrefix("failed ") {
      self = .failed(String(line.dropFirst(7)))
    } else {
      return nil
    }
  }

  var line: String {
    switch self {
    case .booted: "booted\n"
    case .failed(let reason): "failed \(reason.replacingOccurrences(of: "\n", with: " "))\n"
    }
  }
}

/// How a VM's first process ends.
enum MachineExit {
  static let poweredOff: Int32 = 0
  static let reboot: Int32 = 10
  static let failed: Int32 = 11
}
