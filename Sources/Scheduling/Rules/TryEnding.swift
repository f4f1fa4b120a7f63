package import Dagrun
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
  /// Until the next try, in seconds; nil: what the task's retry delay says.
  package var retryDelaySeconds: Double?

  /// - Parameters:
  ///   - isCleared: the task was cleared while the try ran.
  ///   - timeoutSeconds: its execution timeout, if that has passed: a try that failed after it was stopped for it, or
  ///     would have been.
  ///   - rules: the task's. They are asked in their order when the try has failed, and nobody has cleared it.
  package init(
    _ outcome: TaskResult.Outcome, isCleared: Bool = false, timeoutSeconds: Double? = nil, rules: [FailureRule] = []
  ) {
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
    guard state == .failed, !isCleared else { return }
    let position = rules.indices.first {
      rules[$0].cause.isCause(of: outcome, at: $0, isTimeout: timeoutSeconds != nil)
    }
    if let position { apply(rules[position].action) }
  }

  private mutating func apply(_ action: FailureRule.Action) {
    switch action {
    case .retry(let seconds):
      isRetryable = true
      retryDelaySeconds = seconds
    case .fail:
      isRetryable = false
      reason? += ", which its rules do not retry"
    case .skip:
      state = .skipped
      isRetryable = false
      reason? += ", which its rules skip"
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

extension FailureRule.Cause {
  /// - Parameters:
  ///   - position: of the rule.
  ///   - isTimeout: the try has had its execution timeout.
  fileprivate func isCause(of outcome: TaskResult.Outcome, at position: Int, isTimeout: Bool) -> Bool {
    switch self {
    case .timeout: isTimeout || outcome.failure?.cause == .timeout
    case .exitCode(let codes): outcome.failure?.exitCode.map(codes.contains) ?? false
    case .signal(let numbers): !isTimeout && (outcome.signal.map(numbers.contains) ?? false)
    case .machineLost: outcome.isLost || outcome.failure?.cause == .machineLost
    case .error(let typeName): outcome.failure?.cause == .errorRule(position, typeName: typeName)
    }
  }
}

extension TaskResult.Outcome {
  fileprivate var failure: Failure? {
    if case .failed(let failure, _) = self { failure } else { nil }
  }

  fileprivate var signal: Int? {
    if case .stopped(_, let signal) = self { signal } else { failure?.signal }
  }

  fileprivate var isLost: Bool { if case .lost = self { true } else { false } }
}
