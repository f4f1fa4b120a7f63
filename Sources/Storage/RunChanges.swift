import Dagrun
import GRDB
import Model
import Scheduling

extension ChangeWriter {
  func runCreated(_ snapshot: RunSnapshot) throws {
    let run = snapshot.run
    try statement(
      """
      INSERT INTO dag_run (id, dag_id, run_id, run_type, state, logical_date, data_interval_start, data_interval_end,
        run_after, queued_at, start_date, end_date, conf, version, backfill_id,
        task_regex, reason, is_first_of_backfill, stands_for_scheduled)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    ).execute(
      run.number, run.dagID, run.runID, run.type.rawValue, run.state.rawValue, run.logicalDate,
      run.dataInterval?.start, run.dataInterval?.end, run.runAfter, run.queuedAt, run.startDate, run.endDate, run.conf,
      run.version, run.backfill, run.taskRegex, run.reason, run.isFirstOfBackfill, run.standsForScheduled)
    let insert = try insertTaskInstance()
    let positions = Self.positions(of: snapshot.tasks)
    for index in Self.insertionOrder(of: snapshot.tasks) {
      try insert.execute(run: run.number, position: positions[index], snapshot.tasks[index])
    }
  }

  func runChanged(_ transition: RunTransition) throws {
    let run = transition.to
    let updated = try updateRun(run, from: transition.from.rawValue)
    guard updated == 1 else {
      throw StoreError.guardFailed(
        path: path, subject: "run \(transition.run)", expected: transition.from.rawValue,
        found: try state(ofRun: transition.run) ?? "not there")
    }
  }

  /// Rows that change lose the details of what they were; a try that had ended is kept as a past one.
  func runReplanned(_ snapshot: RunSnapshot) throws {
    let number = snapshot.run.number
    guard let state = try state(ofRun: number), try updateRun(snapshot.run, from: state) == 1 else {
      throw StoreError.guardFailed(path: path, subject: "run \(number)", expected: "there", found: "not there")
    }
    var leftOver: [TaskInstanceKey: (state: TaskState, tryNumber: Int)] = [:]
    try statement("SELECT task_id, map_index, state, try_number FROM task_instance WHERE run = ?")
      .forEachRow(number) { row in
        let key = TaskInstanceKey(run: number, taskID: row.text(0), mapIndex: Int32(clamping: row.int64(1)))
        leftOver[key] = (try row.value(2), row.int(3))
      }
    let insert = try insertTaskInstance()
    for (position, task) in zip(Self.positions(of: snapshot.tasks), snapshot.tasks) {
      let key = TaskInstanceKey(run: number, taskID: task.taskID, mapIndex: task.mapIndex)
      if let old = leftOver.removeValue(forKey: key), old.state.isFinished, old.state != task.state {
        try keepEndedTry(of: key, state: old.state, tryNumber: old.tryNumber)
      }
      try insert.execute(run: number, position: position, task)
    }
    for key in leftOver.keys.sorted(by: { ($0.taskID, $0.mapIndex) < ($1.taskID, $1.mapIndex) }) {
      try statement("DELETE FROM task_instance WHERE run = ? AND task_id = ? AND map_index = ?")
        .execute(number, key.taskID, key.mapIndex)
    }
  }

  /// What a run is called, and its logical date, never change.
  private func updateRun(_ run: DAGRun, from state: String) throws -> Int {
    try statement(
      """
      UPDATE dag_run SET run_type = ?, state = ?, data_interval_start = ?, data_interval_end = ?, run_after = ?,
        queued_at = ?, start_date = ?, end_date = ?, conf = ?, version = ?, backfill_id = ?,
        task_regex = ?, reason = ?, is_first_of_backfill = ?, stands_for_scheduled = ?
      WHERE id = ? AND state IS ?
      """
    ).execute(
      run.type.rawValue, run.state.rawValue, run.dataInterval?.start, run.dataInterval?.end, run.runAfter,
      run.queuedAt, run.startDate, run.endDate, run.conf, run.version, run.backfill,
      run.taskRegex, run.reason, run.isFirstOfBackfill, run.standsForScheduled, run.number, state)
  }

  private func state(ofRun number: Int64) throws -> String? {
    try statement("SELECT state FROM dag_run WHERE id = ?").first(number) { $0.text(0) }
  }

  private func insertTaskInstance() throws -> PreparedStatement {
    try statement(
      """
      INSERT INTO task_instance (run, task_id, map_index, position, state, try_number, max_tries, start_date, end_date,
        retry_at, output_length)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT DO UPDATE SET position = excluded.position, state = excluded.state,
        try_number = excluded.try_number, max_tries = excluded.max_tries, start_date = excluded.start_date,
        end_date = excluded.end_date, retry_at = excluded.retry_at, output_length = excluded.output_length,
        (reason, exit_code, signal, cpu_seconds, peak_memory_bytes, loss) = (
          SELECT reason, exit_code, signal, cpu_seconds, peak_memory_bytes, loss
          WHERE task_instance.state IS excluded.state AND task_instance.try_number IS excluded.try_number)
      """)
  }

  /// By name, which is the order of the table: appending to it takes half the time of inserting here and there.
  private static func insertionOrder(of tasks: [TaskInstance]) -> [Int] {
    tasks.indices.sorted { (tasks[$0].taskID, tasks[$0].mapIndex) < (tasks[$1].taskID, tasks[$1].mapIndex) }
  }

  /// The instances of a mapped task, which follow each other, have that of the task.
  private static func positions(of tasks: [TaskInstance]) -> [Int] {
    var positions: [Int] = []
    positions.reserveCapacity(tasks.count)
    var position = -1
    for task in tasks {
      if task.mapIndex <= 0 || positions.isEmpty { position += 1 }
      positions.append(position)
    }
    return positions
  }
}

extension PreparedStatement {
  fileprivate func execute(run: Int64, position: Int, _ task: TaskInstance) throws {
    try execute(
      run, task.taskID, task.mapIndex, position, task.state.rawValue, task.tryNumber, task.maxTries, task.startDate,
      task.endDate, task.retryAt, task.output?.code)
  }
}
