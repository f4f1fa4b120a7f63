import Dagrun
import Model
import Testing

@testable import Scheduling

/// A task that is mapped has several instances in a run. No event maps one yet: the tests do.
@Suite struct MappedInstanceTests {
  private func entry(_ plan: DAGPlan) -> RunEntry {
    RunEntry(RunSnapshot(run: RunEntry.unused.run, tasks: []), plan: plan, dag: 0)
  }

  private func keys(_ entry: RunEntry) -> [String] {
    entry.instances.map { instance in
      let key = entry.key(instance)
      return key.mapIndex == TaskInstanceKey.notMapped ? key.taskID : "\(key.taskID)[\(key.mapIndex)]"
    }
  }

  @Test func `without mapping an instance is at the position of its task`() {
    let entry = entry(dag("a", "b < a", "c"))
    #expect(keys(entry) == ["a", "b", "c"])
    for (position, instance) in entry.instances.enumerated() {
      #expect(entry.planPosition(of: instance) == position)
      #expect(Array(entry.instances(at: position)) == [instance])
      #expect(entry.instance(entry.key(instance)) == instance)
    }
    #expect(entry.instance(TaskInstanceKey(run: 0, taskID: "a", mapIndex: 0)) == nil)
  }

  @Test func `instances of a mapped task come in the order of the plan, and the others stay where they are`() {
    var entry = entry(dag("a", "m < a", "z < m"))
    let before = ["a", "z"].map { entry.instance(TaskInstanceKey(run: 0, taskID: $0))! }
    let range = entry.expand(1, to: 3)
    #expect(keys(entry) == ["a", "m[0]", "m[1]", "m[2]", "z"])
    #expect(range.count == 3 && entry.instances(at: 1) == range)
    #expect(range.map(entry.planPosition) == [1, 1, 1])
    #expect(["a", "z"].map { entry.instance(TaskInstanceKey(run: 0, taskID: $0))! } == before)
    for instance in entry.instances { #expect(entry.instance(entry.key(instance)) == instance) }
    for mapIndex in [-1, 3] as [Int32] {
      #expect(entry.instance(TaskInstanceKey(run: 0, taskID: "m", mapIndex: mapIndex)) == nil)
    }
  }

  @Test func `a task mapped over one element has a map index, and one instance as before`() {
    var entry = entry(dag("m", "z < m"))
    entry.expand(0, to: 1)
    #expect(keys(entry) == ["m[0]", "z"] && entry.unfinished == 2)
  }

  @Test func `two tasks can be mapped`() {
    var entry = entry(dag("a", "b", "z < a b"))
    entry.expand(1, to: 2)
    entry.expand(0, to: 4)
    #expect(keys(entry) == ["a[0]", "a[1]", "a[2]", "a[3]", "b[0]", "b[1]", "z"])
    #expect(entry.unfinished == 7 && entry.counts[.none] == 7)
    let last = Array(entry.instances).last!
    #expect(entry.upstreamCounts(of: last).upstream == 6)
  }

  /// What is counted along is what a recount finds.
  @Test(arguments: 1...4)
  func `counts of upstream instances are those of all of them`(width: Int32) {
    var entry = entry(dag("a", "m < a", "y < m", "z < m a"))
    entry[entry.instances(at: 0).lowerBound].state = .success
    entry.recount()
    entry.expand(1, to: width)
    for instance in entry.instances(at: 1) {
      #expect(entry.upstreamCounts(of: instance) == UpstreamCounts(upstream: 1, succeeded: 1))
      #expect(entry.decide(instance) == .run)
    }
    #expect(entry.upstreamCounts(of: entry.instances(at: 2).lowerBound).upstream == width)
    #expect(
      entry.upstreamCounts(of: entry.instances(at: 3).lowerBound)
        == UpstreamCounts(upstream: width + 1, succeeded: 1))
    let counted = (entry.counts, entry.unfinished, entry.instances.map { entry.upstreamCounts(of: $0) })
    entry.recount()
    #expect(counted.0 == entry.counts && counted.1 == entry.unfinished)
    #expect(counted.2 == entry.instances.map { entry.upstreamCounts(of: $0) })
  }

  private func mapped(_ plan: DAGPlan, _ taskID: String, to count: Int32, parallelism: Int = 32) -> TestBed {
    var bed = TestBed(plan, parallelism: parallelism)
    bed.trigger()
    let run = bed.scheduler.runs.index(of: 1)!
    bed.scheduler.runs[run].expand(plan.position(of: taskID)!, to: count)
    return bed
  }

  private func launchedKeys(_ bed: TestBed) -> [String] {
    bed.last.actions.compactMap {
      if case .launch(let key) = $0 { "\(key.taskID)[\(key.instance.mapIndex)]" } else { nil }
    }
  }

  private func finish(_ bed: inout TestBed, _ mapIndex: Int32, _ outcome: TaskResult.Outcome = .success) {
    let key = TaskInstanceKey(run: 1, taskID: "m", mapIndex: mapIndex)
    bed.send(.taskFinished(TryKey(key, bed.scheduler.taskInstance(key)!.tryNumber), TaskResult(outcome)))
  }

  @Test func `instances of a mapped task run each for itself, and downstream waits for all`() {
    var bed = mapped(dag("a", "m < a", "z < m"), "m", to: 3)
    bed.finish("a")
    #expect(launchedKeys(bed) == ["m[0]", "m[1]", "m[2]"])
    finish(&bed, 1)
    finish(&bed, 0)
    #expect(bed.launched == [] && bed.state("z") == TaskState.none)
    finish(&bed, 2)
    #expect(bed.launched == ["z"])
    bed.finish("z")
    #expect(bed.transcript.contains("run 1 running -> success"))
  }

  @Test func `one instance that fails fails what needs them all`() {
    var bed = mapped(dag("a", "m < a", "z < m"), "m", to: 3)
    bed.finish("a")
    finish(&bed, 1, .failed(Failure(reason: "exit code 1", exitCode: 1), isRetryable: false))
    #expect(bed.state("z") == .upstreamFailed)
    finish(&bed, 0)
    finish(&bed, 2)
    #expect(bed.transcript.contains("run 1 running -> failed"))
  }

  @Test func `instances of a mapped task start in the order of the plan`() {
    var bed = mapped(dag("a", "m < a", "n < a"), "m", to: 2, parallelism: 1)
    bed.finish("a")
    #expect(launchedKeys(bed) == ["m[0]"])
    finish(&bed, 0)
    #expect(launchedKeys(bed) == ["m[1]"])
    finish(&bed, 1)
    #expect(launchedKeys(bed) == ["n[-1]"])
  }

  @Test func `an instance of a mapped task is retried, times out, and is cleared by itself`() {
    let plan = dag("a", "m < a", "z < m") {
      $0.task("m") { ($0.retries, $0.retryDelaySeconds, $0.executionTimeoutSeconds) = (1, 60, 300) }
    }
    var bed = mapped(plan, "m", to: 2)
    bed.finish("a")
    finish(&bed, 1, .failed(Failure(reason: "exit code 1", exitCode: 1), isRetryable: true))
    bed.wait(60)
    #expect(launchedKeys(bed) == ["m[1]"])
    bed.wait(240)
    let first = TryKey(TaskInstanceKey(run: 1, taskID: "m", mapIndex: 0), 1)
    #expect(bed.last.actions == [.stop(first, .timedOut)])
    finish(&bed, 1)
    let second = TaskInstanceKey(run: 1, taskID: "m", mapIndex: 1)
    bed.send(.clear(ClearRequest(keys: [second])))
    #expect(bed.last.actions == [.launch(TryKey(second, 3))])
  }
}
