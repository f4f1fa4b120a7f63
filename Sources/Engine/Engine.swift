internal import DagBag
internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Glibc
package import Executors
package import Logging
internal import Processes
internal import Scheduling
internal import Storage
package import Workers
package import Model

/// The one loop:  events -> Scheduler -> one transaction -> actions.
///
/// Everything below is confined to one serial queue, which owns the scheduler, the database and the executors. What
/// executors report, timers and requests append events; a batch handles all there are with one commit (`Engine+Batch`).
/// Nothing is launched, answered or reported that is not committed.
///
///     Engine+Batch      events to actions, and what happens when the disk fails
///     Engine+RefusedChanges   what the database will never take
///     Engine+Backfills  many dates, step by step
///     Engine+Launch     from a task to its executor, and what executors report
///     Engine+Orphans    what costs money still, and nobody waits for
///     Engine+Recovery   what became of the tries of the last scheduler
///     Engine+Requests   what commands ask for
///     Engine+DAGFiles   reading the DAG files, and noticing that they changed
package final class Engine: @unchecked Sendable {
  package struct Options: Sendable {
    package var home: Home
    /// Absolute.
    package var dagsFolder: String
    package var mode: Mode = .scheduler
    /// Task instances that run at once.
    package var parallelism = 32
    /// Between SIGTERM and SIGKILL.
    package var graceSeconds = 10.0
    package var workerProgram: WorkerProgram
    /// The `dagrun` that describes DAG files.
    package var executable: String
    /// Where compiled DAG files are kept; nil: in the home.
    package var cacheFolder: String?
    /// Where the compiler keeps what it makes of the system's headers; nil: in the home.
    package var moduleCacheFolder: String?
    /// The way to Compute Engine, asked for when the first job begins; nil: there is none.
    package var jobAccess: (@Sendable () throws -> JobAccess)?
    /// How long ended jobs are remembered.
    package var jobRetention = JobRetention()
    /// What runs tries, instead of the above.
    package var makeExecutors: (@Sendable (ExecutorHost) throws -> [any Executor])?
    /// Told on the queue how much of its thread's time a request has taken, in seconds. What holds the queue holds up every
    /// task.
    package var onQueueTime: (@Sendable (ControlRequest, Double) -> Void)?
    /// What `ping` is answered.
    package var version = ""

    package init(home: Home, dagsFolder: String, executable: String, workerProgram: WorkerProgram = .init()) {
      self.home = home
      self.dagsFolder = dagsFolder
      self.executable = executable
      self.workerProgram = workerProgram
    }
  }

  package enum Mode: Sendable {
    /// Runs what is due, and listens on the home's socket, until `stop`.
    case scheduler
    /// As `scheduler`, for a command that is its own scheduler until its run has ended: makes no scheduled runs.
    case command
    /// For commands where no scheduler runs: answers requests, and starts nothing.
    case offline
  }

  let options: Options
  let logger: Logger
  let queue = DispatchQueue(label: "dagrun.engine")
  let startedAt: Timestamp
  let bag: DagBag

  // Confined to the queue.
  var lock: SchedulerLock?
  var store: Store
  var scheduler: Scheduler
  var executors: [any Executor] = []
  var server: ControlServer?
  var watcher: FolderWatcher?
  var isStopped = false

  var pending: [PendingEvent] = []
  /// Events are being handled: what comes meanwhile waits in `pending`.
  var isInBatch = false
  var timer: any DispatchSourceTimer
  var timerIsSetFor: Timestamp?
  /// How often in a row the database could not be written; nil: it can.
  var failedCommits: Int?
  /// The last change that was to be written was not.
  var isDatabaseSuspect = false
  /// Why not.
  var commitProblem: String?
  /// What was committed last needs more of the database than is in memory.
  var mustRestore = false
  /// A batch is handled one event at a time.
  var isTakenApart = false
  var refused = RefusedChanges()
  var isContinuingBackfills = false
  /// Who waits until a backfill has come to all its dates.
  var backfillWaiters: [(backfill: Int64, body: () -> Void)] = []

  var runs: [Int64: LaunchedRun] = [:]
  var followers = Followers()
  var homeWatch: HomeWatch?
  /// Why this engine has ended by itself.
  var loss: String?
  var lossWaiters: [(String?) -> Void] = []
  var idleWaiters: [() -> Void] = []
  var removalWaiters: [() -> Void] = []
  var dagFiles = DAGFiles()

  /// Takes the home, restores its scheduler, reads the DAG files, finds out what became of the tasks that ran, and goes
  /// on.
  ///
  /// - Throws: `ControlRefusal`: `held` when another scheduler has the home, `unavailable` when disk or database fail.
  package static func start(_ options: Options, logger: Logger) async throws -> Engine {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            let engine = try Engine(options, logger: logger)
            try engine.queue.sync { try engine.begin() }
            return engine
          })
      }
    }
  }

  private init(_ options: Options, logger: Logger) throws {
    self.options = options
    self.logger = logger
    startedAt = now()
    // A limit on the size of files fails a write, as a full disk does, and ends nothing.
    signal(SIGXFSZ, SIG_IGN)
    lastScheduler = SchedulerLock.holder(of: options.home)
    lock = try SchedulerLock(options.home)
    var files = DagBag.Options(
      dagsFolder: options.dagsFolder, cacheFolder: options.cacheFolder ?? options.home.cachePath,
      executable: options.executable)
    files.moduleCacheFolder = options.moduleCacheFolder
    bag = DagBag(files)
    do {
      store = try Store(path: options.home.databasePath)
      let limits =
        switch options.mode {
        case .scheduler: Limits(parallelism: options.parallelism)
        case .command: Limits(parallelism: options.parallelism, makesScheduledRuns: false)
        case .offline: Limits.offline
        }
      scheduler = Scheduler(restoring: try store.snapshot(), limits: limits)
    } catch {
      throw ControlRefusal(.unavailable, "\(error)")
    }
    timer = DispatchSource.makeTimerSource(queue: queue)
  }

  /// Who had the home before; read before the lock was taken.
  let lastScheduler: SchedulerLock.Holder?

  private func begin() throws {
    dispatchPrecondition(condition: .onQueue(queue))
    timer.setEventHandler { [weak self] in self?.timerFired() }
    timer.resume()
    homeWatch = HomeWatch(options.home, lock: lock, queue: queue) { [weak self] in _ = self?.leaveIfHomeIsLost() }
    do {
      executors = try makeExecutors()
    } catch {
      throw ControlRefusal(.unavailable, "\(error)")
    }
    guard options.mode != .offline else { return }
    do {
      try recover()
    } catch {
      throw ControlRefusal(.unavailable, "\(error), and so what became of the tasks that ran")
    }
    startServer()
    reloadDAGFiles {}
    watchDAGFiles()
    if options.mode == .scheduler {
      for executor in executors { executor.startMaintenance() }
    }
  }

  private func makeExecutors() throws -> [any Executor] {
    let host = ExecutorHost(
      queue: queue, report: { [weak self] in self?.report($0) },
      handleEvents: { [weak self] in self?.handlePending() })
    if let make = options.makeExecutors { return try make(host) }
    let computeEngine = ComputeEngineExecutor(
      .init(access: options.jobAccess, retention: options.jobRetention), home: options.home, store: store, host: host,
      logger: logger)
    guard options.mode != .offline else { return [computeEngine] }
    let local = try LocalExecutor(
      .init(
        program: options.workerProgram, workersFolder: options.home.workersPath,
        workingDirectory: options.dagsFolder, graceSeconds: options.graceSeconds),
      host: host, logger: logger)
    return [local, computeEngine]
  }

  private func startServer() {
    do {
      server = try ControlServer(home: options.home, queue: queue) { [weak self] request, connection in
        self?.handle(request, from: connection)
      }
    } catch {
      // Runs go on; only commands cannot reach this scheduler.
      logger.error("commands cannot reach this scheduler", metadata: ["reason": "\(error)"])
    }
  }

  /// Stops scheduling and lets go of the home. Tasks that run bring themselves to their end, and the next scheduler
  /// finds their results.
  package func stop() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        end()
        continuation.resume()
      }
    }
  }

  func end() {
    guard !isStopped else { return }
    isStopped = true
    timer.cancel()
    server?.stop()
    server = nil
    watcher = nil
    homeWatch = nil
    for executor in executors { executor.shutDown() }
    followers.endAll(
      loss.map { ControlRefusal(.unavailable, $0) } ?? ControlRefusal(.gone, "the scheduler was stopped"))
    for item in pending { item.answer?(.failure(ControlRefusal(.unavailable, loss ?? "the scheduler was stopped"))) }
    pending = []
    for waiter in lossWaiters { waiter(loss) }
    lossWaiters = []
    for waiter in idleWaiters + removalWaiters + backfillWaiters.map(\.body) { waiter() }
    backfillWaiters = []
    idleWaiters = []
    removalWaiters = []
    try? store.close()
    lock = nil
  }

  /// Returns when nothing runs, and nothing will by itself. Runs that wait for a person may be left: of a paused DAG, in a
  /// pool without slots, or for a past that has failed.
  package func waitUntilIdle() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        idleWaiters.append { continuation.resume() }
        tellIfIdle()
      }
    }
  }

  /// Why no DAG file could be used when the folder was read last; nil: it could be read.
  package var dagFilesProblem: String? {
    get async {
      await withCheckedContinuation { continuation in
        queue.async { [self] in continuation.resume(returning: dagFiles.problem) }
      }
    }
  }

  func tellIfIdle() {
    guard !idleWaiters.isEmpty, isIdle else { return }
    for waiter in idleWaiters { waiter() }
    idleWaiters = []
  }

  private var isIdle: Bool {
    if isStopped { return true }
    return scheduler.activeTasks == 0 && executors.allSatisfy { $0.activeCount == 0 } && pending.isEmpty
      && !dagFiles.isLoading && failedCommits == nil && !scheduler.awaitsRetry && !scheduler.goesOn
  }
}
