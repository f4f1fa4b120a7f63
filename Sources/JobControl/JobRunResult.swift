package import Clash

/// How a process is done with a job that it drove.
package struct JobRunResult: Sendable {
  package var name: String
  /// Which of its series; nil for any other job.
  package var attempt: Int?
  package var project: String
  package var end: End
  /// Of a series: kept until the result is received.
  var claim: AttemptClaim?

  package enum End: Sendable {
    /// - Parameters:
    ///   - lastNote: what was noted of it last.
    ///   - wasInterrupted: by Ctrl-C or SIGTERM, which cancel the job.
    case finished(JobOutcome, lastNote: String, wasInterrupted: Bool)
    /// The job runs on, and another process will drive it.
    case handedOver
    /// The job runs on, and needs no driver.
    case detached
    /// The job runs on: the process that began this one is dead.
    case left
  }

  package var outcome: JobOutcome? {
    guard case .finished(let outcome, _, _) = end else { return nil }
    return outcome
  }

  /// Waits until whoever holds the lifeline says that it has the result. Without a lifeline, who could read has it.
  ///
  /// - Returns: whether somebody has it, which is to be noted. A cancelled job has no result for anybody, and that of
  ///   an attempt that was given up meanwhile is the next attempt's.
  package func isReceived(_ lifeline: ParentLifeline?) async -> Bool {
    guard let outcome, outcome.ending != .cancelled else { return false }
    if let lifeline, await !lifeline.waitUntilReceived() { return false }
    return claim?.isSuperseded != true
  }
}
