internal import Dagrun
internal import Glibc
internal import Model
internal import Preparation
internal import Processes
import Synchronization

/// A worker process: runs one try after the other until the scheduler that started it has no more, or is gone. What it
/// is running then it brings to its end, and writes into its journal, where the next scheduler finds it.
///
/// Three threads: the task's thread below, the control thread, and the main thread, which belongs to the main actor of
/// the compiled DAG file.
final class Worker: @unchecked Sendable {
  private let folder: String
  private let scheduler: pid_t
  private let socket: Int32
  private let current = CurrentTry()
  private let control: ControlThread
  /// Looked up once: a task may change PATH.
  private let bash: String?
  private let environment: [String: String]
  private let runner: SwiftTaskRunner
  private var runMessages: [Int64: RunContextMessage] = [:]
  /// It was given a try.
  private var hasBegun = false
  /// What tasks must find, and leave. Of the task's thread.
  private var process: ProcessState?
  /// What loading the DAG file changed of the process in such a way that no other task may have it.
  private var isWornByLoading = false
  /// The account of the one task that this process is for, when that is not the scheduler's.
  private var guest: GuestAccount?

  /// What ending a try writes to, whichever thread ends it.
  private struct ResultSink {
    var journal: JournalWriter
    var report = ByteWriter()
    /// The last result, when the journal could not take it.
    var unjournaled: TaskResult?
  }
  private let sink: Mutex<ResultSink>

  init(folder: String, scheduler: pid_t, socket: Int32, controlSocket: Int32, code: TaskCode) throws(SystemError) {
    self.folder = folder
    self.scheduler = scheduler
    self.socket = socket
    for descriptor in [socket, controlSocket] { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    // A limit on the size of files fails a write, as a full disk does, and ends nothing.
    signal(SIGXFSZ, SIG_IGN)
    try becomeSubreaper()
    try makeFolders(folder, mode: 0o700)
    sink = Mutex(ResultSink(journal: try JournalWriter(folder: folder)))
    try WorkerOutput.open(in: folder)
    // A person who follows the log sees each line when it is printed.
    lineBufferStandardOutput()
    environment = TaskEnvironment.inherited()
    bash = SimpleCommand.find("bash", environment["PATH"] ?? "/bin:/usr/bin", "/")
    runner = SwiftTaskRunner(code: code)
    control = try ControlThread(socket: controlSocket, current: current) { theWorker!.lostConnection() }
  }

  /// Of its own: without any of them it could not continue.
  var descriptors: [Int32] { [socket, sink.withLock { $0.journal.descriptor }] + control.descriptors }

  func startControlThread() { startThread { [control] in control.run() } }

  // MARK: The task's thread

  func run() -> Never {
    send(.ready)
    process = ProcessState()
    var messages = MessageBuffer()
    while messages.fill(from: socket) != .end {
      do throws(MalformedBytes) {
        while let request = try messages.next({ (bytes) throws(MalformedBytes) in try WorkerRequest(bytes) }) {
          handle(request)
        }
      } catch {
        note("the worker \(getpid()) cannot read what the scheduler sent")
        _exit(2)
      }
    }
    journalAtLast()
    if !hasBegun { removeFolder() }
    _exit(0)
  }

  /// Nothing was ever to be done: there is nothing to find here.
  private func removeFolder() {
    unlink(WorkerJournal.path(in: folder))
    unlink(WorkerOutput.path(in: folder))
    rmdir(folder)
  }

  /// The scheduler is gone, and perhaps without having read the last report. A full disk must not cost the next one the
  /// result: this process stays until the journal has it.
  private func journalAtLast() {
    while true {
      let isDone = sink.withLock { sink in
        guard let result = sink.unjournaled else { return true }
        return (try? sink.journal.append(.finished(result))) != nil
      }
      if isDone { return }
      sleep(1)
    }
  }

  private func handle(_ request: WorkerRequest) {
    switch request {
    case .run(let runMessage):
      // A worker serves many runs in its life, few at a time.
      if runMessages.count >= 64 { runMessages = [:] }
      runMessages[runMessage.run] = runMessage
    case .start(let assignment):
      start(assignment)
    case .stop:
      preconditionFailure("a stop on the socket of tasks")
    }
  }

  private func start(_ assignment: TryAssignment) {
    let id = assignment.key
    hasBegun = true
    do throws(SystemError) {
      try sink.withLock { (sink) throws(SystemError) in
        sink.unjournaled = nil
        try sink.journal.start(id)
        // Written first, looked at second: a scheduler that finds no entry knows that nothing will run, because its
        // predecessor was gone before it looked.
        if getppid() != scheduler {
          try sink.journal.append(.abandoned)
          _exit(0)
        }
      }
    } catch {
      // Without a journal nothing may run: the scheduler sees this process end, and starts the try elsewhere.
      note("\(error)")
      _exit(error.isShortage ? WorkerExit.shortage : WorkerExit.failure)
    }
    guard let runMessage = runMessages[id.run] else { preconditionFailure("no context of run \(id.run)") }
    current.begin(assignment, at: wallClockMicroseconds())
    let logPath = runMessage.logPath(of: id)
    process!.begins()

    switch assignment.workload.work {
    case .bash(let script, let environment, let workingDirectory):
      if let problem = becomeGuest(assignment.workload.user, needsScratch: true) {
        return refuse(problem, logPath: logPath)
      }
      let scratch = guest?.scratch ?? folder
      let outputPath = scratch + "/task_output"
      let attempt = BashTry(
        assignment, current: current, bash: bash, log: shellLog(logPath), outputPath: outputPath)
      let ended = attempt.run(
        script: script,
        environment: TaskEnvironment.merge(
          self.environment.merging(guest?.account.variables ?? [:]) { $1 }, outputPath: outputPath, environment),
        workingDirectory: workingDirectory ?? runMessage.workingDirectory, scratch: scratch
      ) { process in
        sink.withLock { try? $0.journal.append(.process(process)) }
      } wakeControl: {
        control.wake()
      }
      guest?.removeScratch()
      let isWorn = isWornByLoading || guest != nil || process!.differenceFromOutside() != nil
      end(ended.outcome, output: ended.output, usage: ended.usage, loss: ended.loss, isLast: isWorn)

    case .swift(let library, let entry, let inputs):
      startSwift(assignment, runMessage, library: library, entry: entry, inputs: inputs, logPath: logPath)

    case .jobs: preconditionFailure("\(assignment.key): a worker is given no jobs")
    }
  }

  private func startSwift(
    _ assignment: TryAssignment, _ runMessage: RunContextMessage, library: String, entry: String, inputs: [String],
    logPath: String
  ) {
    let before = CPUUsage()
    // Where shell tasks start, too. Each time, because a task may go elsewhere.
    if let problem = enter(runMessage.workingDirectory) { return refuse(problem, logPath: logPath) }
    let failure = runner.load(library, entry) {
      isWornByLoading = process!.loaded() != nil
      process!.begins()
      // A file of many tasks takes a while to load: that is not the task's time.
      current.beginWork(at: wallClockMicroseconds())
      send(.loaded)
    }
    if let problem = becomeGuest(assignment.workload.user, needsScratch: false) {
      return refuse(problem, logPath: logPath)
    }
    if let guest {
      for (name, value) in guest.account.variables { setenv(name, value, 1) }
      if let problem = enter(runMessage.workingDirectory) { return refuse(problem, logPath: logPath) }
    }
    let (outcome, output) =
      failure.map { ($0, nil) }
      ?? runner.run(
        assignment.key, in: runMessage.context, inputs: inputs, as: current,
        missingOutputs: assignment.workload.missingOutputs,
        kill: { self.killSwiftTask(logPath: logPath, since: before) }, wakeControl: { [control] in control.wake() })
    let isWorn = process!.difference() != nil || isWornByLoading || guest != nil
    if isWorn, !isSubreaper() {
      // Whom the task has orphaned meanwhile went to somebody else.
      killSurvivors(markedBy: TaskEnvironment.marker, folder, leaders: [])
    }
    let loss = tidyUpSwiftTask(logPath: logPath)
    if !end(outcome, output: output, usage: before.untilNow(), loss: loss, isLast: isWorn) {
      // The control thread was first, and kills this process.
      while true { pause() }
    }
  }

  private func enter(_ workingDirectory: String) -> TaskResult.Outcome? {
    chdir(workingDirectory) == 0 ? nil : .failed(reason: "\(SystemError("work in \(workingDirectory)"))")
  }

  // MARK: Other accounts

  /// From here on this process belongs to another account, for one task.
  ///
  /// - Returns: how the try ends when that cannot be.
  private func becomeGuest(_ user: String?, needsScratch: Bool) -> TaskResult.Outcome? {
    guard let user else { return nil }
    do throws(GuestAccount.Refusal) {
      guest = try GuestAccount(user, needsScratch: needsScratch)
      return nil
    } catch {
      return .failed(reason: error.reason, isRetryable: error.isRetryable)
    }
  }

  /// What another account cannot open is open already: the worker's output, which the scheduler makes the log.
  private func shellLog(_ path: String) -> LogFile {
    LogFile(path: path, descriptor: guest == nil ? -1 : fcntl(1, F_DUPFD_CLOEXEC, 3))
  }

  /// Ends a try that does not begin its work.
  private func refuse(_ outcome: TaskResult.Outcome, logPath: String) {
    if case .failed(let failure, _) = outcome { note(failure.reason) }
    let loss = tidyUpSwiftTask(logPath: logPath)
    guest?.removeScratch()
    end(outcome, output: nil, usage: ResourceUsage(cpuSeconds: 0, peakMemoryBytes: 0), loss: loss, isLast: guest != nil)
  }

  // MARK: The end of a try

  /// Journal, then report. Of several threads that want to end a try one does; the others get false.
  ///
  /// - Parameter isLast: no other task may run in this process.
  @discardableResult
  private func end(
    _ outcome: TaskResult.Outcome, output: String?, usage used: ResourceUsage, loss: Losses = Losses(),
    isLast: Bool = false
  ) -> Bool {
    guard let (id, startDate, wasStopping, outputIsRead) = current.end() else { return false }
    var outcome = (wasStopping ? outcome.afterStop : outcome).shortened
    var output = output
    var loss = loss
    if let text = output, text.utf8.count > TaskResult.outputLimitBytes, outcome == .success {
      if outputIsRead {
        outcome = .outputTooLarge(text.utf8.count)
      } else {
        loss.add("\(TaskResult.tooLarge(text.utf8.count)): it was not kept")
        output = nil
      }
    }
    var result = TaskResult(
      outcome, output: outcome == .success ? output : nil,
      usage: Usage(cpuSeconds: used.cpuSeconds, peakMemoryBytes: used.peakMemoryBytes),
      startDate: Timestamp(microseconds: startDate), endDate: Timestamp(microseconds: wallClockMicroseconds()),
      loss: loss.text)
    sink.withLock { sink in
      do throws(SystemError) {
        try sink.journal.append(.finished(result))
      } catch {
        loss.add("the worker's journal lacks its end: \(error)")
        result.loss = loss.text
        // The report may still arrive. If it does not, the journal has to have the result (`journalAtLast`).
        sink.unjournaled = result
      }
      sink.report.removeAll()
      WorkerReport.finished(id, result, isLast: isLast).append(to: &sink.report)
      sendReport(&sink)
    }
    return true
  }

  private func send(_ report: WorkerReport) {
    sink.withLock {
      $0.report.removeAll()
      report.append(to: &$0.report)
      sendReport(&$0)
    }
  }

  private func sendReport(_ sink: inout ResultSink) {
    sink.report.bytes.withUnsafeBytes { bytes in
      var sent = 0
      while sent < bytes.count {
        let count = retrying { Glibc.send(socket, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL)) }
        // The scheduler is gone. The journal has the result; the next read tells this thread to leave.
        if count < 0 { return }
        sent += count
      }
    }
  }

  /// No child of the task survives it, and what it printed becomes its log.
  ///
  /// - Returns: what of that was lost.
  private func tidyUpSwiftTask(logPath: String) -> Losses {
    var losses = Losses()
    let killed = endAllDescendants()
    if killed > 0 {
      note("killed \(killed) \(killed == 1 ? "process" : "processes") that the task had left behind")
    }
    guard guest == nil else {
      if let problem = WorkerOutput.flushStandardOutput() { losses.add("the log lacks \(problem)") }
      return losses
    }
    do throws(SystemError) {
      if let problem = try WorkerOutput.hand(from: folder, to: logPath) { losses.add("the log lacks \(problem)") }
    } catch {
      losses.add("the log lacks what the task printed: \(error)")
      note("\(error)")
    }
    return losses
  }

  /// On the control thread: the task did not end after it was cancelled. A thread cannot be killed, so the process is.
  private func killSwiftTask(logPath: String, since before: CPUUsage) {
    note("the task did not end after it was cancelled: killing its process")
    let loss = tidyUpSwiftTask(logPath: logPath)
    if end(.stopped(signal: Int(SIGKILL)), output: nil, usage: before.untilNow(), loss: loss) {
      kill(getpid(), SIGKILL)
    }
  }

  /// On whichever thread called `exit`.
  func exitCalled(code: Int32) {
    guard let id = current.id else { return }
    note("the task called exit(\(code))")
    let logPath = runMessages[id.run]!.logPath(of: id)
    let loss = tidyUpSwiftTask(logPath: logPath)
    end(
      .failed(reason: "called exit(\(code))", exitCode: Int(code)), output: nil, usage: CPUUsage.ofThisProcess(),
      loss: loss)
  }

  /// On whichever thread is about to close one of the worker's descriptors. Without it nobody could stop the task, or
  /// be told of its end: so the try ends here, while there is a way to say so.
  func willLose(descriptor: Int32) {
    endTry(
      because: "closed descriptor \(descriptor), by which dagrun works with the task's process; "
        + "close only what the task has opened")
  }

  /// On the control thread: the connection was closed unseen.
  func lostConnection() -> Never {
    endTry(because: "closed the connection between its process and dagrun; close only what the task has opened")
  }

  private func endTry(because reason: String) -> Never {
    if let id = current.id, let runMessage = runMessages[id.run] {
      note("the task \(reason)")
      let loss = tidyUpSwiftTask(logPath: runMessage.logPath(of: id))
      end(
        .failed(reason: reason), output: nil, usage: CPUUsage.ofThisProcess(), loss: loss, isLast: true)
    }
    _exit(WorkerExit.failure)
  }
}

extension TaskResult.Outcome {
  /// A task that was told to stop has not succeeded, whatever it says.
  fileprivate var afterStop: TaskResult.Outcome {
    switch self {
    case .success, .skipped: .stopped()
    case .failed(let failure, _): .stopped(exitCode: failure.exitCode, signal: failure.signal)
    case .stopped, .lost, .deferred: self
    }
  }
}
