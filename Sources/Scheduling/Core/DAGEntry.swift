import Dagrun
import HeapModule
import Model

/// A DAG in memory.
struct DAGEntry: Sendable {
  var record: DAGRecord
  /// The newest version; nil when its file is gone.
  var plan: DAGPlan?
  var source = RunSource.none
  var isDeleted = false
  /// Why nothing moves in it by itself until the scheduler is restored: the database refused what it would do next.
  /// nil: nothing is in its way.
  var suspension: String?
  /// Ids of runs that are not in memory, where ids that are made here have clashed with them.
  var takenRunIDs: Set<String> = []
  /// What manual runs were called after last, and the ids that were made of it.
  var latestManual: (id: String, given: Set<String>) = ("", [])
  /// Numbers of its unfinished runs.
  private(set) var runs = AscendingList<Int64>()
  /// Numbers of its unfinished runs by their ids.
  private(set) var unfinishedRunIDs: [String: Int64] = [:]
  /// Runs that count against `maxActiveRuns`: all but those of backfills that are under way.
  var runningLive = 0
  var unfinishedLive = 0
  var queued = Heap<QueuedRun>()
  var history = DependsOnPastHistory()
  /// Logical dates after `record.lastScheduled` that a run has.
  var usedLogicalDates = AscendingList<Timestamp>()
  /// When the next run of its source is due; nil: never.
  var nextDue: Timestamp?

  init(_ record: DAGRecord) { self.record = record }

  var hasPast: Bool { plan.map { !$0.pastTaskIDs.isEmpty } ?? false }

  /// Nothing in it starts by itself.
  var isHeld: Bool { record.isPaused || suspension != nil }

  mutating func insert(_ run: DAGRun) {
    runs.insert(run.number)
    unfinishedRunIDs[run.runID] = run.number
  }

  mutating func remove(_ run: DAGRun) {
    runs.remove(run.number)
    unfinishedRunIDs[run.runID] = nil
  }

  mutating func use(_ date: Timestamp) {
    if let last = record.lastScheduled, date <= last { return }
    usedLogicalDates.insert(date)
  }
}

/// A backfill that is under way.
struct BackfillEntry: Sendable {
  var backfill: Backfill
  var running = 0
  var unfinished = 0
  var queued = Heap<QueuedRun>()
  /// The dates from `backfill.nextDate` on, in the order in which their runs are made. nil: not found out yet.
  var remaining: ArraySlice<Timestamp>?

  init(_ backfill: Backfill) { self.backfill = backfill }

  /// There is nothing more that it waits for.
  var isOver: Bool { unfinished == 0 && backfill.nextDate == nil }
}

/// A run that waits for `maxActiveRuns`, in the order in which runs start. Stale once the run is not queued any more.
struct QueuedRun: Comparable, Sendable {
  /// Microseconds: of `runAfter`, in a backfill of the logical date, negative where it goes backwards.
  var order: Int64
  var run: Int64

  static func < (left: QueuedRun, right: QueuedRun) -> Bool {
    left.order != right.order ? left.order < right.order : left.run < right.run
  }
}
