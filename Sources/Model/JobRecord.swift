package import Dagrun

/// A job as it is kept, so that another process can continue it. What it asks for and how far it is are JSON text,
/// which only the module of jobs reads.
package struct JobRecord: Hashable, Sendable {
  package var name: String
  package var project: String
  /// nil for a job that belongs to no task.
  package var task: JobTask?
  /// Nobody waits for it.
  package var isDetached: Bool
  /// In a word or two, for people: `waiting for capacity`, `running`, `removing`, `succeeded`, …
  package var phase: String
  package var isFinished: Bool
  package var submittedAt: Timestamp
  package var finishedAt: Timestamp?
  /// By number.
  package var attempts: [JobAttempt]
  package var request: String
  package var state: String
  /// When its caller received the result. Saving a job does not change it.
  package var takenAt: Timestamp?

  package init(
    name: String, project: String, task: JobTask?, isDetached: Bool, phase: String, isFinished: Bool,
    submittedAt: Timestamp, finishedAt: Timestamp?, attempts: [JobAttempt] = [], request: String, state: String,
    takenAt: Timestamp? = nil
  ) {
    self.name = name
    self.project = project
    self.task = task
    self.isDetached = isDetached
    self.phase = phase
    self.isFinished = isFinished
    self.submittedAt = submittedAt
    self.finishedAt = finishedAt
    self.attempts = attempts
    self.request = request
    self.state = state
    self.takenAt = takenAt
  }
}

/// The task that a job works for, and which try of it.
package struct JobTask: Hashable, Sendable {
  package var dagID: String
  package var runID: String
  package var key: TryKey

  package init(dagID: String, runID: String, key: TryKey) {
    self.dagID = dagID
    self.runID = runID
    self.key = key
  }
}

/// JSON: the fields of the key, and `dagID` and `runID` beside them.
extension JobTask: Codable {
  private enum CodingKeys: String, CodingKey {
    case dagID, runID
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    self.init(
      dagID: try fields.decode(String.self, forKey: .dagID), runID: try fields.decode(String.self, forKey: .runID),
      key: try TryKey(from: decoder))
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(dagID, forKey: .dagID)
    try fields.encode(runID, forKey: .runID)
    try key.encode(to: encoder)
  }
}

/// One attempt of a job, and who it was for. Outlives the record of its job.
package struct LedgerEntry: Hashable, Sendable {
  package var job: String
  package var dagID: String?
  package var taskID: String?
  package var attempt: JobAttempt

  package init(job: String, dagID: String?, taskID: String?, attempt: JobAttempt) {
    self.job = job
    self.dagID = dagID
    self.taskID = taskID
    self.attempt = attempt
  }
}
