import Foundation
import Processes
import Testing

/// A command on a terminal of its own, which can be closed under it.
final class TerminalCommand {
  let pid: pid_t
  private var master: Int32
  private var text = ""
  private var hasEnded = false

  init(_ project: Project, _ arguments: [String]) throws {
    master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    var (locked, number): (Int32, Int32) = (0, 0)
    // TIOCSPTLCK and TIOCGPTN, as in asm-generic/ioctls.h: macros that Swift does not import.
    let isUnlocked = ioctl(master, 0x4004_5431, &locked) == 0 && ioctl(master, 0x8004_5430, &number) == 0
    try #require(master >= 0 && isUnlocked, "there are no terminals")
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(slave >= 0)
    defer { close(slave) }
    _ = fcntl(master, F_SETFL, O_NONBLOCK)
    // Leads a session whose terminal it is, so that the kernel tells it of the end.
    var spawn = Spawn(
      "setsid", ["--ctty", Project.binary] + arguments, environment: project.environment,
      workingDirectory: project.path)
    spawn.descriptors = [0: slave, 1: slave, 2: slave]
    pid = try spawn.start()
  }

  deinit {
    closeTerminal()
    guard !hasEnded else { return }
    kill(pid, SIGKILL)
    _ = waitForChild(pid)
  }

  /// What it has shown so far. Has to be read for it to continue.
  func read() -> String {
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while master >= 0 {
      let count = Foundation.read(master, &buffer, buffer.count)
      guard count > 0 else { break }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    return text
  }

  func closeTerminal() {
    if master >= 0 { close(master) }
    master = -1
  }

  func waitForEnd(seconds: Double = 60) throws -> Int {
    let descriptor = try ProcessDescriptor(pid: pid)
    let end = monotonicSeconds() + seconds
    while !descriptor.hasEnded(within: 50), monotonicSeconds() < end { _ = read() }
    try #require(descriptor.hasEnded(within: 0), "it still runs: \(read())")
    hasEnded = true
    switch try #require(waitForChild(pid)).status {
    case .exited(let code): return Int(code)
    case .signaled(let number): return 128 + Int(number)
    }
  }
}
