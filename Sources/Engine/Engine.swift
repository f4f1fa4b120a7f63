package import Control
internal import DagBag
internal import Dagrun
package import Dispatch
package import Executors
internal import Foundation
internal import Glibc
package import Logging
package import Model
internal import Processes
internal import Scheduling
internal import Storage
package import Workers

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
    /// Told on the queue how much of its thread's time a request has taken, in seconds. What holds the queue holds up
    /// every task.
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
  package let queue: DispatchQueue
  let startedAt: Timestamp
  let environment: EngineEnvironment

  var store: Store { environment.store }
  var clock: any EngineClock { environment.clock }
  var dagSource: any DAGSource { environment.dagSource }

  // Confined to the queue.
  var lock: SchedulerLock?
  var scheduler: Scheduler
  var executors: [any Executor] = []
  var server: ControlServer?
  var isStopped = false

  var pending: [PendingEvent] = []
  /// Events are being handled: what comes meanwhile waits in `pending`.
  var isInBatch = false
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

  var runs: [Int64: RunLaunchContext] = [:]
  var followers = RunSubscribers()
  var homeWatch: HomeWatch?
  /// Who had the home before; read before the lock was taken.
  var lastScheduler: SchedulerLock.Holder?
  /// Why this engine has ended by itself.
  var loss: String?
  var lossWaiters: [(String?) -> Void] = []
  var idleWaiters: [() -> Void] = []
  var removalWaiters: [() -> Void] = []
  var dagFiles = DAGFiles()

  /// Takes the home, restores its scheduler, reads the DAG files, finds out what became of the tasks that ran, and
  /// continues.
  ///
  /// - Throws: `ControlError`: `held` when another scheduler has the home, `unavailable` when disk or database fail.
  package static func start(_ options: Options, logger: Logger) async throws -> Engine {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async {
        continuation.resume(
          with: Result {
            // A limit on the size of files fails a write, as a full disk does, and ends nothing.
            signal(SIGXFSZ, SIG_IGN)
            let lastScheduler = SchedulerLock.holder(of: options.home)
            let lock = try SchedulerLock(options.home)
            let queue = makeQueue()
            let engine = try Engine(
              options, try .machine(options, queue: queue, logger: logger), on: queue, logger: logger)
            (engine.lock, engine.lastScheduler) = (lock, lastScheduler)
            try queue.sync { try engine.begin() }
            return engine
          })
      }
    }
  }

  package static func makeQueue() -> DispatchQueue { DispatchQueue(label: "dagrun.engine") }

  /// Restores a scheduler. It does nothing before `begin`.
  ///
  /// - Throws: `ControlError`: `unavailable` when the database fails.
  package init(
    _ options: Options, _ environment: EngineEnvironment, on queue: DispatchQueue, logger: Logger
  ) throws {
    (self.options, self.environment, self.queue, self.logger) = (options, environment, queue, logger)
    startedAt = environment.clock.now()
    do {
      scheduler = Scheduler(restoring: try environment.store.snapshot(), limits: environment.limits)
    } catch {
      throw ControlError(.unavailable, "\(error)")
    }
  }

  /// On the queue. An engine without a lock has no home: no command reaches it by a socket.
  package func begin() throws {
    dispatchPrecondition(condition: .onQueue(queue))
    clock.alarmFired = { [weak self] in self?.timerFired() }
    if let lock {
      homeWatch = HomeWatch(options.home, lock: lock, queue: queue) { [weak self] in _ = self?.leaveIfHomeIsLost() }
    }
    do {
      executors = try environment.makeExecutors(
        ExecutorHost(
          queue: queue, report: { [weak self] in self?.report($0) },
          handleEvents: { [weak self] in self?.handlePending() }))
    } catch {
      throw ControlError(.unavailable, "\(error)")
    }
    guard options.mode != .offline else { return }
    do {
      try recover()
    } catch {
      throw ControlError(.unavailable, "\(error), and so what became of the tasks that ran")
    }
    if lock != nil { startServer() }
    reloadDAGFiles {}
    watchDAGFiles()
    if options.mode == .scheduler {
      for executor in executors { executor.startMaintenance() }
    }
  }

  private func startServer() {
    do {
      server = try ControlServer(home: options.home, queue: queue) { [weak self] request, connection in
        self?.handle(request, from: connection)
      }
    } catch {
      // Runs continue; only commands cannot reach this scheduler.
      logger.error("commands cannot reach this scheduler", metadata: ["reason": "\(error)"])
    }
  }

  /// Stops scheduling and releases the home. Tasks that run bring themselves to their end, and the next scheduler
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
    clock.stop()
    server?.stop()
    server = nil
    dagSource.stop()
    homeWatch = nil
    for executor in executors { executor.shutDown() }
    followers.endAll(
      loss.map { ControlError(.unavailable, $0) } ?? ControlError(.gone, "the scheduler was stopped"))
    for item in pending { item.answer?(.failure(ControlError(.unavailable, loss ?? "the scheduler was stopped"))) }
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

  /// Returns when nothing runs, and nothing will by itself. Runs that wait for a person may be left: of a paused DAG,
  /// in a pool without slots, or for a past that has failed.
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

  var isIdle: Bool {
    if isStopped { return true }
    return scheduler.activeTasks == 0 && executors.allSatisfy { $0.activeCount == 0 } && pending.isEmpty
      && !dagFiles.isLoading && failedCommits == nil && !scheduler.awaitsRetry && !scheduler.hasMoreToDo
      // Asked last: it looks at every task.
      && scheduler.deferredTries.isEmpty
  }
}
