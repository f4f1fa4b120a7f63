internal import Foundation
internal import Processes

/// One service and its life:
///
///     inactive -> starting -> running | exited (RemainsAfterExit) -> stopping -> inactive | failed
///                                running -> (its process ends) -> stopping -> inactive | failed | waiting (Restart=)
///
/// Whatever ends it, `ExecStopPost=` runs last, and what is left of its processes is killed.
final class ServiceUnit {
  enum State: Equatable {
    case inactive
    case starting
    case running
    /// A one-shot service that has done its work and counts as active.
    case exited
    case stopping
    case waitingToRestart
    case failed
  }

  let file: UnitFile
  private(set) var state = State.inactive
  private let loop: MachineLoop
  private let log: (ArraySlice<UInt8>) -> Void
  private let baseEnvironment: [String: String]
  /// Leaders of sessions that its commands were started with.
  private var sessions: Set<pid_t> = []
  private var main: pid_t?
  /// That of any other `Exec...=`.
  private var control: pid_t?
  private var whenTerminated: (() -> Void)?
  private var hasBeenStopped = false
  private var result = "success"
  private var whenSettled: [(_ isActive: Bool) -> Void] = []
  private var whenStopped: [() -> Void] = []
  private var restartTimer: MachineLoop.Timer?

  init(_ file: UnitFile, loop: MachineLoop, environment: [String: String], log: @escaping (ArraySlice<UInt8>) -> Void) {
    self.file = file
    self.loop = loop
    self.log = log
    baseEnvironment = environment
  }

  var isActive: Bool {
    switch state {
    case .running, .exited: true
    case .inactive, .starting, .stopping, .waitingToRestart, .failed: false
    }
  }

  /// As `systemctl is-active` says it.
  var stateName: String {
    switch state {
    case .inactive: "inactive"
    case .starting, .waitingToRestart: "activating"
    case .running, .exited: "active"
    case .stopping: "deactivating"
    case .failed: "failed"
    }
  }

  var hasProcesses: Bool { state != .inactive && state != .failed }
  var mainPid: pid_t? { main }

  func start(_ settled: @escaping (_ isActive: Bool) -> Void) {
    switch state {
    case .running, .exited: return settled(true)
    case .starting:
      whenSettled.append(settled)
      return
    case .stopping:
      whenStopped.append { [self] in start(settled) }
      return
    case .inactive, .failed, .waitingToRestart: break
    }
    loop.cancel(restartTimer)
    for condition in file.conditions where (access(condition.path, F_OK) == 0) == condition.isNegated {
      say(
        "not started: its condition ConditionPathExists=\(condition.isNegated ? "!" : "")\(condition.path) is not met")
      state = .inactive
      return settled(true)
    }
    state = .starting
    hasBeenStopped = false
    result = "success"
    whenSettled.append(settled)
    run(file.service.startPre) { [self] succeeded in
      if succeeded { startMain() } else { end(failed: true) }
    }
  }

  func stop(_ stopped: @escaping () -> Void) {
    hasBeenStopped = true
    switch state {
    case .inactive, .failed: return stopped()
    case .waitingToRestart:
      loop.cancel(restartTimer)
      state = .inactive
      return stopped()
    case .stopping:
      whenStopped.append(stopped)
    case .running, .exited:
      whenStopped.append(stopped)
      state = .stopping
      say("stopping")
      run(file.service.stop) { [self] _ in terminate() }
    case .starting:
      whenStopped.append(stopped)
      terminate()
    }
  }

  func signal(_ number: Int32) { for session in sessions { killSession(session, number) } }

  private func say(_ text: String) { log(Array("\(file.name): \(text)".utf8)[...]) }

  private func startMain() {
    if hasBeenStopped { return end(failed: false) }
    switch file.service.kind {
    case .oneshot:
      run(file.service.start) { [self] succeeded in
        guard succeeded, !hasBeenStopped else { return end(failed: !succeeded && !hasBeenStopped) }
        if file.service.remainsAfterExit {
          state = .exited
          settle(true)
        } else {
          end(failed: false, settling: true)
        }
      }
    case .simple, .exec:
      guard let command = file.service.start.first else {
        say("has no ExecStart")
        return end(failed: true)
      }
      guard let pid = launch(command, { [self] status in mainEnded(status, command) }) else { return end(failed: true) }
      main = pid
      state = .running
      say("started, process \(pid)")
      settle(true)
    }
  }

  private func mainEnded(_ status: ExitStatus, _ command: UnitCommand) {
    let isClean = status.isSuccess || [SIGTERM, SIGINT, SIGHUP, SIGPIPE].contains { status == .signaled($0) }
    if state == .stopping { return }
    say("its main process has ended: \(status)")
    state = .stopping
    if case .signaled = status, !isClean { result = "signal" } else if !isClean { result = "exit-code" }
    run(file.service.stop) { [self] _ in end(failed: !isClean && !command.ignoresFailure) }
  }

  /// SIGTERM, and SIGKILL when the time is up.
  private func terminate() {
    let processes = [main, control].compactMap(\.self)
    guard !processes.isEmpty, file.service.killMode != .none else { return end(failed: false) }
    switch file.service.killMode {
    case .none: break
    case .process, .mixed:
      for pid in processes {
        kill(pid, file.service.killSignal)
        kill(pid, SIGCONT)
      }
    case .controlGroup:
      signal(file.service.killSignal)
      signal(SIGCONT)
    }
    let timer = file.service.stopTimeoutSeconds.map { seconds in
      loop.after(seconds: seconds) { [self] in
        say("has not ended after \(seconds) s: killed")
        result = "timeout"
        signal(SIGKILL)
      }
    }
    whenTerminated = { [self] in
      loop.cancel(timer)
      end(failed: false)
    }
  }

  private func end(failed: Bool, settling succeeded: Bool = false) {
    state = .stopping
    killRest()
    run(file.service.stopPost) { [self] _ in
      killRest()
      sessions = []
      state = failed || result == "timeout" ? .failed : .inactive
      say(state == .failed ? "failed" : "ended")
      settle(succeeded)
      let waiting = whenStopped
      whenStopped = []
      for body in waiting { body() }
      if state != .stopping, !hasBeenStopped, restarts(failed) { restart() }
    }
  }

  private func killRest() {
    switch file.service.killMode {
    case .controlGroup, .mixed: signal(SIGKILL)
    case .process, .none: break
    }
  }

  private func restarts(_ failed: Bool) -> Bool {
    switch file.service.restart {
    case .no: false
    case .always: true
    case .onSuccess: !failed
    case .onFailure: failed
    case .onAbnormal, .onAbort: result == "signal"
    }
  }

  private func restart() {
    state = .waitingToRestart
    restartTimer = loop.after(seconds: file.service.restartSeconds) { [self] in start { _ in } }
  }

  private func settle(_ isActive: Bool) {
    let waiting = whenSettled
    whenSettled = []
    for body in waiting { body(isActive) }
  }

  /// One after the other, until one fails.
  private func run(_ commands: [UnitCommand], _ done: @escaping (_ succeeded: Bool) -> Void) {
    guard let command = commands.first else { return done(true) }
    let rest = Array(commands.dropFirst())
    control = launch(command) { [self] status in
      // Nothing more is started by what is being stopped.
      if whenTerminated != nil { return }
      if status.isSuccess || command.ignoresFailure { return run(rest, done) }
      say("\(command.words[0]): \(status)")
      done(false)
    }
    if control == nil { if command.ignoresFailure { run(rest, done) } else { done(false) } }
  }

  private func launch(_ command: UnitCommand, _ ended: @escaping (ExitStatus) -> Void) -> pid_t? {
    do {
      var environment = baseEnvironment.merging(file.service.environment) { $1 }
      for entry in file.service.environmentFiles {
        guard let bytes = readWholeFile(entry.path) else {
          if entry.isOptional { continue }
          throw MachineError("cannot read the environment file \(entry.path)")
        }
        environment.merge(environmentFile(String(decoding: bytes, as: UTF8.self))) { $1 }
      }
      if let mainPid { environment["MAINPID"] = String(mainPid) }
      environment["SERVICE_RESULT"] = result
      environment["INVOCATION_ID"] = UUID().uuidString.replacingOccurrences(of: "-", with: "").lowercased()
      let words = command.arguments(environment)
      var spawn = Spawn(words[0], Array(words.dropFirst()), environment: environment)
      spawn.workingDirectory = file.service.workingDirectory
      spawn.group = .session
      let output = try open(file.service.output)
      defer { close(output) }
      let errorOutput = try file.service.errorOutput.map(open) ?? fcntl(output, F_DUPFD_CLOEXEC, 3)
      defer { close(errorOutput) }
      spawn.descriptors = [1: output, 2: errorOutput]
      let pid = try spawn.startConfined()
      sessions.insert(pid)
      loop.whenEnded(pid) { [self] status in
        if main == pid { main = nil }
        if control == pid { control = nil }
        ended(status)
        guard main == nil, control == nil, let terminated = whenTerminated else { return }
        whenTerminated = nil
        terminated()
      }
      return pid
    } catch {
      say("\(error)")
      return nil
    }
  }

  private func open(_ output: UnitOutput) throws -> Int32 {
    switch output {
    case .journal: return try OutputLines.open(loop, log)
    case .null: return Glibc.open("/dev/null", O_WRONLY | O_CLOEXEC)
    case .file(let path, let appends, let truncates):
      let flags = O_WRONLY | O_CREAT | O_CLOEXEC | (appends ? O_APPEND : 0) | (truncates ? O_TRUNC : 0)
      let descriptor = Glibc.open(path, flags, 0o644)
      if descriptor < 0 { throw SystemError("write \(path)") }
      return descriptor
    }
  }
}
