package import Dagrun
internal import Dispatch
internal import Foundation
package import Logging
package import Model
package import Preparation
package import Processes
package import Workers

/// Runs shell and Swift tasks in worker processes of this machine. They outlive the engine: the next one finds them by
/// their journals.
package final class LocalExecutor: Executor, @unchecked Sendable {
  package struct Options: Sendable {
    package var program: WorkerProgram
    /// The folder of the workers' folders; absolute.
    package var workersFolder: String
    /// Where a task works that says nothing else; absolute.
    package var workingDirectory: String
    /// Between SIGTERM and SIGKILL.
    package var graceSeconds: Double
    /// Tries are stopped when this process is gone. Otherwise they continue, and the next engine finds their ends.
    package var endsTriesWithProcess: Bool

    package init(
      program: WorkerProgram, workersFolder: String, workingDirectory: String, graceSeconds: Double,
      endsTriesWithProcess: Bool = false
    ) {
      self.program = program
      self.workersFolder = workersFolder
      self.workingDirectory = workingDirectory
      self.graceSeconds = graceSeconds
      self.endsTriesWithProcess = endsTriesWithProcess
    }
  }

  package let id = ExecutorID.local
  let options: Options
  let host: ExecutorHost
  let pool: WorkerPool
  let adopted: AdoptedWorkers
  private let poolSource: any DispatchSourceRead
  private var isStopped = false

  package init(_ options: Options, host: ExecutorHost, logger: Logger) throws(SystemError) {
    self.options = options
    self.host = host
    try makeFolders(options.workersFolder, mode: 0o700)
    let pool = try WorkerPool(
      WorkerPool.Options(program: options.program, folder: options.workersFolder), queue: host.queue, logger: logger
    ) { host.report(.ended($0, $1)) }
    pool.turnEnded = host.handleEvents
    self.pool = pool
    adopted = AdoptedWorkers(queue: host.queue)
    poolSource = DispatchSource.makeReadSource(fileDescriptor: pool.poller.descriptor, queue: host.queue)
    adopted.ended = { [weak self] in self?.adoptedWorkerEnded($0) }
    poolSource.setEventHandler { [weak self] in self?.pump() }
    poolSource.resume()
    // Its process starts while the engine restores and reads.
    pool.warmUp()
  }

  package func launch(_ workload: TaskWorkload, in run: RunFacts) {
    let runMessage = RunContextMessage(
      run: workload.key.run, context: run.context, logFolder: run.logFolder,
      workingDirectory: options.workingDirectory)
    let assignment = TryAssignment(
      workload, graceSeconds: options.graceSeconds, endsWithItsGiver: options.endsTriesWithProcess)
    pool.submit(
      QueuedWorkload(assignment: assignment, runMessage: runMessage, logPath: runMessage.logPath(of: workload.key)))
  }

  /// Where a running try's output is until it is in its log; nil before a worker has it.
  func workerOutput(of key: TryKey) -> String? { pool.workerFolder(of: key).map(WorkerOutput.path(in:)) }

  package func stop(_ key: TryKey) -> Bool {
    guard pool.stop(key) || adopted.stop(key) else { return false }
    killLater(key)
    return true
  }

  /// The worker kills the task after its grace period. This is for a worker that does not.
  func killLater(_ key: TryKey) {
    host.queue.asyncAfter(deadline: .now() + options.graceSeconds + 5) { [weak self] in
      guard let self, !isStopped else { return }
      // Neither knows a try that has ended.
      pool.kill(key)
      adopted.kill(key)
    }
  }

  package var activeCount: Int { pool.activeCount }

  package func shutDown() {
    isStopped = true
    poolSource.cancel()
    pool.stop()
    adopted.stop()
  }

  package func committed(inSeconds seconds: Double) { pool.committed(inSeconds: seconds) }

  package func resultsCommitted() { pool.resultsCommitted() }

  package func engineIsIdle() { pool.warmUpWhenQuiet() }

  /// What workers have said, and what follows, until nobody says anything more for a moment.
  ///
  /// The moment is there because going back to Dispatch and being woken again costs more than a small task does. Timers
  /// and requests have their turn now and then all the same.
  private func pump() {
    var patience: Int32 = 0
    let turnEnds = monotonicSeconds() + 0.005
    while !isStopped, monotonicSeconds() < turnEnds, pool.poll(milliseconds: patience) {
      while pool.poll(milliseconds: 0) {}
      host.handleEvents()
      patience = pool.activeCount > 0 ? 1 : 0
    }
  }
}
