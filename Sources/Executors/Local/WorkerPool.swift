internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Logging
internal import Model
internal import Preparation
internal import Processes
internal import Workers

/// The worker processes of this scheduler: gives tries to those that are free, starts more when tries wait
/// (`WorkerStarter` says when), and keeps a few warm.
///
/// Confined to the engine's queue.
final class WorkerPool: @unchecked Sendable {
  struct Options {
    var program = WorkerProgram()
    /// The folder of the workers' folders.
    var folder: String
    /// Workers that are kept although nothing waits for them.
    var maximumIdle = max(4, 2 * ProcessInfo.processInfo.activeProcessorCount)
    /// Workers that start, or load a DAG file, at once.
    var maximumStarting = max(1, ProcessInfo.processInfo.activeProcessorCount)
    /// A worker that has grown beyond it is replaced when it is free.
    var maximumMemoryBytes: Int64 = 256 << 20
  }

  let poller: Poller
  private let options: Options
  private let logger: Logger
  private let queue: DispatchQueue
  private let instance = "\(getpid())-\(UInt64(saturating: Date().timeIntervalSince1970 * 1000))"
  /// The end of a try, in the order in which they come. The pool does not have the try any more by then.
  private let ended: (TryKey, TaskResult) -> Void
  /// Called after tries may have ended while nobody else had called the pool.
  var turnEnded: () -> Void = {}

  private var starter: WorkerStarter
  private var workers: [Int: PooledWorker] = [:]
  private var lastNumber = 0
  /// Numbers of the idle ones; the last one was busy last, and is the warmest.
  private var idle: [Int] = []
  /// Workers that have ended a try in this batch. A worker is given its next try only when the result of the last one
  /// is committed, because its journal is lost then.
  private var freed: [PooledWorker] = []
  /// Of workers that have ended. They are kept until the results in their journals are committed.
  private var finishedFolders: [String] = []
  private var waiting: [QueuedWorkload] = []
  private var startingCount = 0
  private var loadingCount = 0
  private var busyCount = 0
  private var isCheckDue = false
  private var isWarmUpDue = false
  private var isRetireDue = false
  private var isStopped = false

  init(
    _ options: Options, queue: DispatchQueue, logger: Logger, ended: @escaping (TryKey, TaskResult) -> Void
  ) throws(SystemError) {
    self.options = options
    self.queue = queue
    self.logger = logger
    self.ended = ended
    starter = WorkerStarter(maximumStarting: options.maximumStarting)
    poller = try Poller()
  }

  /// Tries that were submitted and have not ended.
  var activeCount: Int { busyCount + waiting.count }

  /// Keeps a worker ready that has nothing loaded, so that a run's first task does not wait for a process to start.
  func warmUp() {
    guard !isStopped, startingCount == 0, !starter.isPaused(at: monotonicSeconds()),
      !idle.contains(where: { workers[$0]!.library == nil })
    else { return }
    startWorker()
  }

  /// As `warmUp`, when it is quiet.
  func warmUpWhenQuiet() {
    guard activeCount == 0, !isWarmUpDue else { return }
    isWarmUpDue = true
    queue.asyncAfter(deadline: .now() + 0.1) { [weak self] in
      guard let self else { return }
      isWarmUpDue = false
      if activeCount == 0 { warmUp() }
    }
  }

  // MARK: Tries

  func submit(_ pending: QueuedWorkload) {
    if let index = bestIdle(for: pending) {
      assign(pending, to: workers[idle.remove(at: index)]!)
    } else {
      var pending = pending
      pending.waitsSince = monotonicSeconds()
      waiting.append(pending)
      startWorkersIfNeeded()
    }
  }

  /// False when the pool does not have the try.
  func stop(_ key: TryKey) -> Bool {
    if let index = waiting.firstIndex(where: { $0.assignment.key == key }) {
      waiting.remove(at: index)
      ended(key, .stoppedBeforeStart(at: now()))
      return true
    }
    guard let worker = worker(at: key), case .busy(var pending) = worker.state else { return false }
    pending.isStopping = true
    worker.state = .busy(pending)
    worker.link.stop(key)
    return true
  }

  /// Kills the worker that is still at the try; for one that does not do as it is told.
  func kill(_ key: TryKey) { worker(at: key)?.link.process.signal(SIGKILL) }

  func workerFolder(of key: TryKey) -> String? { worker(at: key)?.link.folder }

  private func worker(at key: TryKey) -> PooledWorker? {
    workers.values.first {
      if case .busy(let pending) = $0.state { pending.assignment.key == key } else { false }
    }
  }

  /// The warmest worker that has the right file loaded, or else one that has none.
  private func bestIdle(for pending: QueuedWorkload) -> Int? {
    if pending.assignment.workload.user != nil { return idle.lastIndex { workers[$0]!.isFresh } }
    guard let library = pending.library else { return idle.indices.last }
    return idle.lastIndex { workers[$0]!.library == library } ?? idle.lastIndex { workers[$0]!.library == nil }
  }

  private func assign(_ pending: QueuedWorkload, to worker: PooledWorker) {
    worker.state = .busy(pending)
    busyCount += 1
    if let library = pending.library, worker.library == nil {
      worker.library = library
      worker.isLoading = true
      loadingCount += 1
    }
    var isSent = true
    // Mostly they are the very same dictionary, which costs nothing to compare.
    if worker.knownRuns[pending.runMessage.run] != pending.runMessage.context.variables {
      // As the worker does when it gets a run's context.
      if worker.knownRuns.count >= 64 { worker.knownRuns = [:] }
      worker.knownRuns[pending.runMessage.run] = pending.runMessage.context.variables
      isSent = worker.link.send(.run(pending.runMessage))
    }
    isSent = worker.link.send(.start(pending.assignment)) && isSent
    if !isSent { awaitRoom(worker, true) }
  }

  private func awaitRoom(_ worker: PooledWorker, _ isNeeded: Bool) {
    guard worker.isAwaitingRoom != isNeeded else { return }
    worker.isAwaitingRoom = isNeeded
    poller.await(writable: isNeeded, worker.link.socket, token: worker.socketToken)
  }

  // MARK: Workers

  private func startWorkersIfNeeded() {
    guard !isStopped, let oldest = waiting.first else { return }
    let load = WorkerStarter.Load(
      waiting: waiting.count, waitsSince: oldest.waitsSince, busy: busyCount, starting: startingCount,
      loading: loadingCount, workers: workers.count)
    switch starter.decide(load, at: monotonicSeconds()) {
    case .startNone: break
    case .decideAgain(let seconds): checkLater(after: seconds)
    case .start(let count):
      for _ in 0..<count {
        // One that has another file loaded is of no use to those that wait.
        if let other = idle.first { retire(workers[other]!) }
        guard startWorker() else { return }
      }
    }
  }

  func committed(inSeconds seconds: Double) { starter.committed(inSeconds: seconds) }

  private func checkLater(after seconds: Double) {
    guard !isCheckDue else { return }
    isCheckDue = true
    queue.asyncAfter(deadline: .now() + seconds) { [weak self] in
      guard let self else { return }
      isCheckDue = false
      startWorkersIfNeeded()
      turnEnded()
    }
  }

  @discardableResult
  private func startWorker() -> Bool {
    lastNumber += 1
    let folder = "\(options.folder)/\(instance)-\(lastNumber)"
    do throws(SystemError) {
      let worker = PooledWorker(number: lastNumber, link: try WorkerLink(options.program, folder: folder))
      try poller.add(worker.link.socket, token: worker.socketToken)
      try poller.add(worker.link.process.descriptor, token: worker.processToken)
      workers[worker.number] = worker
      starter.workerStarted(at: monotonicSeconds())
      startingCount += 1
      return true
    } catch {
      if error.isShortage {
        waitOutShortage("\(error)")
        return false
      }
      logger.error("cannot start a worker process", metadata: ["reason": "\(error)"])
      failWaitingWithoutWorkers("cannot start a worker process: \(error)")
      return false
    }
  }

  /// The machine lacks what a worker needs, most likely not for long. That is not the tasks' fault: they wait.
  private func waitOutShortage(_ reason: String) {
    let pause = starter.pause(at: monotonicSeconds())
    logger.error("cannot start a worker process for now; tasks wait", metadata: ["reason": "\(reason)"])
    checkLater(after: pause)
  }

  /// Nobody is left who could take them.
  private func failWaitingWithoutWorkers(_ reason: String) {
    guard startingCount == 0, busyCount == 0 else { return }
    let failed = waiting
    waiting = []
    for pending in failed { ended(pending.assignment.key, TaskResult(.failed(reason: reason))) }
  }

  private func retire(_ worker: PooledWorker) {
    idle.removeAll { $0 == worker.number }
    worker.state = .leaving
    worker.link.hangUp()
  }

  /// Workers that nothing has waited for in a while, beyond those that are kept.
  private func retireLater() {
    guard !isRetireDue else { return }
    isRetireDue = true
    queue.asyncAfter(deadline: .now() + 2) { [weak self] in
      guard let self, !isStopped else { return }
      isRetireDue = false
      guard idle.count > options.maximumIdle else { return }
      if activeCount > 0 { return retireLater() }
      for number in idle.prefix(idle.count - options.maximumIdle) { retire(workers[number]!) }
    }
  }

  /// The worker has nothing to do: gives it what has waited longest, of what it can run.
  private func becomeFree(_ worker: PooledWorker) {
    if let index = waiting.firstIndex(where: { worker.canRun($0) }) {
      assign(waiting.remove(at: index), to: worker)
    } else {
      worker.state = .idle
      idle.append(worker.number)
      if idle.count > options.maximumIdle { retireLater() }
    }
    startWorkersIfNeeded()
  }

  // MARK: What workers say

  /// Handles what is ready, after waiting at most so long for anything.
  ///
  /// - Returns: whether anything was.
  func poll(milliseconds: Int32) -> Bool {
    poller.poll(milliseconds: milliseconds) { token, isWritable in
      guard let worker = workers[Int(token >> 1)] else { return }
      if token & 1 == 1 { return processEnded(worker) }
      if isWritable, worker.link.sendRest() { awaitRoom(worker, false) }
      receive(worker)
    } > 0
  }

  private func receive(_ worker: PooledWorker) {
    let isOpen = worker.link.receive { report in
      switch report {
      case .ready:
        guard case .starting = worker.state else { return killSenseless(worker) }
        startingCount -= 1
        starter.workerBecameReady()
        worker.state = .idle
        // Given something by `settle`, once the whole batch has been handled.
        freed.append(worker)
      case .loaded:
        endLoading(worker)
        startWorkersIfNeeded()
      case .finished(let key, let result, let isLast):
        guard case .busy(let pending) = worker.state, pending.assignment.key == key else {
          return killSenseless(worker)
        }
        busyCount -= 1
        endLoading(worker)
        worker.state = .idle
        let ranSeconds = result.startDate.flatMap { start in result.endDate?.seconds(since: start) }
        starter.tryEnded(ranSeconds: ranSeconds, at: monotonicSeconds())
        if isLast || (result.usage.peakMemoryBytes ?? 0 > options.maximumMemoryBytes && worker.library != nil) {
          worker.state = .leaving
          worker.link.hangUp()
        }
        freed.append(worker)
        ended(key, worker.takingLog(of: pending, for: result))
      }
    }
    if !isOpen {
      // Its process is about to end, and tells the rest.
      poller.remove(worker.link.socket)
      killLostWorker(worker)
    }
  }

  /// A process that ends closes its descriptors first. One that does not end has lost its connection.
  private func killLostWorker(_ worker: PooledWorker) {
    guard case .busy(let pending) = worker.state else { return }
    let (number, key) = (worker.number, pending.assignment.key)
    queue.asyncAfter(deadline: .now() + 1) { [weak self] in
      guard let self, !isStopped, let worker = workers[number] else { return }
      guard case .busy(let now) = worker.state, now.assignment.key == key else { return }
      worker.hasLostConnection = true
      worker.link.process.signal(SIGKILL)
    }
  }

  /// User code runs in that process, and may have written to any of its descriptors.
  private func killSenseless(_ worker: PooledWorker) {
    logger.error("a worker process makes no sense; killing it", metadata: ["pid": "\(worker.link.pid)"])
    worker.link.process.signal(SIGKILL)
  }

  private func endLoading(_ worker: PooledWorker) {
    guard worker.isLoading else { return }
    worker.isLoading = false
    loadingCount -= 1
  }

  private func settle() {
    guard !freed.isEmpty else { return }
    let all = freed
    freed = []
    for worker in all {
      guard case .idle = worker.state else { continue }
      becomeFree(worker)
    }
  }

  private func processEnded(_ worker: PooledWorker) {
    // What it said last may still be unread.
    receive(worker)
    poller.remove(worker.link.process.descriptor)
    poller.remove(worker.link.socket)
    endLoading(worker)
    let status = waitForChild(worker.link.pid)?.status
    let state = worker.state
    worker.state = .leaving
    workers[worker.number] = nil
    idle.removeAll { $0 == worker.number }
    freed.removeAll { $0 === worker }
    switch state {
    case .idle, .leaving:
      // What it reported last may not be committed yet.
      removeWhenCommitted(worker.link.folder)
    case .starting:
      startingCount -= 1
      logger.error(
        "a worker process ended before it was ready", metadata: ["status": "\(status.map { "\($0)" } ?? "")"])
      WorkerFolder.remove(worker.link.folder)
      startFailed(status)
    case .busy(let pending):
      busyCount -= 1
      handleExit(of: worker, under: pending, status)
    }
  }

  private func startFailed(_ status: ExitStatus?) {
    if status == .exited(WorkerExit.shortage) {
      return waitOutShortage("a worker process could not start; it says why on its standard error")
    }
    // Also while others run, which may take what waits: a process that cannot live is not started over and over.
    checkLater(after: starter.pause(at: monotonicSeconds()))
    if starter.startFailed() {
      failWaitingWithoutWorkers("worker processes end as soon as they start (\(status.map { "\($0)" } ?? "unknown"))")
    }
  }

  private func handleExit(of worker: PooledWorker, under pending: QueuedWorkload, _ status: ExitStatus?) {
    let (key, folder) = (pending.assignment.key, worker.link.folder)
    let journal = WorkerJournal(folder: folder)
    var pending = pending
    pending.attempts += 1
    let what = TryAfterExit(
      entry: journal?.last.flatMap { $0.key == key ? $0 : nil }, hasJournal: journal != nil, status: status,
      isStopping: pending.isStopping, workers: pending.attempts)
    switch what {
    case .ended(let result):
      ended(key, worker.takingLog(of: pending, for: result))
      removeWhenCommitted(folder)
    case .died:
      ended(key, worker.resultOfDeath(under: pending, journal: journal, status))
      removeWhenCommitted(folder)
    case .stopped:
      WorkerFolder.remove(folder)
      ended(key, .stoppedBeforeStart(at: now()))
    case .waitsOutShortage:
      WorkerFolder.remove(folder)
      waitOutShortage("a worker process could not begin a task")
      submit(pending)
    case .goesToAnother:
      WorkerFolder.remove(folder)
      _ = starter.pause(at: monotonicSeconds())
      submit(pending)
    case .fails:
      WorkerFolder.remove(folder)
      ended(key, TaskResult(.failed(reason: "three workers ended before they could begin it")))
    }
  }

  // MARK: Folders

  /// Removes the folder of a worker that has ended, once what was reported so far is committed.
  func removeWhenCommitted(_ folder: String) { finishedFolders.append(folder) }

  func owns(_ folder: String) -> Bool { workers.values.contains { $0.link.folder == folder } }

  /// The results that were reported so far are committed.
  func resultsCommitted() {
    for folder in finishedFolders { WorkerFolder.remove(folder) }
    finishedFolders = []
    settle()
  }

  // MARK: The end

  /// Disconnects from all workers. Those that run a task bring it to its end, and leave the result in their journals
  /// for the next scheduler; the others are waited for, which takes no time.
  func stop() {
    isStopped = true
    for worker in workers.values { worker.link.hangUp() }
    for worker in workers.values {
      switch worker.state {
      case .idle, .leaving:
        guard worker.link.process.hasEnded(within: 5000) else { continue }
        _ = waitForChild(worker.link.pid)
        // What it reported may not be committed: the database may have failed since.
        if !freed.contains(where: { $0 === worker }) { WorkerFolder.remove(worker.link.folder) }
      // One that is starting removes its folder itself.
      case .starting, .busy: break
      }
    }
    freed = []
    workers = [:]
    idle = []
    waiting = []
  }
}
