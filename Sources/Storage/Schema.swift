import GRDB
import Model
import Scheduling

/// The tables, as a list of migrations. A migration that has been released is never edited: a change is a new one at
/// the end.
///
/// Names are Airflow's where Airflow has the thing. Moments are whole microseconds since 1970 (UTC). The CHECKs repeat
/// the lifecycle of docs/lifecycle.md, so that no program can store what cannot be.
enum Schema {
  /// Marks the file as dagrun's (`PRAGMA application_id`): "DAGR".
  static let applicationID: Int64 = 0x4441_4752

  static var migrations: Migrations {
    var migrations = Migrations()
    migrations.register("0001 foundation") { try $0.execute(sql: foundation) }
    migrations.register("0002 readable views") { try $0.execute(sql: readableViews) }
    migrations.register("0003 jobs") { try $0.execute(sql: jobs) }
    migrations.register("0004 taken results") { try $0.execute(sql: takenResults) }
    migrations.register("0005 ledger") { try $0.execute(sql: ledger) }
    migrations.register("0006 backfills in steps") { try addColumns($0) }
    migrations.register("0007 losses") { try addLosses($0) }
    migrations.register("0008 mapped tasks") { try addMapIndices($0) }
    migrations.register("0009 machines of attempts") { try addMachines($0) }
    migrations.register("0010 lengths of outputs") { try addOutputLengths($0) }
    return migrations
  }

  /// What of a try's log, output or journal could not be kept. At the end of their tables.
  private static func addLosses(_ database: Database) throws {
    for table in ["task_instance", "task_try"] { try add("loss TEXT", to: table, database) }
  }

  private static let foundation = """
    -- One row per DAG and version of its file. Written before anything refers to it, and it outlives the DAG.
    CREATE TABLE dag_version (
      dag_id       TEXT NOT NULL,
      version      TEXT NOT NULL,     -- content hash of the compiled file
      description  TEXT NOT NULL CHECK (json_valid(description)),
      library_path TEXT NOT NULL,
      entry_name   TEXT NOT NULL,
      source_path  TEXT NOT NULL,
      PRIMARY KEY (dag_id, version)
    ) STRICT;

    CREATE TABLE dag (
      dag_id         TEXT NOT NULL PRIMARY KEY,
      is_paused      INTEGER NOT NULL CHECK (is_paused IN (0, 1)),
      version        TEXT,            -- the newest that compiled; NULL when the file is gone
      last_scheduled INTEGER,
      FOREIGN KEY (dag_id, version) REFERENCES dag_version (dag_id, version)
    ) STRICT, WITHOUT ROWID;

    -- AUTOINCREMENT: the number of a deleted backfill or run is never given to another one.
    CREATE TABLE backfill (
      id                 INTEGER PRIMARY KEY AUTOINCREMENT,
      dag_id             TEXT NOT NULL REFERENCES dag (dag_id) ON DELETE CASCADE,
      from_date          INTEGER NOT NULL,
      to_date            INTEGER NOT NULL CHECK (to_date >= from_date),
      max_active_runs    INTEGER NOT NULL CHECK (max_active_runs >= 1),
      runs_backwards     INTEGER NOT NULL CHECK (runs_backwards IN (0, 1)),
      reprocess_behavior TEXT NOT NULL CHECK (reprocess_behavior IN ('none', 'failed', 'completed')),
      dag_run_conf       TEXT NOT NULL CHECK (json_valid(dag_run_conf)),
      task_regex         TEXT,
      created_at         INTEGER NOT NULL,
      completed_at       INTEGER
    ) STRICT;
    CREATE INDEX backfill_of_dag ON backfill (dag_id);

    CREATE TABLE dag_run (
      id                  INTEGER PRIMARY KEY AUTOINCREMENT,
      dag_id              TEXT NOT NULL REFERENCES dag (dag_id) ON DELETE CASCADE,
      run_id              TEXT NOT NULL,
      run_type            TEXT NOT NULL CHECK (run_type IN ('manual', 'scheduled', 'backfill', 'asset_triggered')),
      state               TEXT NOT NULL CHECK (state IN ('queued', 'running', 'success', 'failed')),
      logical_date        INTEGER,
      data_interval_start INTEGER,
      data_interval_end   INTEGER CHECK (data_interval_end >= data_interval_start),
      run_after           INTEGER NOT NULL,
      queued_at           INTEGER NOT NULL,
      start_date          INTEGER,
      end_date            INTEGER,
      conf                TEXT NOT NULL CHECK (json_valid(conf)),
      version             TEXT NOT NULL,
      backfill_id         INTEGER REFERENCES backfill (id),
      task_regex          TEXT,       -- of a backfill of some tasks
      reason              TEXT,       -- where the states of the tasks do not say it: cancelled, timed out, …
      FOREIGN KEY (dag_id, version) REFERENCES dag_version (dag_id, version),
      CHECK ((data_interval_start IS NULL) = (data_interval_end IS NULL)),
      CHECK (state <> 'running' OR start_date IS NOT NULL),
      CHECK ((state IN ('success', 'failed')) = (end_date IS NOT NULL))
    ) STRICT;
    CREATE UNIQUE INDEX dag_run_of_run_id ON dag_run (dag_id, run_id);
    CREATE UNIQUE INDEX dag_run_of_logical_date ON dag_run (dag_id, logical_date) WHERE logical_date IS NOT NULL;
    CREATE INDEX dag_run_unfinished ON dag_run (id) WHERE state IN ('queued', 'running');
    CREATE INDEX dag_run_of_dag ON dag_run (dag_id, id);
    CREATE INDEX dag_run_of_backfill ON dag_run (backfill_id) WHERE backfill_id IS NOT NULL;

    -- The task instance and the try it is on. No index beyond the key: each would be paid at every move.
    CREATE TABLE task_instance (
      run               INTEGER NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
      task_id           TEXT NOT NULL,
      position          INTEGER NOT NULL,          -- in the plan, from 0
      state             TEXT NOT NULL,
      try_number        INTEGER NOT NULL CHECK (try_number >= 0),
      max_tries         INTEGER NOT NULL,
      start_date        INTEGER,
      end_date          INTEGER,
      retry_at          INTEGER,
      reason            TEXT,
      exit_code         INTEGER,
      signal            INTEGER,
      cpu_seconds       REAL,
      peak_memory_bytes INTEGER,
      PRIMARY KEY (run, task_id),
      -- What each state needs. A CASE, because IN (…) builds a table of its list each time: half the cost of a move.
      CHECK (
        CASE state
          WHEN 'success'           THEN 1
          WHEN 'running'           THEN try_number >= 1 AND start_date IS NOT NULL
          WHEN 'none'              THEN 1
          WHEN 'scheduled'         THEN 1
          WHEN 'queued'            THEN try_number >= 1
          WHEN 'restarting'        THEN try_number >= 1
          WHEN 'deferred'          THEN try_number >= 1
          WHEN 'awaiting_input'    THEN 1
          WHEN 'up_for_retry'      THEN try_number >= 1 AND retry_at IS NOT NULL
          WHEN 'up_for_reschedule' THEN try_number >= 1 AND retry_at IS NOT NULL
          WHEN 'failed'            THEN 1
          WHEN 'upstream_failed'   THEN 1
          WHEN 'skipped'           THEN 1
          WHEN 'removed'           THEN 1
          ELSE 0
        END)
    ) STRICT, WITHOUT ROWID;

    -- Tries that are over, of tasks that continued: to another try, or because they were cleared. The last try of a
    -- task that has ended is in task_instance only.
    CREATE TABLE task_try (
      run               INTEGER NOT NULL,
      task_id           TEXT NOT NULL,
      try_number        INTEGER NOT NULL CHECK (try_number >= 1),
      state             TEXT NOT NULL CHECK (state IN (\(list(of: TaskState.allCases)))),
      start_date        INTEGER,
      end_date          INTEGER,
      reason            TEXT,
      exit_code         INTEGER,
      signal            INTEGER,
      cpu_seconds       REAL,
      peak_memory_bytes INTEGER,
      PRIMARY KEY (run, task_id, try_number),
      FOREIGN KEY (run, task_id) REFERENCES task_instance (run, task_id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    -- Outputs, as JSON text. Not checked here: one bad output must not spoil the batch it comes with.
    CREATE TABLE xcom (
      run     INTEGER NOT NULL,
      task_id TEXT NOT NULL,
      value   TEXT NOT NULL,
      PRIMARY KEY (run, task_id),
      FOREIGN KEY (run, task_id) REFERENCES task_instance (run, task_id) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE pool (
      name             TEXT NOT NULL PRIMARY KEY,
      slots            INTEGER NOT NULL CHECK (slots >= -1),
      description      TEXT NOT NULL,
      include_deferred INTEGER NOT NULL CHECK (include_deferred IN (0, 1))
    ) STRICT, WITHOUT ROWID;
    INSERT INTO pool VALUES ('default_pool', 128, '', 0);

    CREATE TABLE variable (
      key         TEXT NOT NULL PRIMARY KEY,
      value       TEXT NOT NULL,
      description TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;

    """

  private static func addColumns(_ database: Database) throws {
    // The first date that the backfill has not come to yet, in the order in which its runs are made; NULL: it has come
    // to all.
    try add("next_date INTEGER", to: "backfill", database)
    // The run of the first of all dates of its backfill: it has no past.
    try add(
      "is_first_of_backfill INTEGER NOT NULL DEFAULT 0 CHECK (is_first_of_backfill IN (0, 1))", to: "dag_run", database)
    // A manual run for a date that the schedule was still to make a run for: there is one for each date.
    try add(
      "stands_for_scheduled INTEGER NOT NULL DEFAULT 0 CHECK (stands_for_scheduled IN (0, 1))", to: "dag_run", database)
  }

  static func add(_ column: String, to table: String, _ database: Database) throws {
    let name = column.prefix { $0 != " " }
    guard try !database.columns(in: table).contains(where: { $0.name == name }) else { return }
    try database.execute(sql: "ALTER TABLE \(table) ADD COLUMN \(column)")
  }

  /// For people who open the file with sqlite3: dates one can read, and names in place of numbers.
  private static let readableViews = """
    CREATE VIEW runs AS
      SELECT id, dag_id, run_id, run_type, state, \(readable("logical_date")), \(readable("run_after")),
        \(readable("start_date")), \(readable("end_date")), (end_date - start_date) / 1e6 AS duration, reason, conf
      FROM dag_run;
    \(tasksView("run, task_id"))
    """

  static func tasksView(_ key: String, _ columns: String = "") -> String {
    """
    CREATE VIEW tasks AS
      SELECT dag_id, run_id, task_id, \(columns)task_instance.state, try_number, \(readable("task_instance.start_date")),
        \(readable("task_instance.end_date")),
        (task_instance.end_date - task_instance.start_date) / 1e6 AS duration,
        \(readable("retry_at")), task_instance.reason, exit_code, signal, cpu_seconds, peak_memory_bytes,
        xcom.value AS output
      FROM task_instance JOIN dag_run ON dag_run.id = task_instance.run LEFT JOIN xcom USING (\(key))
      ORDER BY run, position\(columns.isEmpty ? "" : ", map_index");
    """
  }

  static func readable(_ column: String) -> String {
    let name = column.split(separator: ".").last ?? ""
    return "strftime('%Y-%m-%dT%H:%M:%fZ', \(column) / 1e6, 'unixepoch') AS \(name)"
  }

  static func list(of states: [TaskState]) -> String {
    states.map { "'\($0.rawValue)'" }.joined(separator: ", ")
  }
}
