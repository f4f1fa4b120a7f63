package import Dagrun
import GRDB
package import Model
internal import Scheduling

extension StoreConnection {
  /// Newest first: by number, so in the order in which they were made.
  package func listRuns(_ filter: RunFilter = RunFilter()) throws(StoreError) -> [DAGRun] {
    let state = filter.state?.rawValue
    let type = filter.type?.rawValue
    let limit = filter.limit ?? -1
    return try read { database in
      guard let dagID = filter.dagID else {
        return try statement(
          database,
          """
          SELECT * FROM dag_run
          WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR run_type = ?2)
            AND (?3 IS NULL OR logical_date >= ?3) AND (?4 IS NULL OR logical_date <= ?4)
          ORDER BY id DESC LIMIT ?5
          """
        ).rows(state, type, filter.fromDate, filter.toDate, limit, as: DAGRun.init(row:))
      }
      return try statement(
        database,
        """
        SELECT * FROM dag_run
        WHERE (?1 IS NULL OR state = ?1) AND (?2 IS NULL OR run_type = ?2)
          AND (?3 IS NULL OR logical_date >= ?3) AND (?4 IS NULL OR logical_date <= ?4) AND dag_id = ?6
        ORDER BY id DESC LIMIT ?5
        """
      ).rows(state, type, filter.fromDate, filter.toDate, limit, dagID, as: DAGRun.init(row:))
    }
  }

  package func run(dagID: String, runID: String) throws(StoreError) -> DAGRun? {
    try read { database in
      try statement(database, "SELECT * FROM dag_run WHERE dag_id = ? AND run_id = ?")
        .first(dagID, runID, as: DAGRun.init(row:))
    }
  }

  /// The run that has the logical date: there is one at most.
  package func run(dagID: String, logicalDate: Timestamp) throws(StoreError) -> DAGRun? {
    try read { database in
      try statement(database, "SELECT * FROM dag_run WHERE dag_id = ? AND logical_date = ?")
        .first(dagID, logicalDate, as: DAGRun.init(row:))
    }
  }

  package func run(number: Int64) throws(StoreError) -> DAGRun? {
    try read { try run(number: number, $0) }
  }

  /// The run that was made last.
  package func latestRun(dagID: String) throws(StoreError) -> DAGRun? {
    try listRuns(RunFilter(dagID: dagID, limit: 1)).first
  }

  /// The last run before `logicalDate` that succeeded: whose interval is `prev_data_interval_start_success`.
  package func previousSuccessfulRun(dagID: String, before logicalDate: Timestamp) throws(StoreError) -> DAGRun? {
    try perform("read") { database in
      try statement(
        database,
        """
        SELECT * FROM dag_run WHERE dag_id = ? AND logical_date < ? AND state = 'success'
        ORDER BY logical_date DESC LIMIT 1
        """
      ).first(dagID, logicalDate, as: DAGRun.init(row:))
    }
  }

  /// Runs with their task instances, in the order asked for. A number that no run has is left out.
  package func runSnapshots(numbers: [Int64]) throws(StoreError) -> [RunSnapshot] {
    try read { database in
      try numbers.compactMap { try run(number: $0, database) }.map { try snapshot(of: $0, database) }
    }
  }

  /// The runs of a DAG with a logical date in the range, both bounds included, by date; without bounds also those that
  /// have no logical date, first.
  package func runSnapshots(
    dagID: String, from fromDate: Timestamp? = nil, through toDate: Timestamp? = nil
  ) throws(StoreError) -> [RunSnapshot] {
    try read { database in
      try statement(
        database,
        """
        SELECT * FROM dag_run
        WHERE dag_id = ?1 AND (?2 IS NULL OR logical_date >= ?2) AND (?3 IS NULL OR logical_date <= ?3)
        ORDER BY logical_date, id
        """
      ).rows(dagID, fromDate, toDate, as: DAGRun.init(row:)).map { try snapshot(of: $0, database) }
    }
  }

  /// By number; those that are not completed, or all.
  package func backfills(dagID: String? = nil, includingCompleted: Bool = true) throws(StoreError) -> [Backfill] {
    try read { database in
      try statement(
        database,
        """
        SELECT * FROM backfill WHERE (?1 IS NULL OR dag_id = ?1) AND (?2 OR completed_at IS NULL) ORDER BY id
        """
      ).rows(dagID, includingCompleted, as: Backfill.init(row:))
    }
  }

  private func run(number: Int64, _ database: Database) throws -> DAGRun? {
    try statement(database, "SELECT * FROM dag_run WHERE id = ?").first(number, as: DAGRun.init(row:))
  }

  private func snapshot(of run: DAGRun, _ database: Database) throws -> RunSnapshot {
    try runSnapshot(run, nil, database)
  }
}
