import Dagrun
import Model
import Testing

@testable import Scheduling

/// Every reason that `explain` knows, and which of them end a run that waits.
@Suite struct ExplainTests {
  /// How each kind of reason comes about, its words, and whether it can never come by itself.
  struct Case: Sendable, CustomTestStringConvertible {
    var kind: Reason.Kind
    var words: String
    var isStuck = false
    var task = "b"
    var run: Int64 = 1
    var make: @Sendable () -> TestBed

    var testDescription: String { "\(kind): \(words)" }
  }

  static let cases: [Case] = [
    Case(kind: .runIsQueued, words: "its run is queued: the DAG has 1 active run", run: 2) {
      var bed = TestBed(dag("b") { $0.maxActiveRuns = 1 })
      bed.trigger()
      bed.trigger()
      return bed
    },
    Case(kind: .dagIsPaused, words: "the DAG dag is paused") {
      var bed = TestBed(dag("b"))
      bed.send(.setPaused(dagID: "dag", true))
      bed.trigger()
      return bed
    },
    Case(
      kind: .dagIsSuspended, words: "the DAG dag is suspended until the scheduler is started again: the disk is odd",
      run: 2
    ) {
      var bed = TestBed(dag("b") { $0.maxActiveRuns = 1 })
      bed.trigger()
      bed.trigger()
      bed.scheduler.suspend("dag", reason: "the disk is odd")
      return bed
    },
    Case(kind: .rule, words: "all_success waits for all upstream tasks to succeed; not ended: a") {
      var bed = TestBed(dag("a", "b < a"))
      bed.trigger()
      return bed
    },
    Case(kind: .setups, words: "waits for setups to succeed: s") {
      var bed = TestBed(
        dag("s", "a", "m < s", "b < m a", "t < b") {
          $0.task("s") { $0.role = .setup }
          $0.task("t") { $0.role = .teardown(setups: ["s"], failsRun: false) }
          $0.task("b") { $0.triggerRule = .oneSuccess }
        })
      bed.trigger()
      bed.finish("a")
      return bed
    },
    Case(
      kind: .teardownScope, words: "a teardown waits for all tasks between it and its setups; not ended: a", task: "t"
    ) {
      var bed = TestBed(
        dag("s", "a < s", "m < s", "c < m a", "t < c") {
          $0.task("s") { $0.role = .setup }
          $0.task("c") { $0.triggerRule = .oneSuccess }
          $0.task("t") { $0.role = .teardown(setups: ["s"], failsRun: false) }
        })
      bed.trigger()
      bed.finish("s")
      bed.finish("m")
      bed.finish("c")
      return bed
    },
    Case(
      kind: .past, words: "depends on its past: b of 2026-01-01T00:00:00+00:00 has not succeeded", isStuck: true, run: 2
    ) {
      var bed = TestBed(dag("b") { $0.task("b") { $0.dependsOnPast = true } })
      bed.trigger(logicalDate: "2026-01-01T00:00:00Z")
      bed.fail("b", isRetryable: false)
      bed.trigger(logicalDate: "2026-01-02T00:00:00Z")
      return bed
    },
    // It starts as soon as the earlier one has succeeded.
    Case(kind: .past, words: "depends on its past: b of 2026-01-01T00:00:00+00:00 has not succeeded", run: 2) {
      var bed = TestBed(dag("b") { $0.task("b") { $0.dependsOnPast = true } })
      bed.trigger(logicalDate: "2026-01-01T00:00:00Z")
      bed.trigger(logicalDate: "2026-01-02T00:00:00Z")
      return bed
    },
    // Behind one that waits for the same.
    Case(
      kind: .past, words: "depends on its past: b of 2026-01-02T00:00:00+00:00 has not succeeded", isStuck: true, run: 3
    ) {
      var bed = TestBed(dag("b") { $0.task("b") { $0.dependsOnPast = true } })
      bed.trigger(logicalDate: "2026-01-01T00:00:00Z")
      bed.fail("b", isRetryable: false)
      bed.trigger(logicalDate: "2026-01-02T00:00:00Z")
      bed.trigger(logicalDate: "2026-01-03T00:00:00Z")
      return bed
    },
    Case(kind: .pool, words: "pool gpu is too small: it has 2 slots, and the task needs 3", isStuck: true) {
      pooled(Pool(name: "gpu", slots: 2), needing: 3)
    },
    Case(kind: .pool, words: "there is no pool gpu", isStuck: true) { pooled(nil, needing: 1) },
    // Closed for a while.
    Case(kind: .pool, words: "pool gpu is too small: it has 0 slots") {
      pooled(Pool(name: "gpu", slots: 0), needing: 1)
    },
    Case(kind: .pool, words: "pool gpu has no room: 2 of 3 slots are in use, 2 needed") {
      var bed = TestBed(
        dag("a", "b") { for id in ["a", "b"] { $0.task(id) { ($0.pool, $0.poolSlots) = ("gpu", 2) } } },
        pools: [.standard, Pool(name: "gpu", slots: 3)])
      bed.trigger()
      return bed
    },
    Case(kind: .maxActiveTasks, words: "its run has 1 active task") {
      var bed = TestBed(dag("a", "b") { $0.maxActiveTasks = 1 })
      bed.trigger()
      return bed
    },
    Case(kind: .maxActivePerDAG, words: "all runs have 1 active instance", run: 2) {
      var bed = TestBed(dag("b") { $0.task("b") { $0.maxActivePerDAG = 1 } })
      bed.trigger()
      bed.trigger()
      return bed
    },
    Case(kind: .parallelism, words: "there are 1 active task") {
      var bed = TestBed(dag("a", "b"), parallelism: 1)
      bed.trigger()
      return bed
    },
    Case(kind: .offline, words: "no scheduler is running") {
      var bed = TestBed(dag("b"), parallelism: 0)
      bed.trigger()
      return bed
    },
    Case(kind: .nextInLine, words: "it is next in line") {
      // What is ready and what starts is one step, so that only a pool which has just grown shows it.
      var bed = pooled(Pool(name: "gpu", slots: 2), needing: 3)
      bed.scheduler.admission.setPool(Pool(name: "gpu", slots: 3))
      return bed
    },
    Case(kind: .retry, words: "try 1 failed; the next of 3 is due at 2026-01-01T00:05:00+00:00") {
      var bed = TestBed(dag("b") { $0.task("b") { ($0.retries, $0.retryDelaySeconds) = (2, 300) } })
      bed.trigger()
      bed.fail("b")
      return bed
    },
    Case(kind: .rescheduled, words: "it looks again at 2026-01-01T00:01:00+00:00") {
      var bed = TestBed(dag("b"))
      bed.trigger()
      bed.send(
        .taskFinished(
          TryKey(run: 1, taskID: "b", number: 1), TaskResult(.deferred(.until(bed.now.adding(seconds: 60))))))
      return bed
    },
    Case(kind: .active, words: "try 1 is running since 2026-01-01T00:00:00+00:00") {
      var bed = TestBed(dag("b"))
      bed.trigger()
      bed.send(.taskStarted(TryKey(run: 1, taskID: "b", number: 1)))
      return bed
    },
    Case(kind: .waitsForMachine, words: "try 1 is queued: waiting for a machine") {
      let job = ComputeEngineJobDescription(
        job: JobConfig(project: "my-project", image: "image"), specs: [.init(command: .image)])
      var bed = TestBed(dag("b") { $0.task("b") { $0.work = .computeEngineJob(job) } })
      bed.trigger()
      return bed
    },
    Case(kind: .timedOut, words: "it is being stopped: it has run longer than 5 s") {
      var bed = TestBed(dag("b") { $0.task("b") { $0.executionTimeoutSeconds = 5 } })
      bed.trigger()
      bed.send(.taskStarted(TryKey(run: 1, taskID: "b", number: 1)))
      bed.wait(6)
      return bed
    },
    Case(kind: .ended, words: "it is upstream_failed: all_success needs all upstream tasks to succeed, but a is failed")
    {
      var bed = TestBed(dag("a", "b < a", "c"))
      bed.trigger()
      bed.fail("a", isRetryable: false)
      return bed
    },
    Case(kind: .ended, words: "it is removed: the run moved to a version of dag without this task") {
      var bed = TestBed(dag("b", "c"))
      let run = bed.trigger()
      let place = bed.scheduler.find(TaskInstanceKey(run: run, taskID: "b"))!
      bed.scheduler.runs[place].state = .removed
      return bed
    },
    // A removed task is neither skipped nor failed, so that the rule can never say anything.
    Case(kind: .rule, words: "which can no longer be: all upstream tasks have ended", isStuck: true) {
      var bed = TestBed(dag("a", "b < a") { $0.task("b") { $0.triggerRule = .allSkipped } })
      bed.trigger()
      let place = bed.scheduler.find(TaskInstanceKey(run: 1, taskID: "a"))!
      bed.scheduler.runs[place].state = .removed
      bed.scheduler.runs[place.run].recount()
      return bed
    },
  ]

  private static func pooled(_ pool: Pool?, needing slots: Int) -> TestBed {
    var bed = TestBed(
      dag("b") { $0.task("b") { ($0.pool, $0.poolSlots) = ("gpu", slots) } },
      pools: [.standard] + (pool.map { [$0] } ?? []))
    bed.trigger()
    return bed
  }

  @Test(arguments: cases)
  func `explains`(_ example: Case) {
    let bed = example.make()
    let key = TaskInstanceKey(run: example.run, taskID: example.task)
    let reasons = bed.scheduler.explain(key, at: bed.now)
    #expect(reasons.contains { $0.kind == example.kind && $0.description.contains(example.words) }, "\(reasons)")
    let waiting = bed.scheduler.waiting(ofRuns: [example.run], at: bed.now)
    #expect(waiting.isStuck == example.isStuck, "\(waiting)")
    // What keeps the task is listed for the run too, unless it waits for other tasks of its run.
    let isTold = waiting.tasks.contains { $0.reasons.contains { $0.kind == example.kind } }
    let isInside =
      [.setups, .teardownScope, .ended].contains(example.kind) || (example.kind == .rule && !example.isStuck)
    #expect(isTold != isInside, "\(waiting)")
  }

  @Test func `no kind of reason is left out`() {
    #expect(Set(Self.cases.map(\.kind)) == Set(Reason.Kind.allCases))
  }

  @Test func `where no scheduler is running, a task's own reason comes first`() {
    for example in Self.cases
    where ![.offline, .parallelism, .nextInLine, .past, .dagIsSuspended].contains(example.kind) {
      let bed = example.make()
      let live = bed.scheduler
      let snapshot = Snapshot(
        plans: [live.plan(ofDAG: "dag")!], dags: live.dagRecords, pools: live.poolUsage.map(\.pool),
        runs: live.unfinishedRuns.compactMap { live.snapshot(ofRun: $0) }, lastRunNumber: 9)
      let offline = Scheduler(restoring: snapshot, limits: .offline)
      let key = TaskInstanceKey(run: example.run, taskID: example.task)
      let kinds = offline.explain(key, at: bed.now).map(\.kind)
      #expect(
        kinds.first == example.kind || kinds.contains(example.kind) && kinds.first != .offline, "\(example): \(kinds)")
      #expect(!kinds.dropLast().contains(.offline), "\(example): \(kinds)")
    }
  }
}
