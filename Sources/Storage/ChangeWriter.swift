import Dagrun
import GRDB
import Model
import Scheduling

/// Writes changes inside the transaction of one commit: one function, and mostly one statement, for each case of
/// `Change`.
///
/// A change that starts from a state is a compare-and-set: its UPDATE names that state and must touch exactly one row.
struct ChangeWriter {
  let database: Database
  let cache: StatementCache
  let path: String

  func apply(_ change: Change) throws {
    switch change {
    case .taskChanged(let transition): try taskChanged(transition)
    case .outputStored(let key, let json): try outputStored(key, json)
    case .outputRemoved(let key): try outputRemoved(key)
    case .choiceStored(let key, let choice): try choiceStored(key, choice)
    case .runCreated(let snapshot): try runCreated(snapshot)
    case .runChanged(let transition): try runChanged(transition)
    case .runReplanned(let snapshot): try runReplanned(snapshot)
    case .dagStored(let record): try dagStored(record)
    case .dagDeleted(let dagID): try dagDeleted(dagID)
    case .poolStored(let pool): try poolStored(pool)
    case .poolDeleted(let name): try poolDeleted(name)
    case .backfillCreated(let backfill): try backfillCreated(backfill)
    case .backfillContinued(let number, let nextDate): try backfillContinued(number, nextDate)
    case .backfillCompleted(let number, let date): try backfillCompleted(number, date)
    }
  }

  func statement(_ sql: StaticString) throws -> PreparedStatement { try cache.statement(database, sql) }

  // MARK: DAGs

  private func dagStored(_ record: DAGRecord) throws {
    try statement(
      """
      INSERT INTO dag (dag_id, is_paused, version, last_scheduled) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE
        SET is_paused = excluded.is_paused, version = excluded.version, last_scheduled = excluded.last_scheduled
      """
    ).execute(record.dagID, record.isPaused, record.version, record.lastScheduled)
  }

  /// Its runs and backfills go with it. Its versions stay: the file may still be there, and come back.
  private func dagDeleted(_ dagID: String) throws {
    // Runs first: they refer to backfills, which do not take them along.
    try statement("DELETE FROM dag_run WHERE dag_id = ?").execute(dagID)
    try statement("DELETE FROM dag WHERE dag_id = ?").execute(dagID)
  }

  // MARK: Pools

  private func poolStored(_ pool: Pool) throws {
    try statement(
      """
      INSERT INTO pool (name, slots, description, include_deferred) VALUES (?, ?, ?, ?)
      ON CONFLICT DO UPDATE
        SET slots = excluded.slots, description = excluded.description, include_deferred = excluded.include_deferred
      """
    ).execute(pool.name, pool.slots, pool.documentation, pool.includeDeferred)
  }

  private func poolDeleted(_ name: String) throws {
    let deleted = try statement("DELETE FROM pool WHERE name = ?").execute(name)
    guard deleted == 1 else {
      throw StoreError.guardFailed(path: path, subject: "pool \"\(name)\"", expected: "there", found: "not there")
    }
  }

  // MARK: Backfills

  private func backfillCreated(_ backfill: Backfill) throws {
    try statement(
      """
      INSERT INTO backfill (id, dag_id, from_date, to_date, max_active_runs, runs_backwards, reprocess_behavior,
        dag_run_conf, task_regex, created_at, completed_at, next_date)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
      """
    ).execute(
      backfill.number, backfill.dagID, backfill.fromDate, backfill.toDate, backfill.maxActiveRuns,
      backfill.runsBackwards, backfill.reprocess.rawValue, backfill.conf, backfill.taskRegex, backfill.createdAt,
      backfill.completedAt, backfill.nextDate)
  }

  private func backfillContinued(_ number: Int64, _ nextDate: Timestamp?) throws {
    let updated = try statement("UPDATE backfill SET next_date = ? WHERE id = ? AND next_date IS NOT NULL")
      .execute(nextDate, number)
    guard updated == 1 else {
      throw StoreError.guardFailed(
        path: path, subject: "backfill \(number)", expected: "with dates left", found: "without, or not there")
    }
  }

  private func backfillCompleted(_ number: Int64, _ date: Timestamp) throws {
    let updated = try statement("UPDATE backfill SET completed_at = ? WHERE id = ? AND completed_at IS NULL")
      .execute(date, number)
    guard updated == 1 else {
      let exists = try statement("SELECT 1 FROM backfill WHERE id = ?").first(number) { _ in true } ?? false
      throw StoreError.guardFailed(
        path: path, subject: "backfill \(number)", expected: "unfinished", found: exists ? "completed" : "not there")
    }
  }
}
