import Dagrun
import FuzzSupport
import Model
import Scheduling
import Testing

@testable import Storage

/// A database that was changed by hand, or put back from a broken backup, may have any numbers.
struct NumberTests {
  let folder = Folder(inMemory: true)

  private func makeStore() throws -> Store {
    let store = try Store(path: folder.database)
    var described = description("etl", tasks: ["a", "b"], dependsOnPast: true)
    described.schedule = .daily
    described.tasks[0].executionTimeoutSeconds = 10
    described.tasks[0].retries = 1
    try store.saveVersions([storedVersion(described)])
    var running = task("a", .running, tryNumber: 1)
    running.startDate = at(3)
    try store.commit([
      .dagStored(DAGRecord(dagID: "etl", version: "v1", lastScheduled: at(5))),
      .backfillCreated(
        Backfill(
          number: 1, dagID: "etl", fromDate: at(1), toDate: at(2), maxActiveRuns: 3, runsBackwards: false,
          reprocess: .none, conf: "{}", taskRegex: nil, createdAt: at(5))),
      .runCreated(
        RunSnapshot(run: run(1, logicalDate: at(1)), tasks: [running, task("b")])),
    ])
    return store
  }

  /// Every column that counts or measures something.
  static let places = [
    "task_instance.try_number", "task_instance.max_tries", "task_instance.start_date", "task_instance.end_date",
    "task_instance.retry_at", "task_instance.exit_code", "task_instance.signal", "task_instance.peak_memory_bytes",
    "dag_run.logical_date", "dag_run.run_after", "dag_run.queued_at", "dag_run.start_date", "dag.last_scheduled",
    "pool.slots", "backfill.from_date", "backfill.to_date", "backfill.max_active_runs", "backfill.created_at",
    "sqlite_sequence.seq",
  ]

  @Test(arguments: places)
  func `no number of a row stops the scheduler that is restored from it`(place: String) throws {
    let store = try makeStore()
    let (table, column) = (place.split(separator: ".")[0], place.split(separator: ".")[1])
    for number in FuzzSource.integers {
      // The schema refuses some of them.
      guard (try? store.run("UPDATE \(table) SET \(column) = \(number)")) != nil else { continue }
      let snapshot: Snapshot
      do {
        snapshot = try store.snapshot()
      } catch {
        #expect("\(error)".contains("\(number)"), "\(error)")
        continue
      }
      var scheduler = Scheduler(restoring: snapshot, limits: Limits(parallelism: 4))
      _ = scheduler.handle(.dagsLoaded(snapshot.plans), at: at(1_000))
      for active in scheduler.activeTries {
        _ = scheduler.handle(
          .taskFinished(active.key, TaskResult(.failed(reason: "x"), startDate: at(1), endDate: at(2))), at: at(1_001))
      }
      _ = scheduler.handle(.trigger(TriggerRequest(dagID: "etl")), at: at(1_002))
      _ = scheduler.handle(.wake, at: at(2_000))
    }
  }
}
