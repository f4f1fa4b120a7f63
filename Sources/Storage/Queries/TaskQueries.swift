import GRDB
package import Model
internal import Scheduling

extension StoreConnection {
  /// In the order of the plan.
  package func taskInstances(run: Int64) throws(StoreError) -> [TaskRecord] {
    try read { database in
      try statement(database, "SELECT * FROM task_instance WHERE run = ? ORDER BY position, map_index")
        .rows(run, as: TaskRecord.init(row:))
    }
  }

  package func taskInstance(_ key: TaskInstanceKey) throws(StoreError) -> TaskRecord? {
    try read { try taskInstance(key, $0) }
  }

  /// The tries of a task, first to last, with the one it is on.
  package func tries(_ key: TaskInstanceKey) throws(StoreError) -> [TryRecord] {
    try read { database in
      var tries = try statement(
        database, "SELECT * FROM task_try WHERE run = ? AND task_id = ? AND map_index = ? ORDER BY try_number"
      ).rows(key.run, key.taskID, key.mapIndex, as: TryRecord.init(row:))
      if let task = try taskInstance(key, database), task.instance.tryNumber >= 1,
        task.instance.tryNumber != tries.last?.tryNumber
      {
        tries.append(TryRecord(task))
      }
      return tries
    }
  }

  /// The tries of a run of which something could not be kept.
  package func losses(run: Int64) throws(StoreError) -> [(taskID: String, tryNumber: Int, loss: String)] {
    try read { database in
      try statement(
        database,
        """
        SELECT task_id, try_number, loss FROM task_try WHERE run = ?1 AND loss IS NOT NULL
        UNION SELECT task_id, try_number, loss FROM task_instance WHERE run = ?1 AND loss IS NOT NULL
        ORDER BY 1, 2
        """
      ).rows(run) { ($0.text(0), $0.int(1), $0.text(2)) }
    }
  }

  /// JSON text; nil when the task has none.
  package func output(_ key: TaskInstanceKey) throws(StoreError) -> String? {
    try perform("read") { database in
      try statement(database, "SELECT value FROM xcom WHERE run = ? AND task_id = ? AND map_index = ?")
        .first(key.run, key.taskID, key.mapIndex) { $0.text(0) }
    }
  }

  /// What the instances of a mapped task have handed on, as JSON texts, in the order of their elements. Those without
  /// an output are left out.
  package func mappedOutputs(run: Int64, taskID: String) throws(StoreError) -> [String] {
    try perform("read") { database in
      try statement(
        database, "SELECT value FROM xcom WHERE run = ? AND task_id = ? AND map_index >= 0 ORDER BY map_index"
      ).rows(run, taskID) { $0.text(0) }
    }
  }

  /// `mappedOutputs` as one list, in JSON. Where there are none, it is empty.
  package func collectedOutput(run: Int64, taskID: String) throws(StoreError) -> String {
    "[" + (try mappedOutputs(run: run, taskID: taskID)).joined(separator: ",") + "]"
  }

  /// Task id -> its output as JSON text. Tasks without one are left out.
  package func outputs(run: Int64, _ taskIDs: [String]) throws(StoreError) -> [String: String] {
    // The engine asks before each launch of a task with inputs, so without the statements of a transaction.
    try perform("read") { database in
      let query = try statement(database, "SELECT value FROM xcom WHERE run = ? AND task_id = ? AND map_index = ?")
      var outputs: [String: String] = [:]
      for taskID in taskIDs {
        outputs[taskID] = try query.first(run, taskID, TaskInstanceKey.notMapped) { $0.text(0) }
      }
      return outputs
    }
  }

  private func taskInstance(_ key: TaskInstanceKey, _ database: Database) throws -> TaskRecord? {
    try statement(database, "SELECT * FROM task_instance WHERE run = ? AND task_id = ? AND map_index = ?")
      .first(key.run, key.taskID, key.mapIndex, as: TaskRecord.init(row:))
  }
}

extension TryRecord {
  /// The try that a task is on, or ended with.
  fileprivate init(_ task: TaskRecord) {
    self.init(
      tryNumber: task.instance.tryNumber, state: task.instance.state, startDate: task.instance.startDate,
      endDate: task.instance.endDate, reason: task.reason, exitCode: task.exitCode, signal: task.signal,
      usage: task.usage, loss: task.loss)
  }
}
