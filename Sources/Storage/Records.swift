package import Dagrun
package import Model
internal import Scheduling

/// One DAG of a compiled file: what it describes, and where the code is.
package struct StoredVersion: Hashable, Sendable {
  /// Content hash of the compiled file.
  package var version: String
  package var dagID: String
  /// JSON text of the `DAGDescription`.
  package var description: String
  package var libraryPath: String
  /// The name of the function that is the file's top-level code.
  package var entryName: String
  package var sourcePath: String

  package init(
    version: String, dagID: String, description: String, libraryPath: String, entryName: String, sourcePath: String
  ) {
    self.version = version
    self.dagID = dagID
    self.description = description
    self.libraryPath = libraryPath
    self.entryName = entryName
    self.sourcePath = sourcePath
  }
}

/// A task instance with all that people ask of it. The details are those of its current or last try.
package struct TaskRecord: Hashable, Sendable {
  package var key: TaskInstanceKey
  package var instance: TaskInstance
  /// Why it is in its state, in words for a person.
  package var reason: String?
  package var exitCode: Int?
  package var signal: Int?
  package var usage: Usage
  /// What of its log, output or journal could not be kept, in words.
  package var loss: String?
  /// What it has chosen of the tasks below it; nil: all may run, or it has not ended.
  package var choice: DownstreamChoice?
}

/// What a list of DAGs shows.
package struct DAGSummary: Hashable, Sendable {
  package var record: DAGRecord
  /// The compiled file of `record.version`.
  package var sourcePath: String?
  package var lastRun: DAGRun?
  package var unfinishedRuns: Int
}

/// A pool, and how its slots are used right now.
package struct PoolUsage: Hashable, Sendable {
  package var pool: Pool
  package var runningSlots: Int
  package var queuedSlots: Int
  package var scheduledSlots: Int
  package var deferredSlots: Int

  package init(pool: Pool, runningSlots: Int = 0, queuedSlots: Int = 0, scheduledSlots: Int = 0, deferredSlots: Int = 0)
  {
    self.pool = pool
    self.runningSlots = runningSlots
    self.queuedSlots = queuedSlots
    self.scheduledSlots = scheduledSlots
    self.deferredSlots = deferredSlots
  }
}

package struct Variable: Hashable, Sendable {
  package var key: String
  package var value: String
  package var documentation: String

  package init(key: String, value: String, documentation: String = "") {
    self.key = key
    self.value = value
    self.documentation = documentation
  }
}

/// Which runs to list. Everything that is nil does not narrow the list.
package struct RunFilter: Hashable, Sendable {
  package var dagID: String?
  package var state: DAGRunState?
  package var type: DAGRunType?
  /// Bounds of the logical date, both inclusive.
  package var fromDate: Timestamp?
  package var toDate: Timestamp?
  package var limit: Int?

  package init(
    dagID: String? = nil, state: DAGRunState? = nil, type: DAGRunType? = nil, fromDate: Timestamp? = nil,
    toDate: Timestamp? = nil, limit: Int? = nil
  ) {
    self.dagID = dagID
    self.state = state
    self.type = type
    self.fromDate = fromDate
    self.toDate = toDate
    self.limit = limit
  }
}

/// What `dagrun db info` shows.
package struct DatabaseInfo: Hashable, Sendable {
  package var path: String
  /// The database and its write-ahead log.
  package var sizeBytes: Int64
  /// The name of the last migration.
  package var schemaVersion: String
  package var sqliteVersion: String
  package var counts: Counts

  package struct Counts: Hashable, Sendable {
    package var dags: Int
    package var versions: Int
    package var runs: Int
    package var unfinishedRuns: Int
    package var taskInstances: Int
    package var pastTries: Int
    package var outputs: Int
  }
}
