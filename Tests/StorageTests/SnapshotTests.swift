import Dagrun
import Model
import Scheduling
import Storage
import Testing

/// A scheduler is restored from exactly what it had committed.
struct SnapshotTests {
  let folder = Folder()

  @Test func `a new database has the default pool and nothing else`() throws {
    let snapshot = try Store(path: folder.database).snapshot()
    #expect(snapshot.pools == [.standard])
    #expect(snapshot.plans.isEmpty && snapshot.dags.isEmpty && snapshot.runs.isEmpty && snapshot.backfills.isEmpty)
    #expect(snapshot.lastRunNumber == 0 && snapshot.lastBackfillNumber == 0)
  }

  @Test func `every field comes back as it went in`() throws {
    let dag = DAGRecord(dagID: "etl", isPaused: true, version: "v1", lastScheduled: at(77))
    let pool = Pool(name: "gpus", slots: 2, documentation: "cards", includeDeferred: true)
    let backfill = Backfill(
      number: 4, dagID: "etl", fromDate: at(1), toDate: at(2), maxActiveRuns: 3, runsBackwards: true,
      reprocess: .completed, conf: #"{"a":"ü"}"#, taskRegex: "ex.*", createdAt: at(5))
    let full = DAGRun(
      number: 12, dagID: "etl", runID: "backfill__2026-01-31T00:00:00+00:00", type: .backfill, state: .running,
      logicalDate: at(-10), dataInterval: DataInterval(start: at(-10), end: at(-5)), runAfter: at(3), queuedAt: at(4),
      startDate: at(5), endDate: nil, conf: #"{"a":"ü"}"#, version: "v1", backfill: 4,
      taskRegex: "ex.*", reason: "cancelled")
    let bare = DAGRun(
      number: 13, dagID: "etl", runID: "m", type: .manual, state: .queued, logicalDate: nil, dataInterval: nil,
      runAfter: at(3), queuedAt: at(4), conf: "{}", version: "v1")
    let tasks = TaskState.allCases.map { state in
      TaskInstance(
        taskID: "task_\(state.rawValue)", state: state, tryNumber: 2, maxTries: 5, startDate: at(20), endDate: at(21),
        retryAt: at(22))
    }
    do {
      let store = try Store(path: folder.database)
      try store.saveVersions([storedVersion(description("etl", tasks: tasks.map(\.taskID).reversed()))])
      try store.commit([
        .dagStored(dag), .poolStored(pool), .backfillCreated(backfill),
        .runCreated(RunSnapshot(run: full, tasks: tasks)), .runCreated(RunSnapshot(run: bare, tasks: [task("only")])),
      ])
      try store.close()
    }
    let snapshot = try Store(path: folder.database).snapshot()
    #expect(snapshot.dags == [dag])
    #expect(snapshot.pools == [.standard, pool])
    #expect(snapshot.backfills == [backfill])
    #expect(
      snapshot.runs == [RunSnapshot(run: full, tasks: tasks), RunSnapshot(run: bare, tasks: [task("only")])])
    #expect(snapshot.lastRunNumber == 13 && snapshot.lastBackfillNumber == 4)
    #expect(snapshot.plans.map(\.description) == [description("etl", tasks: tasks.map(\.taskID).reversed())])
    #expect(snapshot.plans.map(\.version) == ["v1"])
    #expect(snapshot.usedLogicalDates.isEmpty)
  }

  @Test func `finished runs and completed backfills stay behind`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.commit([
      .runCreated(RunSnapshot(run: run(1, state: .success), tasks: [task("extract")])),
      .runCreated(RunSnapshot(run: run(2, state: .queued), tasks: [task("extract")])),
    ])
    #expect(try store.snapshot().runs.map(\.run.number) == [2])
  }

  @Test func `finished runs of a DAG that depends on its past are there, in order of their numbers`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.add("history", tasks: ["only"], dependsOnPast: true)
    try store.commit([
      .runCreated(RunSnapshot(run: run(1, dagID: "history", state: .failed), tasks: [task("only")])),
      .runCreated(RunSnapshot(run: run(2), tasks: [task("extract")])),
      .runCreated(RunSnapshot(run: run(3, dagID: "history", state: .success), tasks: [task("only")])),
      .runCreated(RunSnapshot(run: run(4, state: .success), tasks: [task("extract")])),
    ])
    #expect(try store.snapshot().runs.map(\.run.number) == [1, 2, 3])
  }

  @Test func `dates that the schedule must pass over are there`() throws {
    let store = try Store(path: folder.database)
    try store.add()
    try store.add("never")
    try store.commit([
      .dagStored(DAGRecord(dagID: "etl", version: "v1", lastScheduled: at(20))),
      .runCreated(RunSnapshot(run: run(1, state: .success, logicalDate: at(40)), tasks: [])),
      .runCreated(RunSnapshot(run: run(2, state: .success, logicalDate: at(20)), tasks: [])),
      .runCreated(RunSnapshot(run: run(3, logicalDate: at(30)), tasks: [])),
      .runCreated(RunSnapshot(run: run(4), tasks: [])),
      .runCreated(RunSnapshot(run: run(5, dagID: "never", state: .failed, logicalDate: at(10)), tasks: [])),
    ])
    #expect(try store.snapshot().usedLogicalDates == ["etl": [at(30), at(40)], "never": [at(10)]])
  }

  @Test func `the plans are the current ones, and those that unfinished runs are on`() throws {
    let store = try Store(path: folder.database)
    try store.saveVersions(["v1", "v2", "v3"].map { storedVersion(description("etl", tasks: ["a"]), $0) })
    try store.saveVersions([storedVersion(description("gone", tasks: ["b"]), "v9")])
    try store.commit([
      .dagStored(DAGRecord(dagID: "etl", version: "v3")), .dagStored(DAGRecord(dagID: "gone", version: nil)),
      .runCreated(RunSnapshot(run: run(1, version: "v1"), tasks: [task("a")])),
      .runCreated(RunSnapshot(run: run(2, state: .success, version: "v2"), tasks: [task("a")])),
      .runCreated(RunSnapshot(run: run(3, dagID: "gone", version: "v9"), tasks: [task("b")])),
    ])
    let snapshot = try store.snapshot()
    #expect(snapshot.plans.map { "\($0.dagID) \($0.version)" } == ["etl v3", "etl v1", "gone v9"])
    // That of a selection of tasks is not meant.
    let selected = try snapshot.plans.compactMap { try $0.selecting("a") }
    #expect(try store.snapshot(plans: selected).plans.map(\.taskRegex) == [nil, nil, nil])
    // A plan that the caller has is not made again.
    #expect(
      try store.snapshot(plans: snapshot.plans).plans.map(ObjectIdentifier.init)
        == snapshot.plans.map(ObjectIdentifier.init))
  }

  @Test func `a description that cannot be read is said to be so`() throws {
    let store = try Store(path: folder.database)
    var broken = storedVersion(description("etl", tasks: ["a"]))
    broken.description = #"{"id":"etl"}"#
    try store.saveVersions([broken])
    try store.commit([.dagStored(DAGRecord(dagID: "etl", version: "v1"))])
    let error = #expect(throws: StoreError.self) { try store.snapshot() }
    #expect(error?.code == .corrupt)
    #expect(error?.problem.contains("version v1 of DAG \"etl\"") == true)
  }

  @Test func `saving a version again keeps its description and takes its new paths`() throws {
    let store = try Store(path: folder.database)
    let first = storedVersion(description("etl", tasks: ["a"]))
    var moved = storedVersion(description("etl", tasks: ["other"]))
    moved.libraryPath = "/elsewhere/v1.so"
    try store.saveVersions([first])
    try store.saveVersions([moved])
    var expected = first
    expected.libraryPath = "/elsewhere/v1.so"
    #expect(try store.version("v1", dagID: "etl") == expected)
    #expect(try store.version("v2", dagID: "etl") == nil)
    #expect(try store.plan(dagID: "etl", version: "v1")?.description.tasks.map(\.id) == ["a"])
    #expect(try store.plan(dagID: "etl", version: "v2") == nil)
  }
}
