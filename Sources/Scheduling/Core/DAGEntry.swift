import Dagrun
import HeapModule

/// A DAG in memory.
struct DAGEntry: Sendable {
  var record: DAGRecord
  /// The newest version; nil when its file is gone.
  var plan: DAGPlan?
  var timetable: Timetable?
  var isDeleted = false
  /// Numbers of its unfinished runs, ascending.
  var runs: [Int64] = []
  /// Runs that count against `maxActiveRuns`: all but those of backfills that are under way.
  var runningLive = 0
  var unfinishedLive = 0
  var queued = Heap<QueuedRun>()
  var history = PastHistory()
  /// Logical dates after `record.lastScheduled` that a run bears. Ascending.
  var takenDates: [Timestamp] = []
  /// When the schedule's next run is due; nil: never.
  var nextDue: Timestamp?

  init(_ record: DAGRecord) { self.record = record }

  var hasPast: Bool { plan.map { !$0.pastTaskIDs.isEmpty } ?? false }

  mutating func take(_ date: Timestamp) {
    if let last = record.lastScheduled, date <= last { return }
    let index = takenDates.firstIndex { $0 >= date } ?? takenDates.endIndex
    if index < takenDates.endIndex, takenDates[index] == date { return }
    takenDates.insert(date, at: index)
  }

  mutating func insert(run: Int64) {
    let index = runs.lastIndex { $0 < run }.map { $0 + 1 } ?? 0
    runs.insert(run, at: index)
  }
}

/// A backfill that is under way.
struct BackfillEntry: Sendable {
  var backfill: Backfill
  var running = 0
  var unfinished = 0
  var queued = Heap<QueuedRun>()

  init(_ backfill: Backfill) { self.backfill = backfill }
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
