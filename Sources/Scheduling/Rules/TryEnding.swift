package import Model

/// What the end of a try counts as. The only place that says why a try was stopped, and whether it may be tried again:
/// executors report what they saw (`TaskResult.Outcome`), and do not know who wanted it.
package struct TryEnding: Hashable, Sendable {
  /// `success`, `skipped` or `failed`.
  package var state: TaskState
  /// In words for a person; nil for success.
  package var reason: String?
  package var exitCode: Int?
  package var signal: Int?
  package var isRetryable = false

  /// - Parameters:
  ///   - isCleared: the task was cleared while the try ran.
  ///   - timeoutSeconds: its execution timeout, if that has passed: a try that failed after it was stopped for it, or
  ///     would have been.
  package init(_ outcome: TaskResult.Outcome, isCleared: Bool = false, timeoutSeconds: Double? = nil) {
    // What was cleared starts over: nobody asks how long it has taken.
    let timeoutSeconds = isCleared ? nil : timeoutSeconds
    switch outcome {
    case .success:
      state = .success
    case .skipped(let reason):
      state = .skipped
      self.reason = reason
    case .failed(let failure, let isRetryable):
      state = .failed
      reason = Self.words(failure.reason, timeoutSeconds)
      (exitCode, signal) = (failure.exitCode, failure.signal)
      self.isRetryable = isRetryable
    case .stopped(let exitCode, let signal):
      state = .failed
      reason =
        if isCleared {
          "was cleared"
        } else if let timeoutSeconds {
          "timed out after \(formatSeconds(timeoutSeconds))"
        } else {
          "was stopped by a signal from outside of dagrun"
        }
      (self.exitCode, self.signal) = (exitCode, signal)
      isRetryable = true
    case .lost(let loss):
      state = .failed
      reason = Self.words(loss.reason, timeoutSeconds)
      isRetryable = true
    case .deferred:
      // It waited for something, and has nothing left to continue.
      state = .failed
      reason = "was cleared"
      isRetryable = true
    }
  }

  private static func words(_ reason: String, _ timeoutSeconds: Double?) -> String {
    timeoutSeconds.map { "timed out after \(formatSeconds($0)): \(reason)" } ?? reason
  }
}

extension TaskResult.Loss {
  fileprivate var reason: String {
    switch self {
    case .machineWentDown: "was lost when the machine went down"
    case .workerDied: "its worker process died"
    case .connectionClosed: "closed the connection between its process and dagrun"
    }
  }
}
