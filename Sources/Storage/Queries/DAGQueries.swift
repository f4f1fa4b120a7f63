import GRDB
package import Model
package import Scheduling

extension StoreConnection {
  /// By id.
  package func dags() throws(StoreError) -> [DAGSummary] {
    try read { database in
      let lastRun = try statement(database, "SELECT * FROM dag_run WHERE dag_id = ? ORDER BY id DESC LIMIT 1")
      let unfinished = try statement(
        database, "SELECT count(*) FROM dag_run WHERE dag_id = ? AND state IN ('queued', 'running')")
      return try statement(
        database,
        """
        SELECT dag.dag_id, is_paused, dag.version, last_scheduled, source_path
        FROM dag LEFT JOIN dag_version ON dag_version.dag_id = dag.dag_id AND dag_version.version = dag.version
        ORDER BY dag.dag_id
        """
      ).rows { row in
        let record = DAGRecord(row: row)
        return DAGSummary(
          record: record, sourcePath: row.optionalText(4),
          lastRun: try lastRun.first(record.dagID, as: DAGRun.init(row:)),
          unfinishedRuns: try unfinished.first(record.dagID) { $0.int(0) } ?? 0)
      }
    }
  }

  package func dag(_ dagID: String) throws(StoreError) -> DAGRecord? {
    try read { database in
      try statement(database, "SELECT * FROM dag WHERE dag_id = ?").first(dagID, as: DAGRecord.init(row:))
    }
  }

  package func version(_ version: String, dagID: String) throws(StoreError) -> StoredVersion? {
    try read { try storedVersion(version, dagID: dagID, $0) }
  }

  /// The plan of a version; nil when it is not known.
  package func plan(dagID: String, version: String) throws(StoreError) -> DAGPlan? {
    try read { try storedVersion(version, dagID: dagID, $0)?.plan() }
  }

  func storedVersion(_ version: String, dagID: String, _ database: Database) throws -> StoredVersion? {
    try statement(database, "SELECT * FROM dag_version WHERE dag_id = ? AND version = ?")
      .first(dagID, version, as: StoredVersion.init(row:))
  }
}

extension Store {
  /// Makes the versions known that DAGs and runs will refer to. One that is known already keeps its description, and
  /// takes the paths given here: the home may have been moved.
  package func saveVersions(_ versions: [StoredVersion]) throws(StoreError) {
    guard !versions.isEmpty else { return }
    try write("write to") { database in
      let save = try statement(
        database,
        """
        INSERT INTO dag_version (dag_id, version, description, library_path, entry_name, source_path)
        VALUES (?, ?, ?, ?, ?, ?)
        ON CONFLICT DO UPDATE SET library_path = excluded.library_path, entry_name = excluded.entry_name,
          source_path = excluded.source_path
        WHERE (library_path, entry_name, source_path)
          IS NOT (excluded.library_path, excluded.entry_name, excluded.source_path)
        """)
      for version in versions {
        try save.execute(
          version.dagID, version.version, version.description, version.libraryPath, version.entryName,
          version.sourcePath)
      }
    }
  }
}
