import Dagrun
import GRDB
import Model
import Scheduling

extension ChangeWriter {
  /// The hot path of the engine: one UPDATE, unless a try has ended and the task continues.
  func taskChanged(_ transition: TaskTransition) throws {
    let key = transition.key
    let task = transition.to
    let ended = transition.ended
    if transition.from.isFinished, ended?.tryNumber != transition.fromTry {
      // Cleared, or set by hand: what the try really came to stays on record. The step may have brought the task back
      // to the same state: cleared, and skipped again by its rule.
      try keepEndedTry(of: key, state: transition.from, tryNumber: transition.fromTry)
    }
    // A row that waits for its retry, or has ended, shows how its try went.
    let details = ended?.tryNumber == task.tryNumber ? ended : nil
    let updated = try statement(
      """
      UPDATE task_instance SET state = ?, try_number = ?, max_tries = ?, start_date = ?, end_date = ?, retry_at = ?,
        reason = ?, exit_code = ?, signal = ?, cpu_seconds = ?, peak_memory_bytes = ?, loss = ?
      WHERE run = ? AND task_id = ? AND map_index = ? AND state IS ? AND try_number = ?
      """
    ).execute(
      task.state.rawValue, task.tryNumber, task.maxTries, task.startDate, task.endDate, task.retryAt,
      transition.reason ?? details?.reason, details?.exitCode, details?.signal, details?.usage.cpuSeconds,
      details?.usage.peakMemoryBytes, details?.loss, key.run, key.taskID, key.mapIndex, transition.from.rawValue,
      transition.fromTry)
    guard updated == 1 else { throw try guardFailure(transition) }
    // Otherwise the row itself says how the try ended. The task may have become something else in the same step: a try
    // that fails when its run times out is failed, and its task is skipped.
    if let ended, task.tryNumber != ended.tryNumber || task.state != ended.state {
      try insertPastTry(of: key, ended)
    }
  }

  func outputStored(_ key: TaskInstanceKey, _ json: String) throws {
    try statement(
      """
      INSERT INTO xcom (run, task_id, map_index, value) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET value = excluded.value
      """
    ).execute(key.run, key.taskID, key.mapIndex, json)
  }

  func outputRemoved(_ key: TaskInstanceKey) throws {
    try statement("DELETE FROM xcom WHERE run = ? AND task_id = ? AND map_index = ?")
      .execute(key.run, key.taskID, key.mapIndex)
  }

  func choiceStored(_ key: TaskInstanceKey, _ choice: DownstreamChoice?) throws {
    let updated = try statement(
      "UPDATE task_instance SET choice = ? WHERE run = ? AND task_id = ? AND map_index = ?"
    ).execute(try choice?.jsonText, key.run, key.taskID, key.mapIndex)
    guard updated == 1 else {
      throw StoreError.guardFailed(
        path: path, subject: "task instance \"\(key.taskID)\" of run \(key.run)", key: key, expected: "there",
        found: "not there")
    }
  }

  /// Copies the row's try to the past tries, when it had one and is still in that state. What is on record already
  /// stays as it is.
  func keepEndedTry(of key: TaskInstanceKey, state: TaskState, tryNumber: Int) throws {
    guard tryNumber >= 1 else { return }
    try statement(
      """
      INSERT INTO task_try (run, task_id, map_index, try_number, state, start_date, end_date, reason, exit_code, signal,
        cpu_seconds, peak_memory_bytes, loss)
      SELECT run, task_id, map_index, try_number, state, start_date, end_date, reason, exit_code, signal, cpu_seconds,
        peak_memory_bytes, loss
      FROM task_instance WHERE run = ? AND task_id = ? AND map_index = ? AND state IS ? AND try_number = ?
      ON CONFLICT DO NOTHING
      """
    ).execute(key.run, key.taskID, key.mapIndex, state.rawValue, tryNumber)
  }

  private func insertPastTry(of key: TaskInstanceKey, _ ended: TryRecord) throws {
    try statement(
      """
      INSERT INTO task_try (run, task_id, map_index, try_number, state, start_date, end_date, reason, exit_code, signal,
        cpu_seconds, peak_memory_bytes, loss)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    ).execute(
      key.run, key.taskID, key.mapIndex, ended.tryNumber, ended.state.rawValue, ended.startDate, ended.endDate,
      ended.reason, ended.exitCode, ended.signal, ended.usage.cpuSeconds, ended.usage.peakMemoryBytes, ended.loss)
  }

  private func guardFailure(_ transition: TaskTransition) throws -> StoreError {
    let key = transition.key
    let found = try statement(
      "SELECT state, try_number FROM task_instance WHERE run = ? AND task_id = ? AND map_index = ?"
    )
    .first(key.run, key.taskID, key.mapIndex) { "\($0.text(0)) on try \($0.int(1))" }
    return StoreError.guardFailed(
      path: path, subject: "task instance \"\(key.taskID)\" of run \(key.run)", key: key,
      expected: "\(transition.from.rawValue) on try \(transition.fromTry)", found: found ?? "not there")
  }
}
