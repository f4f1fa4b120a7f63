internal import Dispatch
internal import Foundation
internal import Processes

/// A VM whose processes run. What happens to it, happens on one queue.
final class RunningMachine: VirtualMachine, @unchecked Sendable {
  // Everything that changes is touched on this queue only.
  private let queue: DispatchQueue
  private let machine: VirtualMachineDescription
  private let options: MachineOptions
  private let metadata: MetadataServer
  private let folder: MachineFolder
  private let events: @Sendable (VirtualMachineEvent) -> Void
  private var process: ProcessDescriptor?
  private var commandEnd: Int32 = -1
  private var sources: [any DispatchSourceRead] = []
  private var reports: [UInt8] = []
  private var failure: String?
  private var isKilled = false

  init(
    _ machine: VirtualMachineDescription, options: MachineOptions, queue: DispatchQueue, metadata: MetadataServer,
    events: @escaping @Sendable (VirtualMachineEvent) -> Void
  ) {
    self.machine = machine
    self.options = options
    self.queue = queue
    self.metadata = metadata
    self.events = events
    folder = MachineFolder(path: machine.folder)
  }

  /// Keeps itself alive until the VM is off.
  func start() throws {
    try queue.sync {
      try makeFolders(folder.path, mode: 0o700)
      try boot()
    }
  }

  private func boot() throws {
    dispatchPrecondition(condition: .onQueue(queue))
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
      self.process = process
      commandEnd = commands.writeEnd
      watch(process.descriptor, owning: false) { [self] _ in ended() }
      watch(reportEnds.readEnd, owning: true) { [self] descriptor in readReports(descriptor) }
    } catch {
      close(commands.writeEnd)
      close(reportEnds.readEnd)
      throw error
    }
  }

  private func watch(_ descriptor: Int32, owning: Bool, _ body: @escaping (Int32) -> Void) {
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    let process = process
    source.setEventHandler { body(descriptor) }
    // A descriptor must be open as long as it is watched; that of the process is its object's.
    source.setCancelHandler { if owning { close(descriptor) } else { withExtendedLifetime(process) {} } }
    source.activate()
    sources.append(source)
  }

  private func readReports(_ descriptor: Int32) {
    while true {
      let part = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, used in
        used = max(0, retrying { read(descriptor, buffer.baseAddress, buffer.count) })
      }
      if part.isEmpty { break }
      reports += part
    }
    while let end = reports.firstIndex(of: UInt8(ascii: "\n")) {
      let line = String(decoding: reports[..<end], as: UTF8.self)
      reports.removeFirst(end + 1)
      switch MachineReport(line: line) {
      case .booted: events(.booted)
      case .failed(let reason): failure = reason
      case nil: break
      }
    }
    // Its end shows in the process's.
    if retryingPoll(descriptor) == POLLHUP, let source = sources.last { source.cancel() }
  }

  private func retryingPoll(_ descriptor: Int32) -> Int32 {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    _ = retrying { poll(&entry, 1, 0) }
    return Int32(entry.revents)
  }

  private func ended() {
    guard let process, let status = waitForChild(process.pid, blocking: false)?.status else { return }
    self.process = nil
    if let reportSource = sources.last, !reportSource.isCancelled { readReports(Int32(reportSource.handle)) }
    for source in sources { source.cancel() }
    sources = []
    closeCommands()
    if status == .exited(MachineExit.reboot), !isKilled {
      do {
        return try boot()
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
    if commandEnd >= 0 { close(commandEnd) }
    commandEnd = -1
  }

  func preempt(graceSeconds: Double) {
    metadata.update { $0.isPreempted = true }
    shutDown(graceSeconds: graceSeconds)
  }

  func shutDown(graceSeconds: Double) {
    queue.async { [self] in
      guard commandEnd >= 0 else { return }
      let line = Array((MachineCommand.softOff.rawValue + "\n").utf8)
      // To a pipe that nobody else writes to. It may have ended meanwhile: SIGPIPE is ignored by NIO's servers.
      _ = write(commandEnd, line, line.count)
      queue.asyncAfter(deadline: .now() + graceSeconds) { [weak self] in self?.killNow() }
    }
  }

  func kill() { queue.async { [self] in killNow() } }

  /// The end of the commands is the end of the VM, also of a process of its that hangs.
  private func killNow() {
    guard process != nil else { return }
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
