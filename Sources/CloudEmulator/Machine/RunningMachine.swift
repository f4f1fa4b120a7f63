internal import Dispatch
internal import Foundation
internal import Processes

/// A VM whose processes run. What happens to it, happens on one queue.
final class RunningMachine: VirtualMachine, @unchecked Sendable {
  // Everything that changes is touched on its queue only.
  private let watch: MachineWatch
  private let machine: VirtualMachineDescription
  private let options: MachineOptions
  private let metadata: MetadataServer
  private let folder: MachineFolder
  private let events: @Sendable (VirtualMachineEvent) -> Void

  /// What there is as long as its processes run.
  private struct Boot {
    var process: ProcessDescriptor
    /// Closed: -1.
    var commandEnd: Int32
    var reportEnd: Int32
    var tokens: [UInt64]
  }
  private var boot: Boot?
  private var reports: [UInt8] = []
  private var failure: String?
  private var isKilled = false

  init(
    _ machine: VirtualMachineDescription, options: MachineOptions, watch: MachineWatch, metadata: MetadataServer,
    events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) {
    self.machine = machine
    self.options = options
    self.watch = watch
    self.metadata = metadata
    self.events = events
    folder = MachineFolder(path: machine.folder)
  }

  /// Keeps itself alive until the VM is off.
  func start() throws {
    try watch.queue.sync {
      try makeFolders(folder.path, mode: 0o700)
      try startProcesses()
    }
  }

  private func startProcesses() throws {
    dispatchPrecondition(condition: .onQueue(watch.queue))
    removeFolder(folder.boot)
    try makeFolders(folder.boot + "/run/dagrun", mode: 0o755)
    try MachinePlan(machine, options: options, metadataAddress: metadata.address).write(to: folder.plan)

    let console = open(folder.console, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard console >= 0 else { throw SystemError("write \(folder.console)") }
    defer { close(console) }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(null) }
    let commands = try openPipe()
    defer { close(commands.readEnd) }
    let reportEnds = try openPipe()
    defer { close(reportEnds.writeEnd) }
    do {
      var spawn = Spawn(options.program[0], Array(options.program.dropFirst()) + ["run", folder.path])
      spawn.workingDirectory = "/"
      spawn.group = .session
      spawn.descriptors = [
        0: null, 1: console, 2: console, MachineDescriptor.commands: commands.readEnd,
        MachineDescriptor.reports: reportEnds.writeEnd,
      ]
      let process = try ProcessDescriptor(pid: spawn.start())
      let tokens = [
        try watch.watch(process.descriptor) { [self] in ended() },
        try watch.watch(reportEnds.readEnd) { [self] in readReports() },
      ]
      boot = Boot(
        process: process, commandEnd: commands.writeEnd, reportEnd: reportEnds.readEnd, tokens: tokens)
    } catch {
      close(commands.writeEnd)
      close(reportEnds.readEnd)
      throw error
    }
  }

  private func readReports() {
    guard let boot else { return }
    let part = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, used in
      used = max(0, retrying { read(boot.reportEnd, buffer.baseAddress, buffer.count) })
    }
    // Its end shows in the process's.
    if part.isEmpty { watch.unwatch(boot.tokens[1]) }
    reports += part
    while let end = reports.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: reports[..<end], as: UTF8.self)
      reports.removeFirst(end + 1)
      switch MachineReport(line: line) {
      case .booted: events(.booted)
      case .failed(let reason): failure = reason
      case nil: break
      }
    }
  }

  private func ended() {
    guard let boot, let status = waitForChild(boot.process.pid, blocking: false)?.status else { return }
    readReports()
    for token in boot.tokens { watch.unwatch(token) }
    close(boot.reportEnd)
    closeCommands()
    off(status)
  }

  private func off(_ status: ExitStatus) {
    boot = nil
    if status == .exited(MachineExit.reboot), !isKilled {
      do {
        return try startProcesses()
      } catch {
        failure = "\(error)"
      }
    }
    metadata.stop()
    removeFolder(folder.boot)
    rmdir(folder.root)
    events(.ended(end(status)))
  }

  private func end(_ status: ExitStatus) -> VirtualMachineEnd {
    if isKilled { return .killed }
    if let failure { return .failed(failure) }
    switch status {
    case .exited(MachineExit.poweredOff): return .poweredOff
    case .exited, .signaled: return .failed("its first process has ended: \(status)")
    }
  }

  private func closeCommands() {
    guard let commandEnd = boot?.commandEnd, commandEnd >= 0 else { return }
    close(commandEnd)
    boot?.commandEnd = -1
  }

  func preempt(graceSeconds: Double) {
    metadata.update { $0.isPreempted = true }
    shutDown(graceSeconds: graceSeconds)
  }

  func shutDown(graceSeconds: Double) {
    watch.queue.async { [self] in
      guard let commandEnd = boot?.commandEnd, commandEnd >= 0 else { return }
      let line = Array((MachineCommand.softOff.rawValue + "\n").utf8)
      // To a pipe that nobody else writes to. It may have ended meanwhile; SIGPIPE is ignored.
      _ = write(commandEnd, line, line.count)
      watch.queue.asyncAfter(deadline: .now() + graceSeconds) { [weak self] in self?.killNow() }
    }
  }

  func kill() { watch.queue.async { [self] in killNow() } }

  /// The end of the commands is the end of the VM, also of a process of its that hangs.
  private func killNow() {
    guard boot != nil else { return }
    isKilled = true
    closeCommands()
  }

  private static let serialLimitBytes = 1 << 20

  /// The newest of it, as much as Compute Engine keeps.
  var serialOutput: String {
    guard let handle = FileHandle(forReadingAtPath: folder.console) else { return "" }
    defer { try? handle.close() }
    let size = (try? handle.seekToEnd()) ?? 0
    try? handle.seek(toOffset: size - min(size, UInt64(Self.serialLimitBytes)))
    return String(decoding: (try? handle.readToEnd()) ?? Data(), as: UTF8.self)
  }
}

/// Also what the VM has protected against itself. Follows no links.
func removeFolder(_ path: String) {
  let manager = FileManager.default
  if (try? manager.removeItem(atPath: path)) != nil || !manager.fileExists(atPath: path) { return }
  for case let name as String in manager.enumerator(atPath: path) ?? .init() {
    let inner = path + "/" + name
    var status = stat()
    if lstat(inner, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { chmod(inner, 0o700) }
  }
  try? manager.removeItem(atPath: path)
}
