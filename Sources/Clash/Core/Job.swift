package import Dagrun
internal import Foundation

/// The life of a job. Pure: no clock, no I/O, no randomness.
package struct Job: Codable, Hashable, Sendable {
  package let request: JobRequest
  package let submittedAt: Timestamp
  package let timings: JobTimings
  /// The ledger, in order.
  package internal(set) var attempts: [JobAttempt] = []

  /// A job nobody has done anything for. `resume` begins it.
  package init(_ request: JobRequest, timings: JobTimings = JobTimings(), at now: Timestamp) {
    self.request = request
    self.timings = timings
    submittedAt = now
  }

  /// A job of which only its name was known: another machine began it, and its attempt's group was found, with the
  /// request in the template's metadata.
  package init(
    attachingTo request: JobRequest, plan: AttemptPlan, timings: JobTimings = JobTimings(), at now: Timestamp
  ) {
    self.init(request, timings: timings, at: now)
  }

  package mutating func handle(_ event: JobEvent, at now: Timestamp) -> [JobAction] { [] }

  /// What a job that was just made or restored needs done: the call that was under way, again, with its requestId.
  package mutating func resume(at now: Timestamp) -> [JobAction] { [] }

  /// When to send `.wake` if nothing else happens; nil: not at all.
  package var nextWake: Timestamp? { nil }

  /// The subscription exists and is of interest: keep one pull open.
  package var isListening: Bool { false }

  /// Of the log file, as of this state. After a restart the file is cut to it: what is beyond comes again.
  package var logLength: Int { 0 }

  /// A detached job that its VM can bring to its end: whoever began it may go.
  package var isHandedOver: Bool { false }

  package var isFinished: Bool { outcome != nil }

  /// When it is finished. Where its `logTail` is empty because no result came, the log's file has the log.
  package var outcome: JobOutcome? { nil }
}

extension Job {
  /// As the journal keeps it.
  package func stored() throws -> StoredJob {
    StoredJob(
      request: request, phase: "", isFinished: isFinished, submittedAt: submittedAt, finishedAt: nil,
      attempts: attempts, state: Data())
  }

  /// - Throws: `JobStateError` for what this program cannot read.
  package init(restoring stored: StoredJob) throws {
    self.init(stored.request, at: stored.submittedAt)
  }
}
