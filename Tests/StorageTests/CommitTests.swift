import Dagrun
import Model
import Scheduling
import Storage
import Testing

/// Each change, what it guards, and that a batch is all or nothing.
struct CommitTests {
  let folder = Folder()
  let store: Store

  init() throws {
    store = try Store(path: folder.database)
    try store.add()
    try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: [task("extract"), task("load")]))])
  }

  @Test func `a task that moves is found moved, with its details`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .failed)
    let record = try #require(try store.taskInstance(key("extract")))
    #expect(record.instance == finishing(key("extract"), as: .failed).to)
    #expect(record.reason == "exit code 7")
    #expect(record.exitCode == 7)
    #expect(record.usage == Usage(cpuSeconds: 0.25, peakMemoryBytes: 1 << 20))
    #expect(try store.taskInstance(key("load"))?.instance == task("load"))
  }

  @Test func `a move from another state than the stored one is refused by name`() throws {
    let error = #expect(throws: StoreError.self) { try store.finish(key("extract")) }
    guard case .guardFailed(let failure) = error?.code else {
      Issue.record("not a guard failure: \(String(describing: error))")
      return
    }
    #expect(failure.key == key("extract"))
    #expect(failure.expected == "running on try 1")
    #expect(failure.found == "none on try 0")
    #expect(error?.description.contains(folder.database) == true)
  }

  @Test func `a move of another try than the stored one is refused`() throws {
    try store.launch(key("extract"))
    #expect(throws: StoreError.self) { try store.finish(key("extract"), tryNumber: 2) }
    #expect(try store.taskInstance(key("extract"))?.instance.state == .running)
  }

  @Test func `a move of a task that is not there is refused`() throws {
    let error = #expect(throws: StoreError.self) { try store.launch(key("transform")) }
    guard case .guardFailed(let failure) = error?.code else {
      Issue.record("not a guard failure: \(String(describing: error))")
      return
    }
    #expect(failure.found == "not there")
  }

  @Test func `when one change of a batch is refused, none is written`() throws {
    #expect(throws: StoreError.self) {
      try store.commit([
        .taskChanged(launching(key("extract"))),
        .outputStored(key("extract"), json: "1"),
        .runCreated(RunSnapshot(run: run(2), tasks: [task("extract")])),
        .poolStored(Pool(name: "gpus", slots: 2)),
        .taskChanged(finishing(key("load"))),
      ])
    }
    #expect(try store.taskInstances(run: 1).map(\.instance) == [task("extract"), task("load")])
    #expect(try store.output(key("extract")) == nil)
    #expect(try store.listRuns() == [run(1)])
    #expect(try store.pools().map(\.pool) == [.standard])
    // The connection is as good as before.
    try store.launch(key("extract"))
  }

  @Test func `a run moves from the state it is in, and from no other`() throws {
    var ended = run(1)
    ended.state = .success
    ended.endDate = at(400)
    ended.type = .backfill
    ended.reason = "cancelled"
    try store.commit([.runChanged(RunTransition(run: 1, from: .running, to: ended))])
    #expect(try store.run(number: 1) == ended)
    let error = #expect(throws: StoreError.self) {
      try store.commit([.runChanged(RunTransition(run: 1, from: .running, to: ended))])
    }
    guard case .guardFailed(let failure) = error?.code else {
      Issue.record("not a guard failure: \(String(describing: error))")
      return
    }
    #expect(failure.subject == "run 1")
    #expect(failure.found == "success")
  }

  @Test func `an output replaces the earlier one, and can be removed`() throws {
    try store.commit([.outputStored(key("extract"), json: "1"), .outputStored(key("load"), json: #""é\u0000""#)])
    try store.commit([.outputStored(key("extract"), json: "[2]")])
    #expect(try store.outputs(run: 1, ["extract", "load", "other"]) == ["extract": "[2]", "load": #""é\u0000""#])
    try store.commit([.outputRemoved(key("extract"))])
    #expect(try store.output(key("extract")) == nil)
  }

  @Test func `a replanned run has the rows it is given, and keeps what did not change`() throws {
    try store.saveVersions([storedVersion(description("etl", tasks: ["load", "check"]), "v2")])
    try store.launch(key("extract"))
    try store.finish(key("extract"))
    try store.launch(key("load"))
    try store.finish(key("load"))
    var replanned = run(1)
    replanned.version = "v2"
    let kept = finishing(key("load")).to
    var removed = finishing(key("extract")).to
    removed.state = .removed
    try store.commit([.runReplanned(RunSnapshot(run: replanned, tasks: [kept, task("check"), removed]))])

    #expect(try store.run(number: 1)?.version == "v2")
    let records = try store.taskInstances(run: 1)
    #expect(records.map(\.instance) == [kept, task("check"), removed])
    #expect(records[0].usage.cpuSeconds == 0.25)
    #expect(records[2].usage.cpuSeconds == nil)
    #expect(try store.tries(key("extract")).map(\.state) == [.success])
    #expect(throws: StoreError.self) { try store.commit([.runReplanned(RunSnapshot(run: run(9), tasks: []))]) }
  }

  @Test func `a deleted DAG takes its runs along, and their numbers are not used again`() throws {
    try store.launch(key("extract"))
    try store.finish(key("extract"), as: .upForRetry)
    let backfill = sampleBackfill(number: 1)
    var member = run(2)
    member.backfill = 1
    try store.commit([
      .backfillCreated(backfill), .runCreated(RunSnapshot(run: member, tasks: [task("extract")])),
      .outputStored(key("extract"), json: "1"),
    ])
    try store.commit([.dagDeleted(dagID: "etl")])

    let counts = try store.info().counts
    #expect(counts.dags == 0 && counts.runs == 0 && counts.taskInstances == 0)
    #expect(counts.pastTries == 0 && counts.outputs == 0)
    let snapshot = try store.snapshot()
    #expect(snapshot.lastRunNumber == 2)
    #expect(snapshot.lastBackfillNumber == 1)
    #expect(snapshot.backfills.isEmpty)
    #expect(try store.check() == [])
  }

  @Test func `a pool is stored, changed and deleted once`() throws {
    try store.commit([.poolStored(Pool(name: "gpus", slots: 2, documentation: "cards", includeDeferred: true))])
    try store.commit([.poolStored(Pool(name: "gpus", slots: -1))])
    #expect(try store.pools().map(\.pool) == [.standard, Pool(name: "gpus", slots: -1)])
    try store.commit([.poolDeleted(name: "gpus")])
    #expect(throws: StoreError.self) { try store.commit([.poolDeleted(name: "gpus")]) }
  }

  @Test func `a backfill is completed once`() throws {
    try store.commit([.backfillCreated(sampleBackfill(number: 1))])
    try store.commit([.backfillCompleted(number: 1, at: at(9))])
    var completed = sampleBackfill(number: 1)
    completed.completedAt = at(9)
    #expect(try store.backfills() == [completed])
    #expect(try store.backfills(includingCompleted: false) == [])
    #expect(throws: StoreError.self) { try store.commit([.backfillCompleted(number: 1, at: at(10))]) }
  }

  @Test func `the schema refuses what the lifecycle does not have`() throws {
    var neverStarted = launching(key("extract"))
    neverStarted.to.startDate = nil
    var neverTried = launching(key("extract"))
    neverTried.to.tryNumber = 0
    var notDue = finishing(key("extract"), as: .upForRetry)
    (notDue.from, notDue.fromTry, notDue.to.retryAt) = (.none, 0, nil)
    for transition in [neverStarted, neverTried, notDue] {
      let error = #expect(throws: StoreError.self) { try store.commit([.taskChanged(transition)]) }
      #expect(error?.code == .constraint)
    }
    var endless = run(1)
    endless.state = .success
    #expect(throws: StoreError.self) {
      try store.commit([.runChanged(RunTransition(run: 1, from: .running, to: endless))])
    }
    #expect(throws: StoreError.self) { try store.commit([.runCreated(RunSnapshot(run: run(1), tasks: []))]) }
    #expect(throws: StoreError.self) {
      try store.commit([.runCreated(RunSnapshot(run: run(2, version: "unknown"), tasks: []))])
    }
  }

  private func sampleBackfill(number: Int64) -> Backfill {
    Backfill(
      number: number, dagID: "etl", fromDate: at(1), toDate: at(2), maxActiveRuns: 3, runsBackwards: true,
      reprocess: .failed, conf: #"{"a":1}"#, taskRegex: "ex.*", createdAt: at(5))
  }
}
