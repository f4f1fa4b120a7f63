internal import Dagrun
internal import Dispatch
package import Logging
package import Model
package import Preparation
package import Processes
internal import Workers

/// One try in a worker of its own, without an engine.
package final class StandaloneTry: @unchecked Sendable {
  package struct Progress: Sendable {
    /// nil while it runs.
    package var result: TaskResult?
    /// Where its output is until it is in its log; nil: not known.
    package var workerOutput: String?
  }

  private let key: TryKey
  private let queue = DispatchQueue(label: "dagrun.try")
  // On the queue from here on.
  private var executor: LocalExecutor?
  private var result: TaskResult?
  private var workerOutput: String?

  /// Begins it.
  ///
  /// - Parameters:
  ///   - options: its folders are this try's alone.
  ///   - changed: there may be progress. Called on a queue of its own.
  /// - Throws: when no worker could be begun; then nothing has happened.
  package init(
    _ workload: TaskWorkload, in run: RunFacts, _ options: LocalExecutor.Options, logger: Logger,
    changed: @escaping @Sendable () -> Void
  ) throws(SystemError) {
    key = workload.key
    let host = ExecutorHost(
      queue: queue,
      report: { [weak self] event in
        guard case .ended(_, let result) = event else { return }
        self?.result = result
      },
      handleEvents: { [weak self] in
        self?.turnEnded()
        changed()
      })
    let made = Result { () throws(SystemError) in try LocalExecutor(options, host: host, logger: logger) }
    let executor = try made.get()
    queue.sync {
      self.executor = executor
      executor.launch(workload, in: run)
    }
  }

  package var progress: Progress { queue.sync { Progress(result: result, workerOutput: workerOutput) } }

  /// Tells it to end. It has its period of grace.
  package func stop() { queue.sync { _ = executor?.stop(key) } }

  /// Ends the worker. A try that runs is stopped.
  package func end() {
    queue.sync {
      executor?.resultsCommitted()
      executor?.shutDown()
      executor = nil
    }
  }

  private func turnEnded() {
    // A result is kept by nobody but this object. And a worker that has become ready is given its try only now.
    executor?.resultsCommitted()
    if workerOutput == nil { workerOutput = executor?.workerOutput(of: key) }
  }
}
