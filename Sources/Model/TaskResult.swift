package import Dagrun

/// How a try ended, and what it used: what an executor reports, on the wire, in journals and to the scheduler.
package struct TaskResult: Hashable, Sendable {
  package var outcome: Outcome
  /// JSON text; nil when the task has no output.
  package var output: String?
  package var usage: Usage
  /// When the try really began and ended, by the process that watched it.
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// What of its log, output or journal could not be kept, and why: `the log lacks 12 bytes: No space left on device`.
  /// nil: nothing is missing.
  package var loss: String?
  /// Of the tasks below it; nil: all may run. Not on the wire, nor in journals: it follows from the output.
  package var choice: DownstreamChoice?
  /// Of the output; nil: no list. Neither on the wire nor in journals, as `choice`.
  package var outputShape: OutputShape?

  package init(
    _ outcome: Outcome, output: String? = nil, usage: Usage = .init(), startDate: Timestamp? = nil,
    endDate: Timestamp? = nil, loss: String? = nil
  ) {
    self.outcome = outcome
    self.output = output
    self.usage = usage
    self.startDate = startDate
    self.endDate = endDate
    self.loss = loss
  }

  package enum Outcome: Hashable, Sendable {
    case success
    case skipped(reason: String)
    /// `isRetryable: false`: the task asked not to be tried again, or another try would find the same.
    case failed(Failure, isRetryable: Bool)
    /// It ended because it was told to stop. Who told it, and so what it counts as, the scheduler knows.
    case stopped(exitCode: Int? = nil, signal: Int? = nil)
    /// Nobody can say how it ended, or whether.
    case lost(Loss)
    /// It has not ended: it has released its process until something happens.
    case deferred(Deferral)
  }

  /// What took a try away from its executor.
  package enum Loss: Hashable, Sendable {
    case machineWentDown
    case workerDied
    /// The task closed the connection between its worker and the executor.
    case connectionClosed
  }
}

/// Why a try failed: what a person reads, and the parts that programs ask for.
package struct Failure: Hashable, Sendable {
  package var reason: String
  package var exitCode: Int?
  package var signal: Int?
  /// nil: nothing but the exit code and the signal tells.
  package var cause: Cause?

  package init(reason: String, exitCode: Int? = nil, signal: Int? = nil, cause: Cause? = nil) {
    self.reason = reason
    self.exitCode = exitCode
    self.signal = signal
    self.cause = cause
  }

  package enum Cause: Hashable, Sendable {
    /// The machine that the try ran on could not be had, or went away.
    case machineLost
    /// The try's executor has ended it for a timeout of its own.
    case timeout
    /// The closure has thrown what this one of the task's `failureRules` asks for, by its place and its type's name: the
    /// run may be on another version meanwhile, whose rules are others.
    case errorRule(Int, typeName: String)
  }
}

package struct Usage: Hashable, Sendable {
  package var cpuSeconds: Double?
  package var peakMemoryBytes: Int64?

  package init(cpuSeconds: Double? = nil, peakMemoryBytes: Int64? = nil) {
    self.cpuSeconds = cpuSeconds
    self.peakMemoryBytes = peakMemoryBytes
  }
}

extension TaskResult.Outcome {
  package static func failed(
    reason: String, exitCode: Int? = nil, signal: Int? = nil, cause: Failure.Cause? = nil, isRetryable: Bool = true
  ) -> TaskResult.Outcome {
    .failed(Failure(reason: reason, exitCode: exitCode, signal: signal, cause: cause), isRetryable: isRetryable)
  }
}

extension TaskResult {
  /// Of a try that was told to stop while it waited for its executor.
  package static func stoppedBeforeStart(at moment: Timestamp) -> TaskResult {
    TaskResult(.stopped(), startDate: moment, endDate: moment)
  }

  /// With the nearest dates that a try can have that the scheduler began at `start`: a day is left to clocks that were
  /// wrong.
  package func clampingDates(from start: Timestamp, to now: Timestamp) -> TaskResult {
    let day = 86_400.0
    let (earliest, latest) = (start.adding(seconds: -day), max(start, now).adding(seconds: day))
    var result = self
    result.startDate = startDate.map { min(max($0, earliest), latest) }
    result.endDate = endDate.map { min(max($0, earliest), latest) }
    return result
  }

  /// With what the task has chosen of the tasks below it; failed, when its output is not an answer.
  package func choosing(by decision: TaskDecision?) -> TaskResult {
    guard outcome == .success, let decision else { return self }
    var result = self
    do throws(ChoiceError) {
      result.choice = try decision.choice(of: output)
    } catch {
      result.outcome = .failed(reason: error.description, isRetryable: false)
    }
    return result
  }

  /// With what else of it could not be kept.
  package func adding(loss other: String?) -> TaskResult {
    guard let other else { return self }
    var result = self
    result.loss = [loss, other].compactMap(\.self).joined(separator: "; ")
    return result
  }
}
