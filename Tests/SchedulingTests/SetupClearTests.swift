import Dagrun
import Model
import Testing

@testable import Scheduling

/// Setups and teardowns when tasks are cleared, marked, or ask for their setups.
@Suite struct SetupClearTests {
  /// create -> work -> report; delete tears create down, after work.
  private let plan = dag("create", "work < create", "delete < work", "report < work") {
    $0.task("create") { $0.role = .setup }
    $0.task("delete") { $0.role = .teardown(setups: ["create"], failsRun: false) }
  }

  @Test(arguments: [
    (["work"], false, false, ["create", "delete", "work"]),
    (["work"], false, true, ["create", "delete", "report", "work"]),
    (["report"], false, false, ["report"]), (["report"], true, false, ["create", "delete", "report", "work"]),
    (["create"], false, false, ["create", "delete"]),
    (["create"], false, true, ["create", "delete", "report", "work"]),
    (["delete"], false, false, ["delete"]), (["delete"], true, false, ["create", "delete", "work"]),
  ])
  func `what is meant with a task`(named: [String], upstream: Bool, downstream: Bool, meant: [String]) {
    #expect(plan.subset(of: Set(named), withUpstream: upstream, withDownstream: downstream).sorted() == meant)
  }

  @Test func `a setup without teardown goes with everything below it, one of another branch with nothing`() {
    let plan = dag("s", "t", "a < s", "b < a", "c < t", "down < c") {
      $0.task("s") { $0.role = .setup }
      $0.task("t") { $0.role = .setup }
      $0.task("down") { $0.role = .teardown(setups: ["t"], failsRun: false) }
    }
    #expect(plan.subset(of: ["b"], withUpstream: false, withDownstream: false) == ["b", "s"])
    #expect(plan.subset(of: ["c"], withUpstream: false, withDownstream: false) == ["c", "t", "down"])
  }

  @Test func `cleared work finds what its setup makes, and has it torn down again`() {
    var bed = TestBed(plan)
    bed.trigger()
    for task in ["create", "work", "delete"] { bed.finish(task) }
    let keys = plan.subset(of: ["work"], withUpstream: false, withDownstream: false).sorted()
      .map { TaskInstanceKey(run: 1, taskID: $0) }
    bed.send(.clear(ClearRequest(keys: keys)))
    #expect(bed.launched == ["create"])
    bed.finish("create")
    #expect(bed.launched == ["work"])
    bed.finish("work")
    #expect(bed.launched == ["delete"])
  }

  @Test(arguments: [TaskState.success, .failed, .skipped])
  func `whatever a task is marked, what had failed below starts over, with its setups`(state: TaskState) {
    // The last one keeps the run going.
    let plan = dag("a", "mend", "b < a mend", "c < b", "goes_on") {
      $0.task("mend") { $0.role = .setup }
      $0.task("c") { $0.triggerRule = .allDone }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("a")
    bed.fail("mend")
    #expect(bed.state("b") == .upstreamFailed)
    bed.send(.setTaskState(TaskInstanceKey(run: 1, taskID: "a"), state, loaded: nil))
    #expect(bed.launched.contains("mend"))
    #expect(bed.state("b") != .upstreamFailed || state != .success)
  }

  @Test(arguments: [
    (["success", "failed"], TaskState.running), (["failed", "failed"], .upstreamFailed),
    (["skipped", "skipped"], .skipped), (["success", "skipped"], .running),
  ])
  func `the rule of teardowns asks for the setups of any task that has it`(ends: [String], state: TaskState) {
    var bed = TestBed(
      dag("s", "t", "w", "a < s t w") {
        $0.task("s") { $0.role = .setup }
        $0.task("t") { $0.role = .setup }
        $0.task("a") { $0.triggerRule = .allDoneSetupSuccess }
      })
    bed.trigger()
    bed.finish("w")
    for (task, end) in zip(["s", "t"], ends) {
      switch end {
      case "success": bed.finish(task)
      case "failed": bed.fail(task)
      default: bed.finish(task, .skipped(reason: ""))
      }
    }
    if let now = bed.state("a") {
      #expect(now == state)
    } else {
      // The run is over.
      #expect(bed.transcript.contains { $0.hasPrefix("a none -> \(state.rawValue)") })
    }
  }

  @Test func `only the run of the first of all dates of a backfill has no past`() {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .daily
        $0.startDate = Timestamp(iso8601: "2030-01-01T00:00:00Z")
        $0.task("a") { $0.dependsOnPast = true }
      })
    bed.now = Timestamp(iso8601: "2026-01-10T00:00:00Z")!
    bed.trigger(logicalDate: "2026-01-01T00:00:00Z")
    func backfill(_ from: String, _ to: String) -> Event {
      .backfill(
        BackfillRequest(dagID: "dag", fromDate: Timestamp(iso8601: from)!, toDate: Timestamp(iso8601: to)!))
    }
    // The first date is in flight, and left alone: the second waits for it.
    bed.send(backfill("2026-01-01", "2026-01-02"))
    #expect(bed.launched.isEmpty)
    #expect(bed.scheduler.run(2)?.isFirstOfBackfill == false)
    bed.send(backfill("2026-01-04", "2026-01-05"))
    #expect(bed.launched == ["a"] && bed.scheduler.run(3)?.isFirstOfBackfill == true)
    bed.finish("a", run: 1)
    #expect(bed.launched == ["a"])
  }

  @Test func `a constant delay is not capped, and a multiplier below 1 makes waits shorter`() {
    var task = TaskDescription(id: "t", work: .swift, location: SourceLocation(file: "", line: 0))
    task.retryDelaySeconds = 30
    task.maxRetryDelaySeconds = 10
    func wait(_ tryNumber: Int) -> Double {
      RetryPolicy(task).waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: tryNumber)
    }
    for multiplier in [nil, 0.0, 1.0] {
      task.retryBackoffMultiplier = multiplier
      #expect(wait(3) == 30)
    }
    task.retryDelaySeconds = 5
    task.retryBackoffMultiplier = 0.5
    for (tryNumber, base) in [(1, 5.0), (2, 3), (3, 2), (9, 1), (Int.max, 1)] {
      #expect(wait(tryNumber) >= base && wait(tryNumber) < 2 * base, "try \(tryNumber)")
    }
    task.retryBackoffMultiplier = 3
    #expect(wait(.max) == 10)
  }
}
