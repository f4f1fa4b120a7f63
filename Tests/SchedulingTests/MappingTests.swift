import Dagrun
import Model
import Testing

@testable import Scheduling

/// Tasks that are mapped over the output of another: `m < a*`.
@Suite struct MappingTests {
  private func bed(
    _ plan: DAGPlan, list count: Int? = nil, parallelism: Int = 32, maxMapLength: Int = 1024
  ) -> TestBed {
    var limits = Limits(parallelism: parallelism)
    limits.maxMapLength = maxMapLength
    var bed = TestBed(limits: limits, plan)
    bed.trigger()
    if let count { bed.finish("a", output: .list(count: count)) }
    return bed
  }

  /// What the database would give back is what is in memory.
  private func expectRestorable(_ bed: TestBed, sourceLocation: Testing.SourceLocation = #_sourceLocation) {
    #expect(bed.scheduler.difference(from: bed.restored) == nil, sourceLocation: sourceLocation)
  }

  private var states: (TestBed) -> [String] {
    { bed in
      bed.scheduler.snapshot(ofRun: 1)!.tasks.map {
        "\(TaskInstanceKey(run: 1, taskID: $0.taskID, mapIndex: $0.mapIndex).name) \($0.state.rawValue)"
      }
    }
  }

  // MARK: Expansion

  @Test func `a list makes an instance for each element, in one change`() {
    let bed = bed(dag("a", "m < a*", "z < m"), list: 3, parallelism: 2)
    #expect(
      bed.transcript == [
        "m0..<3 scheduled for none", "a running -> success try 1", "m[0] scheduled -> running try 1",
        "m[1] scheduled -> running try 1", "output of a …", "launch m[0] try 1", "launch m[1] try 1",
      ])
    #expect(states(bed) == ["a success", "m[0] running", "m[1] running", "m[2] scheduled", "z none"])
    expectRestorable(bed)
  }

  @Test func `what comes after waits for all instances`() {
    var bed = bed(dag("a", "m < a*", "z < m"), list: 3)
    for index in [2, 0] as [Int32] { bed.finish("m", index) }
    #expect(bed.launched == [] && bed.state("z") == TaskState.none)
    expectRestorable(bed)
    bed.finish("m", 1)
    #expect(bed.launched == ["z"])
    bed.finish("z")
    #expect(bed.transcript.contains("run 1 running -> success"))
  }

  @Test func `an empty list skips the task, and what needs it`() {
    var bed = bed(dag("a", "m < a*", "z < m", "other"), list: 0)
    #expect(bed.state("m") == .skipped && bed.state("z") == .skipped)
    let reasons = bed.last.changes.compactMap { if case .taskChanged(let move) = $0 { move.reason } else { nil } }
    #expect(reasons.first == "the list that it is mapped over is empty")
    expectRestorable(bed)
    bed.finish("other")
    #expect(bed.transcript.contains("run 1 running -> success"))
  }

  @Test func `a list of one makes an instance with an index`() {
    var bed = bed(dag("a", "m < a*", "z < m"), list: 1)
    #expect(bed.launched == ["m[0]"] && bed.state("m") == nil)
    expectRestorable(bed)
    bed.finish("m", 0)
    #expect(bed.launched == ["z"])
  }

  @Test func `a list that is too long fails the task, with words`() {
    let bed = bed(dag("a", "m < a*", "other"), list: 3, maxMapLength: 2)
    #expect(bed.state("m") == .failed)
    guard case .taskChanged(let move)? = bed.last.changes.first(where: { TestBed.line($0).hasPrefix("m ") }) else {
      Issue.record("m has not changed")
      return
    }
    #expect(
      move.reason == "it is mapped over 3 elements, and --max-map-length allows 2")
  }

  @Test(arguments: [
    (OutputShape.value, "it is mapped over the output of a, which is not a list"),
    (nil, "task \"a\" has no output: it succeeded, and returned nothing"),
  ])
  func `without a list the task fails`(output: OutputShape?, reason: String) {
    var bed = bed(dag("a", "m < a*", "other"))
    bed.finish("a", output: output)
    #expect(bed.state("m") == .failed)
    let reasons = bed.last.changes.compactMap { if case .taskChanged(let move) = $0 { move.reason } else { nil } }
    #expect(reasons == [reason])
  }

  @Test func `a list that comes later than its rule asks for is waited for`() {
    var bed = bed(
      dag("a", "b", "m < a* b") { $0.task("m") { $0.triggerRule = .oneSuccess } })
    bed.finish("b")
    #expect(bed.launched == [])
    #expect(bed.reasons("m") == ["it is mapped over the output of a, which has not ended"])
    bed.finish("a", output: .list(count: 2))
    #expect(bed.launched == ["m[0]", "m[1]"])
  }

  @Test func `a task whose list failed or was skipped ends so, whatever its rule`() {
    let plan = dag("a", "m < a*", "z < m") { dag in
      for task in ["m", "z"] { dag.task(task) { $0.triggerRule = .allDone } }
    }
    var failed = bed(plan)
    failed.fail("a", isRetryable: false)
    #expect(failed.state("m") == .upstreamFailed && failed.launched == ["z"])
    var skipped = bed(plan)
    skipped.finish("a", .skipped(reason: ""))
    #expect(skipped.state("m") == .skipped && skipped.launched == ["z"])
  }

  @Test func `an array of the file has its length from the start`() {
    let bed = bed(dag("m") { $0.task("m") { $0.mapping = TaskMapping([.literal(["1", "2"])]) } })
    #expect(bed.launched == ["m[0]", "m[1]"])
    #expect(!bed.transcript.contains { $0.hasPrefix("m0..<2") }, "the run was created with its instances")
    expectRestorable(bed)
  }

  @Test func `a task is mapped over what the instances of another hand on`() {
    var bed = bed(dag("a", "m < a*", "n < m*") { $0.task("n") { $0.triggerRule = .noneFailed } }, list: 3)
    bed.finish("m", 0, output: .value)
    bed.finish("m", 2, output: .value)
    #expect(bed.launched == [])
    expectRestorable(bed)
    bed.finish("m", 1, .skipped(reason: ""))
    #expect(bed.launched == ["n[0]", "n[1]"])
    expectRestorable(bed)
  }

  @Test(arguments: [(TaskMapping.Combination.product, 6), (.pairs, 2)])
  func `several lists are one`(combination: TaskMapping.Combination, count: Int) {
    var bed = bed(
      dag("a", "b", "m < a* b*") { $0.task("m") { $0.mapping!.combination = combination } }, list: 2)
    #expect(bed.launched == [])
    expectRestorable(bed)
    bed.finish("b", output: .list(count: 3))
    #expect(bed.launched == (0..<count).map { "m[\($0)]" })
  }

  @Test func `a run of some tasks that lacks the list says so`() throws {
    let plan = try #require(try dag("a", "m < a*", "other").selecting("m|other"))
    let bed = bed(plan)
    #expect(bed.state("m") == .failed)
    expectRestorable(bed)
  }

  // MARK: Limits

  @Test func `a limit of instances holds in one run`() {
    var bed = bed(dag("a", "m < a*") { $0.task("m") { $0.maxActivePerRun = 2 } }, list: 4)
    #expect(bed.launched == ["m[0]", "m[1]"])
    let waiting = bed.scheduler.explain(TaskInstanceKey(run: 1, taskID: "m", mapIndex: 2), at: bed.now)
    #expect(waiting.map(\.description) == ["its run has 2 active instances of the task, as many as there may be"])
    bed.finish("m", 1)
    #expect(bed.launched == ["m[2]"])
    let second = bed.trigger(runID: "second")
    bed.finish("a", run: second, output: .list(count: 3))
    #expect(bed.last.actions.count == 2)
    expectRestorable(bed)
  }

  // MARK: Clearing, and lists that change

  private func cleared(_ bed: inout TestBed, _ keys: [TaskInstanceKey]) {
    bed.send(.clear(ClearRequest(keys: keys)))
  }

  private func key(_ taskID: String, _ mapIndex: Int32 = -1) -> TaskInstanceKey {
    TaskInstanceKey(run: 1, taskID: taskID, mapIndex: mapIndex)
  }

  /// After a list of `first` elements, for which all has run, became one of `second`. Another task keeps the run going.
  private func relisted(_ first: Int, _ second: Int, clearing keys: [TaskInstanceKey]) -> TestBed {
    var bed = bed(dag("a", "m < a*", "z < m", "other"), list: first)
    for index in 0..<Int32(first) { bed.finish("m", index, output: .value) }
    #expect(bed.launched == ["z"])
    bed.finish("z")
    cleared(&bed, keys)
    expectRestorable(bed)
    bed.finish("a", output: .list(count: second))
    expectRestorable(bed)
    return bed
  }

  @Test func `a list that has grown has new instances`() {
    let bed = relisted(2, 4, clearing: [key("a")])
    #expect(states(bed)[1...4] == ["m[0] success", "m[1] success", "m[2] running", "m[3] running"])
    #expect(bed.transcript.contains("m2..<4 none"))
  }

  @Test func `a list that has shrunk has removed ones`() {
    let bed = relisted(4, 2, clearing: [key("a"), key("m"), key("z")])
    #expect(
      states(bed).dropLast()
        == ["a success", "m[0] running", "m[1] running", "m[2] removed", "m[3] removed", "z none"])
    let gone = bed.scheduler.explain(key("m", 3), at: bed.now).map(\.description)
    #expect(gone == ["it is removed: its list has only 2 elements now"])
  }

  @Test func `removed instances come back when the list grows again`() {
    var bed = relisted(4, 1, clearing: [key("a"), key("m"), key("z")])
    bed.finish("m", 0, output: .value)
    #expect(bed.launched == ["z"])
    bed.finish("z")
    // With the instance that has its element still: otherwise z would not wait.
    cleared(&bed, [key("a"), key("m", 0), key("z")])
    bed.finish("a", output: .list(count: 6))
    #expect(Set(bed.launched) == Set((0...5).map { "m[\($0)]" }))
    for index in 0...5 as ClosedRange<Int32> { bed.finish("m", index, output: .value) }
    #expect(bed.launched == ["z"])
    expectRestorable(bed)
  }

  @Test func `a list that is empty now leaves one skipped instance`() {
    let bed = relisted(3, 0, clearing: [key("a"), key("m"), key("z")])
    #expect(states(bed)[1...3] == ["m[0] skipped", "m[1] removed", "m[2] removed"])
    #expect(bed.state("z") == .skipped)
  }

  @Test(arguments: [1, 3])
  func `all elements run when a list that was empty comes back`(count: Int) {
    var bed = relisted(count, 0, clearing: [key("a")])
    #expect(bed.state("m", 0) == .skipped)
    cleared(&bed, [key("a")])
    bed.finish("a", output: .list(count: count))
    #expect(bed.launched == (0..<count).map { "m[\($0)]" })
    expectRestorable(bed)
  }

  @Test func `all elements run when a list that was too long has shrunk`() {
    var bed = bed(dag("a", "m < a*", "other"), list: 2, maxMapLength: 2)
    for index in 0...1 as ClosedRange<Int32> { bed.finish("m", index, output: .value) }
    for count in [3, 1] {
      cleared(&bed, [key("a")])
      bed.finish("a", output: .list(count: count))
      #expect(bed.state("m", 0) == (count == 3 ? .failed : .running))
      expectRestorable(bed)
    }
  }

  @Test(arguments: [0, 5])
  func `what never had an element has its instances once there is a list`(first: Int) {
    var bed = bed(dag("a", "m < a*", "other"), list: first, maxMapLength: 4)
    #expect(bed.state("m") == (first == 0 ? .skipped : .failed))
    cleared(&bed, [key("a")])
    bed.finish("a", output: .list(count: 2))
    #expect(bed.launched == ["m[0]", "m[1]"])
    expectRestorable(bed)
  }

  @Test func `what was marked by hand stays so, whatever becomes of its list`() {
    var bed = bed(dag("a", "m < a*", "other"), list: 0)
    bed.send(.setTaskState(key("m"), .success, loaded: nil))
    cleared(&bed, [key("a")])
    bed.finish("a", output: .list(count: 2))
    #expect(bed.state("m") == .success)
    expectRestorable(bed)
  }

  @Test func `instances that run while their list changes are stopped, or run on`() {
    var bed = bed(dag("a", "m < a*", "z < m") { $0.task("m") { $0.executionTimeoutSeconds = 60 } }, list: 3)
    bed.finish("m", 2, output: .value)
    cleared(&bed, [key("a")])
    bed.finish("a", output: .list(count: 5))
    #expect(bed.launched == ["m[3]", "m[4]"])
    cleared(&bed, [key("a")])
    bed.finish("a", output: .list(count: 1))
    #expect(
      Set(bed.transcript.filter { $0.hasPrefix("stop") })
        == ["stop m[1] try 1 cleared", "stop m[3] try 1 cleared", "stop m[4] try 1 cleared"])
    expectRestorable(bed)
    bed.wait(60)
    #expect(bed.transcript == ["stop m[0] try 1 timedOut"])
    bed.finish("m", 0)
    #expect(bed.launched == ["z"])
  }

  @Test func `a task in line waits again for the instances of a list that has grown`() {
    let plan = dag("a", "m < a*", "first < m", "z < m") { $0.task("first") { $0.priorityWeight = 10 } }
    var bed = bed(plan, list: 1, parallelism: 1)
    bed.finish("m", 0, output: .value)
    #expect(bed.launched == ["first"] && bed.state("z") == .scheduled)
    cleared(&bed, [key("a")])
    bed.finish("first")
    #expect(bed.launched == ["a"])
    bed.finish("a", output: .list(count: 2))
    #expect(bed.launched == ["m[1]"] && bed.state("z") == TaskState.none)
    expectRestorable(bed)
    bed.finish("m", 1)
    #expect(bed.launched == ["z"])
  }

  @Test func `one instance is cleared by itself, and runs with its retries again`() {
    var bed = bed(dag("a", "m < a*", "z < m") { $0.task("m") { $0.retries = 1 } }, list: 2)
    for index in 0..<2 as Range<Int32> { bed.finish("m", index) }
    cleared(&bed, [key("m", 1), key("z")])
    #expect(bed.launched == ["m[1]"])
    bed.finish("m", 1, .failed(Failure(reason: "", exitCode: 1), isRetryable: true))
    #expect(bed.state("m", 1) == .upForRetry && bed.state("m", 0) == .success)
    expectRestorable(bed)
  }

  @Test func `clearing the task without an index clears all its instances`() {
    var bed = bed(dag("a", "m < a*", "z < m"), list: 3)
    for index in 0..<3 as Range<Int32> { bed.finish("m", index) }
    cleared(&bed, [key("m")])
    #expect(bed.last.reply == .cleared([key("m", 0), key("m", 1), key("m", 2)]))
    #expect(bed.launched == ["m[0]", "m[1]", "m[2]"])
  }

  @Test func `one instance is marked, and what comes after counts it`() {
    var bed = bed(dag("a", "m < a*", "z < m", "other"), list: 2)
    bed.finish("m", 0)
    bed.send(.setTaskState(key("m", 1), .failed, loaded: nil))
    #expect(bed.state("z") == .upstreamFailed)
    bed.send(.setTaskState(key("m", 1), .success, loaded: nil))
    #expect(bed.launched == ["z"])
  }

  // MARK: Versions

  private func moved(_ first: DAGPlan, _ second: DAGPlan, list: Int?) -> TestBed {
    var bed = bed(first, list: list)
    bed.send(.dagsLoaded([second]))
    return bed
  }

  @Test func `a run that moves to a version in which the task is not mapped has one instance`() {
    var bed = moved(dag("a", "m < a*"), dag("a", "m < a", version: "2"), list: 2)
    cleared(&bed, [key("a")])
    #expect(states(bed) == ["a running", "m none", "m[0] removed", "m[1] removed"])
    expectRestorable(bed)
    bed.finish("a", output: .list(count: 2))
    #expect(bed.launched == ["m"])
  }

  @Test func `a run that moves to a version in which the task is mapped has its instances when it is cleared`() {
    var bed = moved(dag("a", "m < a", "z < m"), dag("a", "m < a*", "z < m", version: "2"), list: 2)
    bed.finish("m")
    cleared(&bed, [key("m"), key("z")])
    #expect(bed.launched == ["m[0]", "m[1]"])
    expectRestorable(bed)
  }

  @Test func `a task in line has its instances in a version in which it is mapped`() {
    func plan(_ mapped: String, _ version: String) -> DAGPlan {
      dag("a", "first", "m < \(mapped)", "b < a", version: version) { dag in
        dag.task("first") { $0.priorityWeight = 100 }
        dag.task("b") { $0.priorityWeight = 10 }
      }
    }
    var bed = bed(plan("a", "1"), parallelism: 1)
    bed.finish("first")
    bed.finish("a", output: .list(count: 2))
    #expect(bed.state("b") == .running && bed.state("m") == .scheduled)
    bed.send(.dagsLoaded([plan("a*", "2")]))
    cleared(&bed, [key("first")])
    #expect(bed.state("m") == nil && bed.state("m", 0) == .scheduled && bed.state("m", 1) == .scheduled)
    expectRestorable(bed)
  }

  @Test func `no try's number is used twice, however often the task is mapped and is not`() {
    var bed = bed(dag("a", "m < a*", "other", version: "0"), list: 2)
    var seen: Set<String> = ["m[0] 1", "m[1] 1"]
    for index in 0...1 as ClosedRange<Int32> { bed.finish("m", index, output: .value) }
    for version in 1...4 {
      bed.send(.dagsLoaded([dag("a", version.isMultiple(of: 2) ? "m < a*" : "m < a", "other", version: "\(version)")]))
      let keys = bed.scheduler.snapshot(ofRun: 1)!.tasks.filter { $0.taskID == "m" && $0.state != .removed }
      cleared(&bed, [key("a")] + keys.map { key("m", $0.mapIndex) })
      bed.finish("a", output: .list(count: 3))
      expectRestorable(bed)
      for launch in bed.last.actions {
        guard case .launch(let key) = launch, key.taskID == "m" else { continue }
        let name = "\(key.instance.name) \(key.number)"
        #expect(seen.insert(name).inserted, "\(name)")
        bed.finish("m", key.instance.mapIndex, output: .value)
      }
    }
    #expect(seen.count == 2 + 1 + 3 + 1 + 3)
  }

  @Test func `a try that waits for its executor is called back in a version in which the task is mapped`() {
    func plan(_ mapped: String, _ version: String) -> DAGPlan {
      dag("a", "m < \(mapped)", "other", version: version) { $0.task("m") { $0.executor = .computeEngine } }
    }
    var bed = bed(plan("a", "1"))
    bed.finish("a", output: .list(count: 2))
    #expect(bed.state("m") == .queued)
    bed.send(.dagsLoaded([plan("a*", "2")]))
    bed.finish("other", .failed(reason: "x", isRetryable: false))
    cleared(&bed, [key("other")])
    #expect(bed.transcript.contains("stop m try 1 cleared"))
    #expect(bed.launched == ["other", "m[0]", "m[1]"] || Set(bed.launched) == ["other", "m[0]", "m[1]"])
    expectRestorable(bed)
  }

  @Test func `an array that is longer in the new version has new instances`() {
    func plan(_ elements: [String], _ version: String) -> DAGPlan {
      dag("a", "m < a", version: version) { $0.task("m") { $0.mapping = TaskMapping([.literal(elements)]) } }
    }
    var bed = moved(plan(["1", "2"], "1"), plan(["1", "2", "3"], "2"), list: 0)
    #expect(bed.state("m", 1) == .running)
    cleared(&bed, [key("m", 0)])
    #expect(bed.launched == ["m[2]"])
    expectRestorable(bed)
  }
}
