import Dagrun
import GRDB
import Model
import Scheduling

// Rows of `SELECT *`: columns in the order of their table. A migration that makes a table anew changes its reader too.

extension DAGRun {
  /// A row of `dag_run`.
  init(row: SQLRow) throws {
    var interval: DataInterval?
    if let start = row.optionalTimestamp(6), let end = row.optionalTimestamp(7) {
      interval = DataInterval(start: start, end: end)
    }
    self.init(
      number: row.int64(0), dagID: row.text(1), runID: row.text(2), type: try row.value(3), state: try row.value(4),
      logicalDate: row.optionalTimestamp(5), dataInterval: interval, runAfter: row.timestamp(8),
      queuedAt: row.timestamp(9), startDate: row.optionalTimestamp(10), endDate: row.optionalTimestamp(11),
      conf: row.text(12), version: row.text(13), backfill: row.optionalInt64(14),
      taskRegex: row.optionalText(15), reason: row.optionalText(16))
    isFirstOfBackfill = row.bool(17)
    standsForScheduled = row.bool(18)
  }
}

extension DAGRecord {
  /// A row of `dag`.
  init(row: SQLRow) {
    self.init(
      dagID: row.text(0), isPaused: row.bool(1), version: row.optionalText(2), lastScheduled: row.optionalTimestamp(3))
  }
}

extension StoredVersion {
  /// A row of `dag_version`.
  init(row: SQLRow) {
    self.init(
      version: row.text(1), dagID: row.text(0), description: row.text(2), libraryPath: row.text(3),
      entryName: row.text(4), sourcePath: row.text(5))
  }
}

extension Pool {
  /// A row of `pool`.
  init(row: SQLRow) {
    self.init(name: row.text(0), slots: row.int(1), documentation: row.text(2), includeDeferred: row.bool(3))
  }
}

extension Backfill {
  /// A row of `backfill`.
  init(row: SQLRow) throws {
    self.init(
      number: row.int64(0), dagID: row.text(1), fromDate: row.timestamp(2), toDate: row.timestamp(3),
      maxActiveRuns: row.int(4), runsBackwards: row.bool(5), reprocess: try row.value(6), conf: row.text(7),
      taskRegex: row.optionalText(8), createdAt: row.timestamp(9), completedAt: row.optionalTimestamp(10),
      nextDate: row.optionalTimestamp(11))
  }
}

extension TaskRecord {
  /// A row of `task_instance`.
  init(row: SQLRow) throws {
    let instance = TaskInstance(
      taskID: row.text(1), state: try row.value(4), tryNumber: row.int(5), maxTries: row.int(6),
      startDate: row.optionalTimestamp(7), endDate: row.optionalTimestamp(8), retryAt: row.optionalTimestamp(9))
    self.init(
      key: TaskInstanceKey(run: row.int64(0), taskID: instance.taskID, mapIndex: Int32(clamping: row.int64(2))),
      instance: instance, reason: row.optionalText(10), exitCode: row.optionalInt(11), signal: row.optionalInt(12),
      usage: Usage(cpuSeconds: row.optionalDouble(13), peakMemoryBytes: row.optionalInt64(14)),
      loss: row.optionalText(15),
      choice: try row.optionalText(18).map(DownstreamChoice.init(jsonText:)))
  }
}

extension TryRecord {
  /// A row of `task_try`.
  init(row: SQLRow) throws {
    self.init(
      tryNumber: row.int(3), state: try row.value(4), startDate: row.optionalTimestamp(5),
      endDate: row.optionalTimestamp(6), reason: row.optionalText(7), exitCode: row.optionalInt(8),
      signal: row.optionalInt(9),
      usage: Usage(cpuSeconds: row.optionalDouble(10), peakMemoryBytes: row.optionalInt64(11)),
      loss: row.optionalText(12))
  }
}
