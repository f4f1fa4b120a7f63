package import Dagrun
package import Foundation

/// Where jobs are kept, so that another process can go on with them.
///
/// The runner's duty: save a job before it does what the job's new state asks for. When saving fails, nothing is done,
/// and it is tried again.
package protocol JobJournal: Sendable {
  /// All of them or none; durable when it returns.
  func save(_ jobs: [StoredJob]) throws
  func job(named name: String) throws -> StoredJob?
  /// Those that still have something in the cloud, or may.
  func unfinishedJobs() throws -> [StoredJob]
}

/// A job as the journal keeps it: `state` is the whole of it (`Job`, as JSON), the rest is for queries.
package struct StoredJob: Hashable, Sendable {
  package var request: JobRequest
  /// In a word or two, for people: `waiting for capacity`, `running`, `removing`, `succeeded`, …
  package var phase: String
  package var isFinished: Bool
  package var submittedAt: Timestamp
  package var finishedAt: Timestamp?
  package var attempts: [JobAttempt]
  package var state: Data
  /// When whoever it was for had its result. Not the runner's to write: saving a job leaves it as it is.
  package var takenAt: Timestamp?

  package init(
    request: JobRequest, phase: String, isFinished: Bool, submittedAt: Timestamp, finishedAt: Timestamp?,
    attempts: [JobAttempt], state: Data
  ) {
    self.request = request
    self.phase = phase
    self.isFinished = isFinished
    self.submittedAt = submittedAt
    self.finishedAt = finishedAt
    self.attempts = attempts
    self.state = state
  }
}

/// One attempt of a job to get a machine and run on it: a row of the ledger.
package struct JobAttempt: Codable, Hashable, Sendable {
  /// From 1.
  package var number: Int
  /// Known as soon as Google has chosen it.
  package var zone: String?
  package var region: String
  package var machineType: String
  package var isSpot: Bool
  package var requestedAt: Timestamp
  /// When Google began to charge for the machine, as far as is known: its creation.
  package var machineStartedAt: Timestamp?
  package var containerStartedAt: Timestamp?
  package var endedAt: Timestamp?
  package var ending: Ending?
  /// Estimated; nil without a price table.
  package var cost: Double?

  package init(
    number: Int, zone: String?, region: String, machineType: String, isSpot: Bool, requestedAt: Timestamp
  ) {
    self.number = number
    self.zone = zone
    self.region = region
    self.machineType = machineType
    self.isSpot = isSpot
    self.requestedAt = requestedAt
  }

  package enum Ending: String, Codable, Hashable, Sendable, CaseIterable {
    case succeeded, failed, preempted
    case outOfCapacity = "out_of_capacity"
    case quotaExceeded = "quota_exceeded"
    /// The place does not have such a machine type, or such an accelerator.
    case notOffered = "not_offered"
    /// The VM was lost, or never came up.
    case lost
    case cancelled
    case timedOut = "timed_out"
    /// Google refused it, or docker did.
    case refused
  }
}
