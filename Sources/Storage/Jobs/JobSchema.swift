import GRDB

extension Schema {
  /// Jobs on machines that exist only for them, and the ledger of those machines.
  ///
  /// A job is written before anything of it is asked for, and again before each thing its new state asks for. It refers
  /// to no run: a DAG may be deleted while a machine of it is still to be removed, and what was paid stays paid.
  static let jobs = """
    -- One row. The home is a label on all that its jobs have in the cloud.
    CREATE TABLE home (
      id         TEXT NOT NULL CHECK (id <> '' AND id NOT GLOB '*[^a-z0-9]*'),
      only_row   INTEGER NOT NULL PRIMARY KEY CHECK (only_row = 1)
    ) STRICT;
    INSERT INTO home VALUES (lower(hex(randomblob(6))), 1);

    CREATE TABLE job (
      name         TEXT NOT NULL PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 63),
      project      TEXT NOT NULL,
      dag_id       TEXT,
      run_id       TEXT,
      task_id      TEXT,
      try_number   INTEGER CHECK (try_number >= 1),
      run          INTEGER,           -- number of the run; not a reference, see above
      is_detached  INTEGER NOT NULL CHECK (is_detached IN (0, 1)),
      phase        TEXT NOT NULL CHECK (phase <> ''),     -- for people
      is_finished  INTEGER NOT NULL CHECK (is_finished IN (0, 1)),
      submitted_at INTEGER NOT NULL,
      finished_at  INTEGER,
      request      TEXT NOT NULL CHECK (json_valid(request)),
      state        TEXT NOT NULL CHECK (json_valid(state)),
      CHECK ((is_finished = 1) = (finished_at IS NOT NULL)),
      -- A job of a task names all of it, any other job nothing of it.
      CHECK ((dag_id IS NULL) = (run_id IS NULL) AND (dag_id IS NULL) = (task_id IS NULL)
        AND (dag_id IS NULL) = (try_number IS NULL) AND (dag_id IS NULL) = (run IS NULL))
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_unfinished ON job (name) WHERE is_finished = 0;
    CREATE INDEX job_of_task ON job (run, task_id, try_number) WHERE run IS NOT NULL;
    CREATE INDEX job_of_dag ON job (dag_id, submitted_at) WHERE dag_id IS NOT NULL;
    CREATE INDEX job_submitted ON job (submitted_at);

    -- The ledger: each attempt of a job to get a machine and to run on it. An attempt that got no machine has a row too.
    CREATE TABLE job_attempt (
      job                  TEXT NOT NULL REFERENCES job (name) ON DELETE CASCADE,
      number               INTEGER NOT NULL CHECK (number >= 1),
      zone                 TEXT,
      region               TEXT NOT NULL,
      machine_type         TEXT NOT NULL,
      is_spot              INTEGER NOT NULL CHECK (is_spot IN (0, 1)),
      requested_at         INTEGER NOT NULL,
      machine_started_at   INTEGER,
      container_started_at INTEGER,
      ended_at             INTEGER,
      ending               TEXT CHECK (ending IN ('succeeded', 'failed', 'preempted', 'out_of_capacity',
        'quota_exceeded', 'lost', 'cancelled', 'timed_out', 'refused')),
      cost                 REAL CHECK (cost >= 0),    -- estimated, in the price table's currency
      PRIMARY KEY (job, number),
      -- Why it ends is known before its machine is gone.
      CHECK (ended_at IS NULL OR ending IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX job_attempt_requested ON job_attempt (requested_at);

    \(jobViews)
    """

  /// What Google charged for each machine of an attempt (`MachineUse`, as JSON), for a group may make several; and
  /// moments that the cloud has not told are kept as the two between which they lie. NULL: an older dagrun has measured
  /// it.
  static func addMachines(_ database: Database) throws {
    for table in ["job_attempt", "past_attempt"] {
      try add("machines TEXT CHECK (machines IS NULL OR json_valid(machines))", to: table, database)
    }
    try database.execute(
      sql: """
        DROP VIEW job_attempts;
        CREATE VIEW job_attempts AS
          SELECT job, number, coalesce(zone, region) AS place, machine_type, is_spot, \(readable("requested_at")),
            \(readable("machine_started_at")), \(readable("container_started_at")), \(readable("ended_at")), ending, cost,
            (SELECT sum(max(60e6, (value ->> '$.ended.latest') - (value ->> '$.began.earliest'))) / 1e6
              FROM json_each(machines)) AS machine_seconds_at_most
          FROM job_attempt;
        """)
  }

  private static let jobViews = """
    CREATE VIEW jobs AS
      SELECT name, phase, dag_id, run_id, task_id, try_number, \(readable("submitted_at")), \(readable("finished_at")),
        (finished_at - submitted_at) / 1e6 AS duration,
        (SELECT count(*) FROM job_attempt WHERE job = name) AS attempts,
        (SELECT sum(cost) FROM job_attempt WHERE job = name) AS cost
      FROM job ORDER BY job.submitted_at;
    CREATE VIEW job_attempts AS
      SELECT job, number, coalesce(zone, region) AS place, machine_type, is_spot, \(readable("requested_at")),
        \(readable("machine_started_at")), \(readable("container_started_at")), \(readable("ended_at")), ending, cost
      FROM job_attempt;
    """

  /// The result of a job can wait for whoever asked for it, and be given twice, until somebody has said that it was
  /// taken.
  static let takenResults = """
    ALTER TABLE job ADD COLUMN taken_at INTEGER CHECK (taken_at IS NULL OR is_finished = 1);
    """

  /// One more ending of an attempt: its place does not have such a machine (SQLite changes no CHECK of a table that is
  /// there). And a place for the ledger of jobs that are forgotten.
  static let ledger = """
    DROP VIEW jobs;
    DROP VIEW job_attempts;
    CREATE TABLE new_job_attempt (
      job                  TEXT NOT NULL REFERENCES job (name) ON DELETE CASCADE,
      number               INTEGER NOT NULL CHECK (number >= 1),
      zone                 TEXT,
      region               TEXT NOT NULL,
      machine_type         TEXT NOT NULL,
      is_spot              INTEGER NOT NULL CHECK (is_spot IN (0, 1)),
      requested_at         INTEGER NOT NULL,
      machine_started_at   INTEGER,
      container_started_at INTEGER,
      ended_at             INTEGER,
      ending               TEXT CHECK (ending IN ('succeeded', 'failed', 'preempted', 'out_of_capacity',
        'quota_exceeded', 'not_offered', 'lost', 'cancelled', 'timed_out', 'refused')),
      cost                 REAL CHECK (cost >= 0),
      PRIMARY KEY (job, number),
      CHECK (ended_at IS NULL OR ending IS NOT NULL)
    ) STRICT, WITHOUT ROWID;
    INSERT INTO new_job_attempt SELECT * FROM job_attempt;
    DROP TABLE job_attempt;
    ALTER TABLE new_job_attempt RENAME TO job_attempt;
    CREATE INDEX job_attempt_requested ON job_attempt (requested_at);

    -- What is left of jobs that are forgotten: what was paid stays paid.
    CREATE TABLE past_attempt (
      job                  TEXT NOT NULL,
      number               INTEGER NOT NULL,
      zone                 TEXT,
      region               TEXT NOT NULL,
      machine_type         TEXT NOT NULL,
      is_spot              INTEGER NOT NULL,
      requested_at         INTEGER NOT NULL,
      machine_started_at   INTEGER,
      container_started_at INTEGER,
      ended_at             INTEGER,
      ending               TEXT,
      cost                 REAL,
      dag_id               TEXT,
      task_id              TEXT
    ) STRICT;
    CREATE INDEX past_attempt_requested ON past_attempt (requested_at);

    \(jobViews)
    """
}
