/// The folder that holds everything one installation knows: its database, logs, compiled files, socket and lock.
///
///     dagrun.db          the database (and its -wal and -shm)
///     scheduler.lock     held by the running scheduler; names its process
///     scheduler.sock     where commands reach it
///     cache/             compiled DAG files, by the hash of what they were made from
///     logs/              dag_id=…/run_id=…/task_id=…/attempt=1.log
///     jobs/              locks and logs of jobs that belong to no task
///     prices.yaml        what machines cost, where the user has said so
///     workers/           one folder a worker process: its journal, and what its current task has printed
package struct Home: Hashable, Sendable {
  /// Absolute.
  package let path: String

  package init(path: String) { self.path = path }

  package var databasePath: String { path + "/dagrun.db" }
  package var lockPath: String { path + "/scheduler.lock" }
  package var socketPath: String { path + "/scheduler.sock" }
  package var cachePath: String { path + "/cache" }
  package var logsPath: String { path + "/logs" }
  package var workersPath: String { path + "/workers" }
  /// Locks and logs of jobs that belong to no task.
  package var jobsPath: String { path + "/jobs" }
  package var pricesPath: String { path + "/prices.yaml" }

  package func logPath(ofJob name: String) -> String { "\(jobsPath)/\(name).log" }

  /// The folder of a run's logs.
  package func logFolder(dagID: String, runID: String) -> String {
    "\(logsPath)/\(LogPath.folder(dagID: dagID, runID: runID))"
  }

  /// The log of one try. There is none when the try printed nothing.
  package func logPath(of key: TryKey, dagID: String, runID: String) -> String {
    "\(logsPath)/\(LogPath.of(key, dagID: dagID, runID: runID))"
  }
}
