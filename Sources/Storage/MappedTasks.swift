internal import GRDB
internal import Model

extension Schema {
  /// A task has one instance for each element that it is mapped over. SQLite changes neither a primary key nor a CHECK
  /// of a table that is there: the tables are made anew, and filled from the old ones.
  ///
  /// The columns of a key come first: the integrity check of SQLite 3.40 finds NULLs that are not there in a table
  /// without rowids whose key is not its beginning.
  static func addMapIndices(_ database: Database) throws {
    try database.execute(sql: mapIndices)
    try addJobMembers(database)
  }

  private static let mapIndices = """
    DROP VIEW tasks;

    CREATE TABLE new_task_instance (
      run               INTEGER NOT NULL REFERENCES dag_run (id) ON DELETE CASCADE,
      task_id           TEXT NOT NULL,
      map_index         INTEGER NOT NULL DEFAULT -1 CHECK (map_index >= -1),    -- -1: not mapped
      position          INTEGER NOT NULL,          -- of the task in the plan, from 0
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
      loss              TEXT,
      executor          TEXT,                      -- that has its try; NULL: the default one
      deferral          TEXT CHECK (deferral IS NULL OR json_valid(deferral)),  -- what a deferred try waits for
      choice            TEXT CHECK (choice IS NULL OR json_valid(choice)),      -- which tasks below it it has chosen
      PRIMARY KEY (run, task_id, map_index),
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
    INSERT INTO new_task_instance
      SELECT run, task_id, -1, position, state, try_number, max_tries, start_date, end_date, retry_at, reason, exit_code,
        signal, cpu_seconds, peak_memory_bytes, loss, NULL, NULL, NULL
      FROM task_instance;

    CREATE TABLE new_task_try (
      run               INTEGER NOT NULL,
      task_id           TEXT NOT NULL,
      map_index         INTEGER NOT NULL DEFAULT -1,
      try_number        INTEGER NOT NULL CHECK (try_number >= 1),
      state             TEXT NOT NULL CHECK (state IN (\(list(of: TaskState.allCases)))),
      start_date        INTEGER,
      end_date          INTEGER,
      reason            TEXT,
      exit_code         INTEGER,
      signal            INTEGER,
      cpu_seconds       REAL,
      peak_memory_bytes INTEGER,
      loss              TEXT,
      PRIMARY KEY (run, task_id, map_index, try_number),
      FOREIGN KEY (run, task_id, map_index) REFERENCES new_task_instance (run, task_id, map_index) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    INSERT INTO new_task_try
      SELECT run, task_id, -1, try_number, state, start_date, end_date, reason, exit_code, signal, cpu_seconds,
        peak_memory_bytes, loss
      FROM task_try;

    CREATE TABLE new_xcom (
      run       INTEGER NOT NULL,
      task_id   TEXT NOT NULL,
      map_index INTEGER NOT NULL DEFAULT -1,
      value     TEXT NOT NULL,
      PRIMARY KEY (run, task_id, map_index),
      FOREIGN KEY (run, task_id, map_index) REFERENCES new_task_instance (run, task_id, map_index) ON DELETE CASCADE
    ) STRICT, WITHOUT ROWID;
    INSERT INTO new_xcom SELECT run, task_id, -1, value FROM xcom;

    -- The children first: dropping the parent deletes its rows, and those that refer to them.
    DROP TABLE xcom;
    DROP TABLE task_try;
    DROP TABLE task_instance;
    ALTER TABLE new_task_instance RENAME TO task_instance;
    ALTER TABLE new_task_try RENAME TO task_try;
    ALTER TABLE new_xcom RENAME TO xcom;

    \(tasksView("run, task_id, map_index", "map_index, "))
    """

  /// Which instance of its task, and which member of a group, a job is. An older dagrun has the member in the job's
  /// name only: `…-try2-MEMBER-xxxxxxxxxx`.
  private static func addJobMembers(_ database: Database) throws {
    try add("map_index INTEGER NOT NULL DEFAULT -1 CHECK (map_index >= -1)", to: "job", database)
    try add("member INTEGER NOT NULL DEFAULT 0 CHECK (member >= 0)", to: "job", database)
    for name in try String.fetchAll(database, sql: "SELECT name FROM job WHERE dag_id IS NOT NULL") {
      let parts = name.split(separator: "-")
      guard parts.count >= 2, let member = Int32(parts[parts.count - 2]), member > 0 else { continue }
      try database.execute(sql: "UPDATE job SET member = ? WHERE name = ?", arguments: [member, name])
    }
  }
}
