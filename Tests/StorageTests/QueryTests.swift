import Dagrun
import Model
import Scheduling
import Storage
import Testing

/// What commands and the engine ask.
struct QueryTests {
  let folder = Folder()
  let store: Store

  init() throws {
    store = try Store(path: folder.database)
    try store.add(tasks: ["extract", "load"])
    try store.add("other", tasks: ["only"])
    try store.commit([
      .runCreated(
        RunSnapshot(run: run(1, state: .success, logicalDate: at(10)), tasks: [task("load"), task("extract")])),
      .runCreated(RunSnapshot(run: run(2, state: .failed, logicalDate: at(30)), tasks: [task("extract")])),
      .runCreated(RunSnapshot(run: run(3, state: .success, logicalDate: at(20)), tasks: [task("extract")])),
      .runCreated(RunSnapshot(run: run(4, state: .running, logicalDate: at(40)), tasks: [task("extract")])),
      .runCreated(RunSnapshot(run: run(5, dagID: "other", state: .queued), tasks: [task("only")])),
    ])
  }

  @Test(arguments: [
    (RunFilter(), [5, 4, 3, 2, 1]),
    (RunFilter(dagID: "etl"), [4, 3, 2, 1]),
    (RunFilter(dagID: "etl", limit: 2), [4, 3]),
    (RunFilter(state: .success), [3, 1]),
    (RunFilter(dagID: "etl", state: .success), [3, 1]),
    (RunFilter(type: .scheduled), []),
    (RunFilter(fromDate: at(20)), [4, 3, 2]),
    (RunFilter(dagID: "etl", fromDate: at(20), toDate: at(30)), [3, 2]),
    (RunFilter(dagID: "nothing"), []),
    (RunFilter(limit: 1), [5]),
  ])
  func `runs are listed by what is asked, newest first`(filter: RunFilter, expected: [Int64]) throws {
    #expect(try store.listRuns(filter).map(\.number) == expected)
  }

  @Test func `a run is found by its id, its number, and as the latest`() throws {
    #expect(try store.run(dagID: "etl", runID: "manual__3")?.number == 3)
    #expect(try store.run(dagID: "other", runID: "manual__3") == nil)
    #expect(try store.run(number: 5)?.dagID == "other")
    #expect(try store.run(dagID: "etl", logicalDate: at(30))?.number == 2)
    #expect(try store.run(dagID: "etl", logicalDate: at(31)) == nil)
    #expect(try store.run(number: 6) == nil)
    #expect(try store.latestRun(dagID: "etl")?.number == 4)
    #expect(try store.latestRun(dagID: "nothing") == nil)
  }

  @Test func `the previous success is the nearest earlier date, not the last one made`() throws {
    #expect(try store.previousSuccessfulRun(dagID: "etl", before: at(40))?.number == 3)
    #expect(try store.previousSuccessfulRun(dagID: "etl", before: at(20))?.number == 1)
    #expect(try store.previousSuccessfulRun(dagID: "etl", before: at(10)) == nil)
  }

  @Test func `snapshots come by number or by date, with tasks in the order of the plan`() throws {
    let byNumber = try store.runSnapshots(numbers: [3, 1, 99])
    #expect(byNumber.map(\.run.number) == [3, 1])
    #expect(byNumber[1].tasks.map(\.taskID) == ["load", "extract"])
    #expect(try store.runSnapshots(dagID: "etl", from: at(10), through: at(30)).map(\.run.number) == [1, 3, 2])
    #expect(try store.runSnapshots(dagID: "other", from: at(0), through: at(99)).isEmpty)
    #expect(try store.runSnapshots(dagID: "other").map(\.run.number) == [5])
  }

  @Test func `DAGs are listed with their file, their last run and what is unfinished`() throws {
    let dags = try store.dags()
    #expect(dags.map(\.record.dagID) == ["etl", "other"])
    #expect(dags.map(\.sourcePath) == ["/dags/etl.swift", "/dags/other.swift"])
    #expect(dags.map(\.lastRun?.number) == [4, 5])
    #expect(dags.map(\.unfinishedRuns) == [1, 1])
    #expect(try store.dag("etl") == DAGRecord(dagID: "etl", version: "v1"))
    #expect(try store.dag("nothing") == nil)
  }

  @Test func `a pool shows the slots that active tasks take`() throws {
    let here = SourceLocation(file: "gpu.swift", line: 1)
    var gpu = DAGDescription(id: "gpu", location: here)
    gpu.tasks = ["a", "b", "c", "d"].map { id in
      var task = TaskDescription(id: id, work: .swift, location: here)
      (task.pool, task.poolSlots) = ("gpus", 2)
      return task
    }
    try store.saveVersions([storedVersion(gpu)])
    let tasks = [
      TaskInstance(taskID: "a", state: .running, tryNumber: 1, maxTries: 0, startDate: at(1)),
      TaskInstance(taskID: "b", state: .queued, tryNumber: 1, maxTries: 0), task("c", .scheduled), task("d", .none),
    ]
    try store.commit([
      .dagStored(DAGRecord(dagID: "gpu", version: "v1")), .poolStored(Pool(name: "gpus", slots: 4)),
      .runCreated(RunSnapshot(run: run(6, dagID: "gpu"), tasks: tasks)),
    ])
    let usage = try #require(try store.pools().first { $0.pool.name == "gpus" })
    #expect(usage.runningSlots == 2 && usage.queuedSlots == 2 && usage.scheduledSlots == 2)
    #expect(usage.deferredSlots == 0)
  }

  @Test func `a task that names no pool takes a slot of the default pool`() throws {
    let here = SourceLocation(file: "plain.swift", line: 1)
    var plain = DAGDescription(id: "plain", location: here)
    plain.tasks = [TaskDescription(id: "a", work: .swift, location: here)]
    try store.saveVersions([storedVersion(plain)])
    let running = TaskInstance(taskID: "a", state: .running, tryNumber: 1, maxTries: 0, startDate: at(1))
    try store.commit([
      .dagStored(DAGRecord(dagID: "plain", version: "v1")),
      .runCreated(RunSnapshot(run: run(6, dagID: "plain"), tasks: [running])),
    ])
    let usage = try #require(try store.pools().first { $0.pool == .standard })
    #expect(usage.runningSlots == 1)
  }

  @Test func `variables are set, replaced, read and deleted`() throws {
    try store.setVariable(Variable(key: "b", value: "2"))
    try store.setVariable(Variable(key: "a", value: "1", documentation: "first"))
    try store.setVariable(Variable(key: "b", value: ""))
    #expect(
      try store.variables() == [
        Variable(key: "a", value: "1", documentation: "first"), Variable(key: "b", value: ""),
      ])
    #expect(try store.variable("a")?.documentation == "first")
    #expect(try store.variable("c") == nil)
    #expect(try store.variableValues() == ["a": "1", "b": ""])
    #expect(try store.deleteVariable("a"))
    #expect(try store.deleteVariable("a") == false)
    #expect(try store.variableValues() == ["b": ""])
  }

  @Test func `a variable that a command sets is seen by the scheduler`() throws {
    #expect(try store.variableValues() == [:])
    let command = try Store(path: folder.database)
    try command.setVariable(Variable(key: "a", value: "1"))
    #expect(try store.variableValues() == ["a": "1"])
    _ = try command.deleteVariable("a")
    #expect(try store.variableValues() == [:])
  }

  @Test func `the two views show names and readable dates`() throws {
    let info = try store.info()
    #expect(info.counts.runs == 5 && info.counts.unfinishedRuns == 2 && info.counts.taskInstances == 6)
    #expect(info.schemaVersion == "0009 machines of attempts")
    #expect(info.sizeBytes > 4096)
    #expect(info.sqliteVersion.hasPrefix("3."))
    let logicalDate = try store.firstValue("SELECT logical_date FROM runs WHERE run_id = 'manual__1'")
    #expect(logicalDate == "1970-01-01T00:00:10.000Z")
    #expect(
      try store.firstValue("SELECT group_concat(task_id) FROM tasks WHERE run_id = 'manual__1'") == "load,extract")
  }
}
