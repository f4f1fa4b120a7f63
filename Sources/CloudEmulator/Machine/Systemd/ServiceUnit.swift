internal import Foundation
internal import Processes

/// One service and its life:
///
///     inactive -> running -> (its main process ends) -> inactive | failed
///                 running -> stopping -> inactive
///
/// SIGTERM goes to the main process only; whatever ends that, what is left of its session is killed.
final class ServiceUnit {
  private enum State: Equatable {
    case inactive
    case running(pid_t)
    case stopping(pid_t)
    case failed
  }

  let file: UnitFile
  private var state = State.inactive
  private let loop: MachineLoop
  private let log: (ArraySlice<UInt8>) -> Void
  private let environment: [String: String]
  private var whenEnded: [() -> Void] = []

  init(_ file: UnitFile, loop: MachineLoop, environment: [String: String], log: @escaping (ArraySlice<UInt8>) -> Void) {
    self.file = file
    self.loop = loop
    self.log = log
    self.environment = environment
  }

  var hasProcesses: Bool {
    switch state {
    case .running, .stopping: true
    case .inactive, .failed: false
    }
  }

  /// - Returns: whether it runs.
  func start() -> Bool {
    switch state {
    case .running: return true
    case .stopping: return false
    case .inactive, .failed: break
    }
    do {
      let pid = try launch()
      state = .running(pid)
      say("started, process \(pid)")
      loop.whenEnded(pid) { [self] status in ended(pid, status) }
      return true
    } catch {
      state = .failed
      say("\(error)")
      return false
    }
  }

  func stop(_ stopped: @escaping () -> Void) {
    switch state {
    case .inactive, .failed: stopped()
    case .stopping: whenEnded.append(stopped)
    case .running(let pid):
      state = .stopping(pid)
      say("stopping")
      kill(pid, SIGTERM)
      let timer = loop.after(seconds: file.stopTimeoutSeconds) { [self] in
        say("has not ended after \(file.stopTimeoutSeconds) s: killed")
        killSession(pid)
      }
      whenEnded += [{ [loop] in loop.cancel(timer) }, stopped]
    }
  }

  private func ended(_ pid: pid_t, _ status: ExitStatus) {
    killSession(pid)
    let isClean = status.isSuccess || [SIGTERM, SIGINT, SIGHUP, SIGPIPE].contains { status == .signaled($0) }
    state = isClean || state == .stopping(pid) ? .inactive : .failed
    say("its main process has ended: \(status)")
    let waiting = whenEnded
    whenEnded = []
    for body in waiting { body() }
  }

  private func say(_ text: String) { log(Array("\(file.name): \(text)".utf8)[...]) }

  private func launch() throws -> pid_t {
    guard let program = file.command.first else { throw MachineError("\(file.name) has no ExecStart") }
    var spawn = Spawn(program, Array(file.command.dropFirst()), environment: environment, workingDirectory: "/")
    spawn.group = .session
    let output = try OutputLines.open(loop, log)
    defer { close(output) }
    spawn.descriptors = [1: output, 2: output]
    return try spawn.startConfined()
  }

  /// Every process of the session, wherever in the tree it is now.
  private func killSession(_ session: pid_t) {
    for name in (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? [] {
      if let pid = pid_t(name), getsid(pid) == session { kill(pid, SIGKILL) }
    }
  }
}
