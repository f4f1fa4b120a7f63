internal import CLinux
internal import Foundation
internal import Processes

/// The first process of a VM: what firmware, kernel, systemd, cloud-init and docker's daemon do on a real one.
///
///     kernel (mounts, boot id) -> booted -> cloud-init -> running -> stopping units -> ending processes -> off
final class MachineInit {
  let loop: MachineLoop
  let console = Console()
  let plan: MachinePlan
  let environment: [String: String]
  let units: UnitManager
  let containers: ContainerManager
  private var isShuttingDown = false
  private var commands = CommandLines()

  static func run() -> Never {
    // With the emulator's process of this VM, and so with the emulator.
    dieWithParent()
    signal(SIGPIPE, SIG_IGN)
    do {
      let plan = try MachinePlan(readingFrom: MachinePlan.path)
      let notes = try KernelFiles.mount(plan)
      // With its ids it has lost that.
      dieWithParent()
      let machine = try MachineInit(plan)
      for note in notes { machine.console.note(note) }
      try machine.start()
      giveBackMemory()
      machine.loop.run()
    } catch {
      report(.failed("\(error)"))
      exit(MachineExit.failed)
    }
  }

  private init(_ plan: MachinePlan) throws {
    self.plan = plan
    environment = MachineRoot.environment(plan)
    loop = try MachineLoop()
    units = UnitManager(loop: loop, console: console, environment: environment)
    containers = ContainerManager(loop: loop, console: console, plan: plan)
  }

  private func start() throws {
    console.write("Booting \(plan.name), boot id \(plan.bootID)")
    _ = fcntl(MachineDescriptor.commands, F_SETFL, O_NONBLOCK)
    try loop.watch(MachineDescriptor.commands) { [unowned self] _ in readCommands() }
    try CommandServer.listen(self)
    try openSerialDevices()
    report(.booted)
    CloudInit(self).start { [unowned self] in
      console.write("Reached target multi-user.target")
      units.startEnabled()
    }
  }

  /// Programs write to the serial console by its devices.
  private func openSerialDevices() throws {
    for path in ["/dev/console", "/dev/ttyS0", "/dev/kmsg"] {
      mkfifo(path, 0o622)
      // Held for writing too, so that it never ends.
      let descriptor = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC)
      guard descriptor >= 0 else { continue }
      try OutputLines.watch(loop, descriptor) { [console] line in console.write(line) }
    }
  }

  private func readCommands() {
    var buffer = [UInt8](repeating: 0, count: 256)
    let count = retrying { read(MachineDescriptor.commands, &buffer, buffer.count) }
    // The emulator is gone, or takes the power away.
    if count == 0 { _exit(MachineExit.failed) }
    for line in commands.add(buffer.prefix(max(0, count))) {
      switch MachineCommand(rawValue: line) {
      case .softOff:
        console.write("Power button pressed")
        shutDown(MachineExit.poweredOff)
      case nil: break
      }
    }
  }

  /// Stops units, then containers, as docker's own service does, then whatever else runs.
  func shutDown(_ code: Int32) {
    if isShuttingDown { return }
    isShuttingDown = true
    console.write(code == MachineExit.reboot ? "Rebooting" : "Powering off")
    units.stopAll { [self] in
      containers.stopAll { [self] in endProcesses(code) }
    }
  }

  private func endProcesses(_ code: Int32) {
    let isOver = { kill(-1, 0) != 0 && errno == ESRCH }
    let end = { [console] in
      console.write("Power off")
      exit(code)
    }
    kill(-1, SIGTERM)
    kill(-1, SIGCONT)
    if isOver() { end() }
    loop.whenReaped = { if isOver() { end() } }
    // The others are killed with this process.
    loop.after(seconds: 5, end)
  }
}

/// Lines out of pieces.
private struct CommandLines {
  private var rest: [UInt8] = []

  mutating func add(_ bytes: ArraySlice<UInt8>) -> [String] {
    rest += bytes
    var lines = rest.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    rest = Array(lines.removeLast())
    return lines.map { String(decoding: $0, as: UTF8.self) }
  }
}
