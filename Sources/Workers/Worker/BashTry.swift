internal import Dagrun
internal import Glibc
internal import Model
internal import Preparation
internal import Processes

/// Runs one script, in a session and process group of its own.
///
/// Its standard output and standard error are two pipes which this process copies to the log as they come. They are not
/// the log file itself, for two reasons: the output value is the last line of standard output alone, and `echo … >
/// /dev/stderr`, which opens what the descriptor points to once more, would truncate a regular file. (What is written
/// to both within the same fraction of a millisecond may change places in the log; `exec 2>&1` makes them one.)
///
/// The script has ended when its shell has. Whatever it started is then ended too: its group gets SIGTERM, and what is
/// left after a moment is killed, also what left the group.
struct BashTry: ~Copyable {
  private let assignment: TryAssignment
  private let current: CurrentTry
  private let bash: String?
  private var log: LogFile
  private var losses = Losses()
  private var tail = OutputTail()
  private var pipes: [Pipe] = []
  private let outputPath: String
  private var usage = ResourceUsage(cpuSeconds: 0, peakMemoryBytes: 0)

  /// Between SIGTERM and SIGKILL for what a script that ended left behind.
  private static let leftoverGraceSeconds = 1.0
  /// The kernel takes no single argument, and no variable with its name, of more than 128 KiB with the zero at its end.
  private static let maximumArgumentBytes = 100_000
  private static let maximumVariableBytes = 128 * 1024 - 1
  /// Holds a script that is not to be seen.
  private static let scriptVariable = "DAGRUN_SCRIPT"
  /// Airflow's `skip_on_exit_code`.
  private static let skipExitCode: Int32 = 99

  private struct Pipe {
    var descriptor: Int32
    var isOutput: Bool
  }

  struct Ended {
    var outcome: TaskResult.Outcome
    var output: String?
    var usage: ResourceUsage
    var loss = Losses()
  }

  /// - Parameter bash: nil where there is none.
  init(
    _ assignment: TryAssignment, current: CurrentTry, bash: String?, log: consuming LogFile, outputPath: String
  ) {
    self.assignment = assignment
    self.current = current
    self.bash = bash
    self.log = log
    self.outputPath = outputPath
  }

  /// - Parameter onStart: gets the shell's process before anything is waited for.
  consuming func run(
    script: String, environment: [String: String], workingDirectory: String, scratch: String,
    onStart: (ProcessIdentity) -> Void, wakeControl: () -> Void
  ) -> Ended {
    TaskOutputFile.remove(outputPath)
    if let reason = Self.problem(with: environment) {
      log.note(reason)
      return failed(reason, isRetryable: false)
    }
    let pid: pid_t
    do throws(SystemError) {
      pid = try start(script, environment, workingDirectory, scratch)
    } catch {
      closePipes()
      log.note("\(error)")
      return failed("\(error)", isRetryable: true)
    }
    if let identity = ProcessIdentity(of: pid) { onStart(identity) }
    let mustWake = current.become(
      .init(cancel: { terminateGroup(pid) }, kill: { signalGroup(pid, SIGKILL) }))
    if mustWake { wakeControl() }

    copyOutput(until: pid)
    // The control thread must not signal a group whose leader was reaped.
    current.resign()
    let ended = waitForChild(pid)!
    add(ended.usage)
    endLeftovers(of: pid)
    drainPipes()
    closePipes()
    var outcome = outcome(ended.status)
    var output: String?
    if outcome == .success {
      do throws(TaskOutputFile.Refusal) {
        output = try self.output()
      } catch {
        log.note(error.reason)
        if assignment.workload.outputIsRead {
          outcome = .failed(reason: error.reason, isRetryable: error.isRetryable)
        } else {
          losses.add("\(error.reason): it was not kept")
        }
      }
    }
    TaskOutputFile.remove(outputPath)
    if script.utf8.count > Self.maximumArgumentBytes { unlink(Self.scriptPath(in: scratch)) }
    finishLog()
    return Ended(outcome: outcome, output: output, usage: usage, loss: losses)
  }

  private consuming func failed(_ reason: String, isRetryable: Bool) -> Ended {
    finishLog()
    return Ended(outcome: .failed(reason: reason, isRetryable: isRetryable), output: nil, usage: usage, loss: losses)
  }

  private mutating func finishLog() {
    if let lost = log.finish() { losses.add("the log lacks \(lost)") }
  }

  private static func scriptPath(in folder: String) -> String { folder + "/script" }

  /// The kernel's word for it does not say which variable it is.
  private static func problem(with environment: [String: String]) -> String? {
    func bytes(_ entry: (key: String, value: String)) -> Int { entry.key.utf8.count + 1 + entry.value.utf8.count }
    let tooLong = environment.filter { bytes($0) > maximumVariableBytes }
    return tooLong.min { $0.key < $1.key }.map {
      "the environment variable \($0.key) has \(bytes($0)) bytes with its name, and the system takes "
        + "\(maximumVariableBytes): hand the value on in a file, or put it into the script"
    }
  }

  private mutating func start(
    _ script: String, _ environment: [String: String], _ workingDirectory: String, _ scratch: String
  ) throws(SystemError) -> pid_t {
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    let output = try openPipe()
    pipes.append(Pipe(descriptor: output.readEnd, isOutput: true))
    defer {
      close(null)
      close(output.writeEnd)
    }
    let errors = try openPipe()
    pipes.append(Pipe(descriptor: errors.readEnd, isOutput: false))
    defer { close(errors.writeEnd) }

    var spawn = try command(script, environment, workingDirectory, scratch)
    spawn.group = .session
    spawn.descriptors = [0: null, 1: output.writeEnd, 2: errors.writeEnd]
    return try spawn.start()
  }

  private func command(
    _ script: String, _ environment: [String: String], _ workingDirectory: String, _ scratch: String
  ) throws(SystemError) -> Spawn {
    if let command = SimpleCommand(script, environment: environment, workingDirectory: workingDirectory) {
      // As a shell leaves it to what it starts.
      var environment = environment
      environment["PWD"] = workingDirectory
      var spawn = Spawn(
        command.executable, Array(command.words.dropFirst()), environment: environment,
        workingDirectory: workingDirectory)
      spawn.name = command.words[0]
      return spawn
    }
    guard let bash else {
      throw SystemError("find bash in PATH (\(environment["PATH"] ?? "not set"))", code: ENOENT)
    }
    var environment = environment
    var arguments = ["-c", script]
    if script.utf8.count > Self.maximumArgumentBytes {
      let path = Self.scriptPath(in: scratch)
      try writeFile(path, script)
      arguments = [path]
    } else if assignment.workload.hidesScript {
      // Arguments are shown to all users of the machine (`ps`), the environment is not. The variable is gone before the
      // script begins, and its first line is still the first.
      environment[Self.scriptVariable] = script
      let name = Self.scriptVariable
      arguments = ["-c", "eval \"unset \(name);$\(name)\""]
    }
    var spawn = Spawn(bash, arguments, environment: environment, workingDirectory: workingDirectory)
    spawn.name = "bash"
    return spawn
  }

  /// Until the shell has ended.
  private mutating func copyOutput(until pid: pid_t) {
    guard let process = try? ProcessDescriptor(pid: pid) else { return }
    while !copySome(orUntil: process, milliseconds: -1) {}
  }

  /// Waits for output or the end of the process, and copies what there is. True when the process has ended, or the time
  /// is up.
  private mutating func copySome(orUntil process: ProcessDescriptor, milliseconds: Int32) -> Bool {
    var entries = [pollfd(fd: process.descriptor, events: Int16(POLLIN), revents: 0)]
    for pipe in pipes { entries.append(pollfd(fd: pipe.descriptor, events: Int16(POLLIN), revents: 0)) }
    let ready = retrying { poll(&entries, nfds_t(entries.count), milliseconds) }
    for index in pipes.indices.reversed() where entries[index + 1].revents != 0 { _ = copyOnce(index) }
    return ready == 0 || entries[0].revents != 0
  }

  /// False when there is nothing to read for now. A pipe at its end is closed and forgotten.
  private mutating func copyOnce(_ index: Int) -> Bool {
    let pipe = pipes[index]
    var count = 0
    withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { buffer in
      count = retrying { read(pipe.descriptor, buffer.baseAddress, buffer.count) }
      guard count > 0 else { return }
      let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
      log.append(chunk)
      if pipe.isOutput { tail.append(chunk) }
    }
    if count == 0 {
      close(pipe.descriptor)
      pipes.remove(at: index)
    }
    return count > 0
  }

  private mutating func drainPipes() {
    for index in pipes.indices.reversed() { while copyOnce(index) {} }
  }

  private mutating func closePipes() {
    for pipe in pipes { close(pipe.descriptor) }
    pipes = []
  }

  /// When a task is being stopped, all of its group has the grace period, not only the shell: a shell that ends at once
  /// must not cost the program below it the time to save its work.
  private mutating func endLeftovers(of group: pid_t) {
    guard hasChildren() else { return }
    let deadline: Double
    if let killAt = current.killAt {
      deadline = killAt
    } else {
      deadline = monotonicSeconds() + Self.leftoverGraceSeconds
      log.note("the script has ended, but not all that it started: ending that now")
      terminateGroup(group)
    }
    while hasChildren() {
      let left = deadline - monotonicSeconds()
      guard left > 0, let child = children(of: getpid()).first, let process = try? ProcessDescriptor(pid: child) else {
        break
      }
      _ = copySome(orUntil: process, milliseconds: Int32(left * 1000) + 1)
    }
    let killed = endAllDescendants()
    if killed > 0 { log.note("killed \(killed) \(killed == 1 ? "process" : "processes") that had not ended") }
  }

  /// Reaps the children that have ended; tells whether there are others.
  private mutating func hasChildren() -> Bool {
    while true {
      switch reapChild() {
      case .ended(let ended): add(ended.usage)
      case .stillRunning: return true
      case .noChildren: return false
      }
    }
  }

  private mutating func add(_ other: ResourceUsage) {
    usage.cpuSeconds += other.cpuSeconds
    usage.peakMemoryBytes = max(usage.peakMemoryBytes, other.peakMemoryBytes)
  }

  private mutating func outcome(_ status: ExitStatus) -> TaskResult.Outcome {
    switch status {
    case .exited(0): return .success
    case .exited(Self.skipExitCode): return .skipped(reason: "the script ended with exit code 99")
    case .exited(let code):
      return .failed(reason: "the script ended with exit code \(code)", exitCode: Int(code))
    case .signaled(let number):
      log.note("the script was ended by \(status)")
      return .failed(reason: "the script was ended by \(status)", signal: Int(number))
    }
  }

  /// JSON text of what the script wrote to $DAGRUN_OUTPUT, or else of its last line. A script that wrote nothing has an
  /// empty one.
  private func output() throws(TaskOutputFile.Refusal) -> String? {
    if let written = try TaskOutputFile.read(outputPath) { return JSONValue.string(written).jsonText }
    return JSONValue.string(try tail.text()).jsonText
  }
}

private func writeFile(_ path: String, _ text: String) throws(SystemError) {
  let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
  if descriptor < 0 { throw SystemError("create \(path)") }
  defer { close(descriptor) }
  var failure: SystemError?
  Array(text.utf8).withUnsafeBytes { bytes in
    do throws(SystemError) { try writeAll(bytes, to: descriptor) } catch { failure = error }
  }
  if let failure { throw failure }
}
