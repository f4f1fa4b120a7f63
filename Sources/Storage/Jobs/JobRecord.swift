package import Dagrun

/// A job as its row has it. What it asks for and how far it is are JSON text, which Storage does not look into.
package struct JobRecord: Hashable, Sendable {
  package var name: String
  package var project: String
  /// nil for a job that belongs to no task.
  package var task: TaskOfJobRecord?
  package var isDetached: Bool
  package var phase: String
  package var isFinished: Bool
  package var submittedAt: Timestamp
  package var finishedAt: Timestamp?
  package var request: String
  package var state: String
  /// When whoever it was for had its result; nil where nobody has said so. Written by `JobStore.noteTaken` alone.
  package var takenAt: Timestamp?

  package init(
    name: String, project: String, task: TaskOfJobRecord?, isDetached: Bool, phase: String, isFinished: Bool,
    submittedAt: Timestamp, finishedAt: Timestamp?, request: String, state: String, takenAt: Timestamp? = nil
  ) {
    self.name = name
    self.project = project
    self.task = task
    self.isDetached = isDetached
    self.phase = phase
    self.isFinished = isFinished
    self.submittedAt = submittedAt
    self.finishedAt = finishedAt
    self.request = request
    self.state = state
    self.takenAt = takenAt
  }
}

package struct TaskOfJobRecord: Hashable, Sendable {
  package var dagID: String
  package var runID: String
  package var taskID: String
  package var tryNumber: Int
  /// Number of the run.
  package var run: Int64

  package init(dagID: String, runID: String, taskID: String, tryNumber: Int, run: Int64) {
    self.dagID = dagID
    self.runID = runID
    self.taskID = taskID
    self.tryNumber = tryNumber
    self.run = run
  }
}

/// A row of the ledger.
package struct JobAttemptRecord: Hashable, Sendable {
  package var job: String
  package var number: Int
  package var zone: String?
  package var region: String
  package var machineType: String
  package var isSpot: Bool
  package var requestedAt: Timestamp
  package var machineStartedAt: Timestamp?
  package var containerStartedAt: Timestamp?
  package var endedAt: Timestamp?
  /// One of those that the schema names.
  package var ending: String?
  package var cost: Double?

  package init(
    job: String, number: Int, zone: String?, region: String, machineType: String, isSpot: Bool, requestedAt: Timestamp,
    machineStartedAt: Timestamp?, containerStartedAt: Timestamp?, endedAt: Timestamp?, ending: String?, cost: Double?
  ) {
    self.job = job
    self.number = number
    self.zone = zone
    self.region = region
    self.machineType = machineType
    self.isSpot = isSpot
    self.requestedAt = requestedAt
    self.machineStartedAt = machineStartedAt
    self.containerStartedAt = containerStartedAt
    self.endedAt = endedAt
    self.ending = ending
    self.cost = cost
  }
}

/// A row of the ledger with whom it was for.
package struct LedgerRecord: Hashable, Sendable {
  package var attempt: JobAttemptRecord
  package var dagID: String?
  package var taskID: String?
}

/// Which jobs to list. Everything that is nil does not narrow the list.
package struct JobFilter: Hashable, Sendable {
  package var isFinished: Bool?
  package var dagID: String?
  package var taskID: String?
  /// Submitted then or later.
  package var since: Timestamp?
  package var limit: Int?

  package init(
    isFinished: Bool? = nil, dagID: String? = nil, taskID: String? = nil, since: Timestamp? = nil, limit: Int? = nil
  ) {
    self.isFinished = isFinished
    self.dagID = dagID
    self.taskID = taskID
    self.since = since
    self.limit = limit
  }
}

extension JobRecord {
  /// A row of `job`.
  init(row: SQLRow) {
    var task: TaskOfJobRecord?
    if let dagID = row.optionalText(2) {
      task = TaskOfJobRecord(
        dagID: dagID, runID: row.text(3), taskID: row.text(4), tryNumber: row.int(5), run: row.int64(6))
    }
    self.init(
      name: row.text(0), project: row.text(1), task: task, isDetached: row.bool(7), phase: row.text(8),
      isFinished: row.bool(9), submittedAt: row.timestamp(10), finishedAt: row.optionalTimestamp(11),
      request: row.text(12), state: row.text(13), takenAt: row.optionalTimestamp(14))
  }
}

extension JobAttemptRecord {
  /// A row of `job_attempt`.
  init(row: SQLRow) {
    self.init(
      job: row.text(0), number: row.int(1), zone: row.optionalText(2), region: row.text(3), machineType: row.text(4),
      isSpot: row.bool(5), requestedAt: row.timestamp(6), machineStartedAt: row.optionalTimestamp(7),
      containerStartedAt: row.optionalTimestamp(8), endedAt: row.optionalTimestamp(9), ending: row.optionalText(10),
      cost: row.optionalDouble(11))
  }
}
