internal import Dagrun
internal import Processes
internal import Scheduling
internal import Workers

/// From a worker's words to the scheduler's.
extension TaskResult {
  /// - Parameter stopReason: why the engine had told the try to stop, if it had.
  init(_ result: TryResult, stopReason: Action.StopReason?) {
    let usage = Usage(cpuSeconds: result.cpuSeconds, peakMemoryBytes: result.peakMemoryBytes)
    self.init(
      Outcome(result.outcome, stopReason: stopReason), output: result.output, usage: usage,
      startDate: Timestamp(microseconds: result.startDate), endDate: Timestamp(microseconds: result.endDate))
    loss = result.loss
  }

  /// A try that no worker could tell the end of.
  static func failed(_ reason: String, exitCode: Int? = nil, signal: Int? = nil, isRetryable: Bool = true) -> TaskResult
  {
    TaskResult(.failed(Failure(reason: reason, exitCode: exitCode, signal: signal), retryable: isRetryable))
  }

  /// A try whose worker's process ended under it.
  ///
  /// - Parameter loss: what was lost with it.
  init(workerEnded status: ExitStatus?, loss: String? = nil) {
    defer { self.loss = loss }
    switch status {
    case .exited(let code):
      self = .failed("ended its process with exit code \(code)", exitCode: Int(code))
    case .signaled(let number):
      self = .failed("its process was ended by \(ExitStatus.signaled(number))", signal: Int(number))
    case nil:
      self = .failed("its worker process died")
    }
  }
}

extension TaskResult.Outcome {
  fileprivate init(_ outcome: TryResult.Outcome, stopReason: Action.StopReason?) {
    switch outcome {
    case .success: self = .success
    case .skipped(let reason): self = .skipped(reason: reason)
    case .failed(let reason, let exitCode, let signal, let isRetryable):
      self = .failed(
        Failure(reason: reason, exitCode: exitCode.map(Int.init), signal: signal.map(Int.init)),
        retryable: isRetryable)
    case .stopped(let exitCode, let signal):
      let reason =
        switch stopReason {
        case .timedOut: "it was stopped"
        case .cancelled: "was cancelled"
        case .cleared: "was cleared"
        case nil: "was stopped by a signal from outside of dagrun"
        }
      self = .failed(
        Failure(reason: reason, exitCode: exitCode.map(Int.init), signal: signal.map(Int.init)),
        retryable: stopReason != .cancelled)
    }
  }
}

extension TryID {
  init(_ key: TaskInstanceKey, tryNumber: Int) { self.init(run: key.run, taskID: key.taskID, tryNumber: tryNumber) }

  var key: TaskInstanceKey { TaskInstanceKey(run: run, taskID: taskID) }
}
