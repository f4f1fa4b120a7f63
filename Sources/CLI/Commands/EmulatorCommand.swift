import ArgumentParser
import CloudEmulator
import Dagrun
import Dispatch
import Foundation
import Logging
import Processes

struct EmulatorStartCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "start", abstract: "Emulates Google Cloud on this machine, until it is stopped.",
    discussion: """
      Compute Engine, Pub/Sub, Cloud Storage and Secret Manager on one port of 127.0.0.1, as far as jobs need them. Its VMs \
      are process trees of this machine that run what a job's machine is given, in a folder of their own. Prints the \
      variables that lead dagrun, gcloud and Google's libraries there; Ctrl-C or SIGTERM ends it with all its VMs.
      """)

  enum Machines: String, CaseIterable, ExpressibleByArgument { case processes, none }

  @Option(help: ArgumentHelp("0: any that is free.", valueName: "number"), transform: BoundedNumber.whole(.port))
  var port = 0
  @Option(
    help: ArgumentHelp("Where VMs and objects are kept; a temporary folder by default.", valueName: "folder"),
    completion: .directory)
  var folder: String?
  @Option(help: "'processes', or 'none': instances are there and do nothing.") var machines = Machines.processes
  @Option(
    help: ArgumentHelp("Faults there are from the beginning, JSON or YAML.", valueName: "file"), completion: .file())
  var faults: String?
  @Option(help: ArgumentHelp("Of everything that is left to chance.", valueName: "number")) var seed: UInt64 = 1
  @Option(help: ArgumentHelp("A secret of Secret Manager.", valueName: "name=value")) var secret: [String] = []
  @Option(
    name: .customLong("vm-roles"),
    help: ArgumentHelp("What VMs' accounts may do: 'none', or Google's roles with commas between.", valueName: "roles"))
  var machineRoles: String?
  @Flag(help: "Ignore fields of Compute Engine's requests that Google's documents do not know.") var lenient = false
  @Flag(help: "Refuse requests without one of its own tokens.") var requireTokens = false
  @Option(
    help: ArgumentHelp("The variables are also written here, as 'export NAME=value' lines.", valueName: "file"),
    completion: .file())
  var environmentFile: String?

  func execute(in session: Session) async throws -> CommandExit {
    // Of an emulator that was killed: whoever waits for the file must not read its addresses.
    if let environmentFile { unlink(environmentFile) }
    var options = EmulatorOptions()
    options.port = port
    options.folder = folder.map {
      WorkspacePaths.absolute($0, environment: session.environment, from: session.workingDirectory)
    }
    options.seed = seed
    options.requiresTokens = requireTokens
    options.isLenient = lenient
    do throws(MachineRoles.Problem) {
      options.machineRoles = try machineRoles.map { text throws(MachineRoles.Problem) in try MachineRoles(text) }
    } catch {
      throw UserError(.wrongUsage, "--vm-roles: \(error)")
    }
    if let faults {
      do {
        options.faults = try FaultScript.rules(in: try JobSpecFile.contents(of: faults))
      } catch let failure as FaultScript.Failure {
        throw UserError(.wrongUsage, "\(faults): \(failure.description)")
      }
    }
    for text in secret {
      guard let equals = text.firstIndex(of: "=") else {
        throw UserError(.wrongUsage, "--secret \(text) cannot be read", hint: "write --secret NAME=VALUE")
      }
      options.secrets[String(text[..<equals])] = String(text[text.index(after: equals)...])
    }
    switch machines {
    case .none: options.machines = .none
    case .processes:
      options.machines = .host { services in
        var machine = MachineOptions(program: [Self.executable, "virtual-machine"]) { account, scopes in
          let token = await services.issueToken(account, scopes)
          return MachineToken(value: token.value, expiresAt: token.expiresAt)
        }
        machine.storageEndpoint = services.address
        return ProcessMachines(machine)
      }
    }
    if machines == .processes {
      let place = options.folder ?? NSTemporaryDirectory()
      try FileManager.default.createDirectory(
        atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
      if let problem = await MachineProbe.problem(program: [Self.executable, "virtual-machine"], in: place) {
        session.errors.line("warning: VMs cannot boot here, so that every job will fail: \(problem)")
      }
    }
    var logger = Logger(label: "dagrun.emulator", factory: { _ in ConsoleLog(output: session.errors) })
    logger.logLevel = .warning
    let emulator: CloudEmulator
    do {
      emulator = try await CloudEmulator.start(options, logger: logger)
    } catch {
      throw UserError(.unavailable, "cannot start the emulator: \(error)", hint: "is the port in use? take --port 0")
    }
    // Before the file is there, which tells others that it is up.
    let (ends, continuation) = AsyncStream.makeStream(of: Void.self)
    let interruption = Interruption { continuation.yield() }
    defer { interruption.end() }
    let lines = emulator.environment.sorted { $0.key < $1.key }
      .map { "export \($0.key)=\(ShellWord.quote($0.value))\n" }
    if let environmentFile {
      try Self.writePrivately(lines.joined(), to: environmentFile)
    }
    session.output.write(lines.joined())
    session.errors.line("emulating Google Cloud on 127.0.0.1:\(emulator.port) (process \(getpid())); Ctrl-C ends it")
    _ = await ends.first { _ in true }
    await emulator.stop()
    if let environmentFile { unlink(environmentFile) }
    return .success
  }

  /// The addresses hold the emulator's secret: the file is its owner's alone. Whole or not at all, for whoever waits
  /// for the file reads it at once.
  private static func writePrivately(_ text: String, to path: String) throws {
    let temporary = "\(path).\(getpid())"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw UserError(.wrongUsage, "cannot write \(path): \(String(cString: strerror(errno)))")
    }
    let bytes = Array(text.utf8)
    let isWritten = bytes.withUnsafeBytes { (try? writeAll($0, to: descriptor)) != nil }
    close(descriptor)
    guard isWritten, rename(temporary, path) == 0 else {
      let reason = String(cString: strerror(errno))
      unlink(temporary)
      throw UserError(.wrongUsage, "cannot write \(path): \(reason)")
    }
  }

  static let executable: String = {
    (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? CommandLine.arguments[0]
  }()
}
