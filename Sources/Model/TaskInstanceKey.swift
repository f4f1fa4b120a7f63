/// Identifies a task instance: one task of one run, or one element of it where the task is mapped.
package struct TaskInstanceKey: Hashable, Sendable {
  /// The run's number (`DAGRun.number`).
  package var run: Int64
  package var taskID: String
  /// From 0; -1 for a task that is not mapped, as in Airflow.
  package var mapIndex: Int32

  package static let notMapped: Int32 = -1

  package init(run: Int64, taskID: String, mapIndex: Int32 = notMapped) {
    self.run = run
    self.taskID = taskID
    self.mapIndex = mapIndex
  }
}

/// Identifies one try of a task instance, and what of it: executors, triggers and the names of jobs go by it.
package struct TryKey: Hashable, Sendable {
  package var instance: TaskInstanceKey
  /// From 1.
  package var number: Int
  /// Of a try that is a group of jobs: which of them, from 1. 0: the whole try.
  package var member: Int32
  package var role: Role

  /// What runs on behalf of the try.
  package enum Role: UInt8, Hashable, Sendable {
    /// The task itself.
    case body = 0
  }

  package init(_ instance: TaskInstanceKey, _ number: Int, member: Int32 = 0, role: Role = .body) {
    self.instance = instance
    self.number = number
    self.member = member
    self.role = role
  }

  package init(run: Int64, taskID: String, number: Int) {
    self.init(TaskInstanceKey(run: run, taskID: taskID), number)
  }

  package var run: Int64 { instance.run }
  package var taskID: String { instance.taskID }

  package func member(_ member: Int32) -> TryKey {
    var key = self
    key.member = member
    return key
  }
}

/// JSON: `{"run": 7, "taskID": "train", "tryNumber": 2}`, with `mapIndex`, `member` and `role` where they say
/// something.
extension TryKey: Codable {
  private enum CodingKeys: String, CodingKey {
    case run, taskID, mapIndex, tryNumber, member, role
  }

  package init(from decoder: any Decoder) throws {
    let fields = try decoder.container(keyedBy: CodingKeys.self)
    let role = try fields.decodeIfPresent(UInt8.self, forKey: .role) ?? Role.body.rawValue
    guard let role = Role(rawValue: role) else {
      throw DecodingError.dataCorruptedError(forKey: .role, in: fields, debugDescription: "there is no role \(role)")
    }
    self.init(
      TaskInstanceKey(
        run: try fields.decode(Int64.self, forKey: .run), taskID: try fields.decode(String.self, forKey: .taskID),
        mapIndex: try fields.decodeIfPresent(Int32.self, forKey: .mapIndex) ?? TaskInstanceKey.notMapped),
      try fields.decode(Int.self, forKey: .tryNumber),
      member: try fields.decodeIfPresent(Int32.self, forKey: .member) ?? 0, role: role)
  }

  package func encode(to encoder: any Encoder) throws {
    var fields = encoder.container(keyedBy: CodingKeys.self)
    try fields.encode(run, forKey: .run)
    try fields.encode(taskID, forKey: .taskID)
    try fields.encode(number, forKey: .tryNumber)
    if instance.mapIndex != TaskInstanceKey.notMapped { try fields.encode(instance.mapIndex, forKey: .mapIndex) }
    if member != 0 { try fields.encode(member, forKey: .member) }
    if role != .body { try fields.encode(role.rawValue, forKey: .role) }
  }
}
