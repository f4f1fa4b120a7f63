package import Dagrun
import GRDB
package import Model

/// The jobs of a home, as those who drive them write them.
///
/// Several processes do so at once, beside the scheduler: each `dagrun job run` drives its own job. So each has a
/// connection of its own, and a job is written only by the process that holds the job's lock.
package final class JobStore: StoreConnection, @unchecked Sendable {
  /// Opens the database; makes it, or brings it up to date, where that is needed.
  package init(path: String) throws(StoreError) {
    super.init(path: path, queue: try DatabaseFile.openForWriting(path))
  }

  /// Writes all of the jobs with their attempts, or none. When it returns, they survive a power cut.
  ///
  /// - Throws: `.guardFailed` for a job that has ended in the meantime, or another one of the same name.
  package func save(_ jobs: [JobRecord]) throws(StoreError) {
    guard !jobs.isEmpty else { return }
    try write("write to") { database in
      for job in jobs {
        try save(job, database)
        for attempt in job.attempts { try save(attempt, ofJob: job.name, database) }
      }
    }
  }

  /// Forgets jobs that ended before the moment: what they were, and how they ended. Their part of the ledger stays.
  ///
  /// - Returns: their names.
  @discardableResult
  package func prune(finishedBefore moment: Timestamp) throws(StoreError) -> [String] {
    var names: [String] = []
    try write("write to") { database in
      names = try statement(
        database, "SELECT name FROM job WHERE is_finished = 1 AND finished_at < ? ORDER BY name"
      ).rows(moment) { $0.text(0) }
      guard !names.isEmpty else { return }
      _ = try statement(
        database,
        """
        INSERT INTO past_attempt (job, number, zone, region, machine_type, is_spot, requested_at, machine_started_at,
          container_started_at, ended_at, ending, cost, machines, dag_id, task_id)
        SELECT job_attempt.*, dag_id, task_id FROM job_attempt JOIN job ON name = job
        WHERE is_finished = 1 AND finished_at < ?
        """
      ).execute(moment)
      _ = try statement(database, "DELETE FROM job WHERE is_finished = 1 AND finished_at < ?").execute(moment)
    }
    return names
  }

  /// Whoever a job was for has its result. Once is enough: a second word on it changes nothing.
  ///
  /// - Returns: false when no finished job of the name is kept.
  @discardableResult
  package func acknowledgeResult(_ name: String, at moment: Timestamp) throws(StoreError) -> Bool {
    var count = 0
    try write("write to") { database in
      count = try statement(
        database, "UPDATE job SET taken_at = coalesce(taken_at, ?) WHERE name = ? AND is_finished = 1"
      ).execute(moment, name)
    }
    return count == 1
  }

  /// What has ended stays as it is; and a name is one job for as long as it is kept, known by its submission.
  private func save(_ job: JobRecord, _ database: Database) throws {
    let changed = try statement(
      database,
      """
      INSERT INTO job (name, project, dag_id, run_id, task_id, try_number, run, is_detached, phase, is_finished,
        submitted_at, finished_at, request, state, map_index, member)
      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16)
      ON CONFLICT (name) DO UPDATE
      SET phase = ?9, is_finished = ?10, finished_at = ?12, request = ?13, state = ?14,
        is_detached = ?8
      WHERE submitted_at = ?11 AND is_finished <= ?10
      """
    ).execute(
      job.name, job.project, job.task?.dagID, job.task?.runID, job.task?.key.taskID, job.task?.key.number,
      job.task?.key.run,
      job.isDetached, job.phase, job.isFinished, job.submittedAt, job.finishedAt, job.request, job.state,
      job.task?.key.instance.mapIndex ?? TaskInstanceKey.notMapped, job.task?.key.member ?? 0)
    guard changed == 1 else {
      let found = try self.job(named: job.name, database)
      throw StoreError.guardFailed(
        path: path, subject: "job \"\(job.name)\"", expected: "unfinished, submitted \(job.submittedAt)",
        found: found.map { "\($0.phase), submitted \($0.submittedAt)" } ?? "not there")
    }
  }

  private func save(_ attempt: JobAttempt, ofJob job: String, _ database: Database) throws {
    try statement(
      database,
      """
      INSERT INTO job_attempt VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
      ON CONFLICT (job, number) DO UPDATE
      SET zone = ?3, region = ?4, machine_type = ?5, is_spot = ?6, requested_at = ?7, machine_started_at = ?8,
        container_started_at = ?9, ended_at = ?10, ending = ?11, cost = ?12, machines = ?13
      """
    ).execute(
      job, attempt.number, attempt.zone, attempt.region, attempt.machineType, attempt.isSpot,
      attempt.requestedAt, attempt.machineStartedAt, attempt.containerStartedAt, attempt.endedAt,
      attempt.ending?.rawValue,
      attempt.cost, attempt.machinesText)
  }
}

extension StoreConnection {
  /// Of the database, random, made with it: lower-case letters and digits, as a label may hold.
  package func homeID() throws(StoreError) -> String {
    try read { database in
      try statement(database, "SELECT id FROM home").first { $0.text(0) } ?? ""
    }
  }

  package func job(named name: String) throws(StoreError) -> JobRecord? {
    try read { try job(named: name, $0) }
  }

  /// Those named `BASE-…`, and maybe some more: what follows a hyphen is the caller's to judge. By name.
  package func jobs(begun base: String) throws(StoreError) -> [JobRecord] {
    try read { database in
      // "." follows "-", so that the range is that of the primary key.
      try withAttempts(
        statement(database, "SELECT * FROM job WHERE name > ? AND name < ? ORDER BY name")
          .rows(base + "-", base + ".", as: JobRecord.init(row:)), database)
    }
  }

  /// By name.
  package func unfinishedJobs() throws(StoreError) -> [JobRecord] {
    try read { database in
      // Two statements, however many there are: the engine asks for them from time to time.
      var attempts: [String: [JobAttempt]] = [:]
      try statement(
        database,
        "SELECT job_attempt.* FROM job JOIN job_attempt ON job = name WHERE is_finished = 0 ORDER BY job, number"
      ).forEachRow { attempts[$0.text(0), default: []].append(JobAttempt(row: $0)) }
      return try statement(database, "SELECT * FROM job WHERE is_finished = 0 ORDER BY name").rows { row in
        var record = JobRecord(row: row)
        record.attempts = attempts[record.name] ?? []
        return record
      }
    }
  }

  /// Newest first.
  package func listJobs(_ filter: JobFilter = JobFilter()) throws(StoreError) -> [JobRecord] {
    try read { database in
      let records = try statement(
        database,
        """
        SELECT * FROM job
        WHERE (?1 IS NULL OR is_finished = ?1) AND (?2 IS NULL OR dag_id = ?2) AND (?3 IS NULL OR task_id = ?3)
          AND submitted_at >= ?4
        ORDER BY submitted_at DESC, name LIMIT ?5
        """
      ).rows(
        filter.isFinished, filter.dagID, filter.taskID, filter.since ?? Timestamp(microseconds: .min),
        filter.limit ?? -1, as: JobRecord.init(row:))
      return try withAttempts(records, database)
    }
  }

  /// The jobs of one try of a task: one, or those of a group. By name.
  package func jobs(of key: TryKey) throws(StoreError) -> [JobRecord] {
    try read { database in
      try withAttempts(
        try statement(
          database,
          """
          SELECT * FROM job WHERE run = ? AND task_id = ? AND try_number = ? AND map_index = ? ORDER BY name
          """
        ).rows(key.run, key.taskID, key.number, key.instance.mapIndex, as: JobRecord.init(row:)), database)
    }
  }

  /// Attempts that were requested in the range (`until` not included), in that order; of forgotten jobs too.
  package func ledger(
    since: Timestamp? = nil, until: Timestamp? = nil, dagID: String? = nil
  ) throws(StoreError) -> [LedgerEntry] {
    try read { database in
      try statement(
        database,
        """
        SELECT * FROM (
          SELECT job_attempt.*, dag_id, task_id FROM job_attempt JOIN job ON name = job
          UNION ALL
          SELECT job, number, zone, region, machine_type, is_spot, requested_at, machine_started_at,
            container_started_at, ended_at, ending, cost, machines, dag_id, task_id
          FROM past_attempt
        )
        WHERE requested_at >= ?1 AND requested_at < ?2 AND (?3 IS NULL OR dag_id = ?3)
        ORDER BY requested_at, job, number
        """
      ).rows(since ?? Timestamp(microseconds: .min), until ?? Timestamp(microseconds: .max), dagID) { row in
        LedgerEntry(
          job: row.text(0), dagID: row.optionalText(13), taskID: row.optionalText(14), attempt: JobAttempt(row: row))
      }
    }
  }

  fileprivate func job(named name: String, _ database: Database) throws -> JobRecord? {
    let records = try statement(database, "SELECT * FROM job WHERE name = ?").rows(name, as: JobRecord.init(row:))
    return try withAttempts(records, database).first
  }

  private func withAttempts(_ records: [JobRecord], _ database: Database) throws -> [JobRecord] {
    let attempts = try statement(database, "SELECT * FROM job_attempt WHERE job = ? ORDER BY number")
    return try records.map { record in
      var record = record
      record.attempts = try attempts.rows(record.name, as: JobAttempt.init(row:))
      return record
    }
  }
}
