import Dagrun
import Model
import Testing

@testable import Scheduling

/// A refused request changes nothing. Every request, with every reason to refuse it.
@Suite struct RefusalTests {
  private static let date = Timestamp(iso8601: "2026-01-01T00:00:00Z")!

  /// A run that has ended, one that was marked against what its tasks say, one that is deadlocked and failed, and one
  /// that continues.
  private struct Scene {
    var bed: TestBed
    var finished: RunSnapshot
    var marked: RunSnapshot
    var deadlocked: RunSnapshot

    init() {
      let plan = dag("a", "b < a", "stuck < a") {
        $0.schedule = .daily
        $0.startDate = Timestamp(iso8601: "2027-01-01T00:00:00Z")
        $0.task("a") { $0.dependsOnPast = true }
      }
      bed = TestBed(plan, dag("x", id: "empty"), pools: [.standard, Pool(name: "gpu", slots: 1)])
      bed.trigger(logicalDate: "2025-12-01T00:00:00Z")
      bed.finish("a")
      let before = bed.scheduler.snapshot(ofRun: 1)!
      bed.finish("b")
      bed.finish("stuck")
      finished = before
      finished.run.state = .success
      finished.run.endDate = bed.now
      finished.tasks = before.tasks.map { task in
        var task = task
        task.state = .success
        task.tryNumber = 1
        return task
      }
      marked = finished
      marked.run.number = 90
      marked.run.runID = "marked"
      marked.run.logicalDate = Timestamp(iso8601: "2025-12-02T00:00:00Z")
      marked.tasks[1].state = .failed
      deadlocked = finished
      deadlocked.run.number = 91
      deadlocked.run.runID = "deadlocked"
      deadlocked.run.state = .failed
      deadlocked.run.reason = "its tasks can never run"
      deadlocked.run.logicalDate = Timestamp(iso8601: "2025-12-03T00:00:00Z")
      deadlocked.tasks[2].state = .none
      bed.trigger(runID: "going", logicalDate: "2026-01-01T00:00:00Z")
    }
  }

  private static func backfill(
    _ dagID: String = "dag", _ from: String = "2025-01-01", _ to: String = "2025-01-02",
    _ change: (inout BackfillRequest) -> Void = { _ in }
  ) -> Event {
    var request = BackfillRequest(dagID: dagID, fromDate: Timestamp(iso8601: from)!, toDate: Timestamp(iso8601: to)!)
    change(&request)
    return .backfill(request)
  }

  private static func requests(_ scene: Scene) -> [(String, Event)] {
    var requests: [(String, Event)] = [
      ("trigger, no DAG", .trigger(TriggerRequest(dagID: "no"))),
      ("trigger, another conf", .trigger(TriggerRequest(dagID: "dag", runID: "going", conf: #"{"a":1}"#))),
      ("trigger, date of the id", .trigger(TriggerRequest(dagID: "dag", runID: "going", logicalDate: .longAgo))),
      ("trigger, date taken", .trigger(TriggerRequest(dagID: "dag", logicalDate: date))),
      (
        "trigger, date taken by a finished run",
        .trigger(TriggerRequest(dagID: "dag", logicalDate: scene.marked.run.logicalDate, holder: scene.marked.run))
      ),
      ("trigger, latest", .trigger(TriggerRequest(dagID: "dag", runID: "latest"))),
      ("backfill, no DAG", backfill("no")),
      ("backfill, no schedule", backfill("empty")),
      ("backfill, wrong way", backfill("dag", "2025-01-03", "2025-01-02")),
      ("backfill, the future", backfill("dag", "2030-01-03", "2030-01-04")),
      ("backfill, no runs at once", backfill { $0.maxActiveRuns = 0 }),
      ("backfill, no expression", backfill { $0.taskRegex = "x(" }),
      ("backfill, no task", backfill { $0.taskRegex = "x" }),
      ("backfill, backwards with a past", backfill { $0.runsBackwards = true }),
      ("backfill, left alone with a past", backfill { $0.reprocess = Backfill.ReprocessBehavior.none }),
      ("backfill, nothing in it", backfill("dag", "2025-01-01T01:00:00Z", "2025-01-01T02:00:00Z")),
      (
        "backfill, all there",
        backfill("dag", "2025-12-01", "2025-12-01") { $0.existing = [scene.finished] }
      ),
      ("cancel, no backfill", .cancelBackfill(number: 7)),
      ("clear, no run", .clear(ClearRequest(keys: [TaskInstanceKey(run: 70, taskID: "a")]))),
      (
        "clear, one task of two unknown",
        .clear(
          ClearRequest(
            keys: [TaskInstanceKey(run: 90, taskID: "a"), TaskInstanceKey(run: 91, taskID: "no")],
            loaded: [scene.marked, scene.deadlocked]))
      ),
      (
        "clear, one run of two unknown",
        .clear(
          ClearRequest(
            keys: [TaskInstanceKey(run: 90, taskID: "a"), TaskInstanceKey(run: 70, taskID: "a")],
            loaded: [scene.marked]))
      ),
      ("run state, running", .setRunState(run: 90, .running, loaded: scene.marked)),
      ("run state, no run", .setRunState(run: 70, .success, loaded: nil)),
      ("run state, another run", .setRunState(run: 70, .success, loaded: scene.marked)),
      ("pause, no DAG", .setPaused(dagID: "no", true)),
      ("pool, no name", .setPool(Pool(name: "", slots: 1))),
      ("pool, slots", .setPool(Pool(name: "gpu", slots: -2))),
      ("no pool", .deletePool(name: "no")),
      ("the default pool", .deletePool(name: "default_pool")),
      ("delete, no DAG", .deleteDAG(dagID: "no")),
      ("delete, runs", .deleteDAG(dagID: "dag")),
    ]
    for id in RunIDs.reserved {
      requests.append(("trigger, \(id)", .trigger(TriggerRequest(dagID: "dag", runID: "\(id)__x"))))
    }
    for (name, run) in [("marked", scene.marked), ("deadlocked", scene.deadlocked), ("finished", scene.finished)] {
      let number = run.run.number
      requests.append(
        ("task state, \(name)", .setTaskState(TaskInstanceKey(run: number, taskID: "no"), .success, loaded: run)))
      for state in TaskState.allCases where ![.success, .failed, .skipped].contains(state) {
        requests.append(
          ("\(state), \(name)", .setTaskState(TaskInstanceKey(run: number, taskID: "a"), state, loaded: run)))
      }
    }
    requests.append(("task state, going", .setTaskState(TaskInstanceKey(run: 2, taskID: "no"), .success, loaded: nil)))
    requests.append(("task state, no run", .setTaskState(TaskInstanceKey(run: 70, taskID: "a"), .success, loaded: nil)))
    return requests
  }

  @Test func `a refused request changes nothing`() {
    let scene = Scene()
    for (name, event) in Self.requests(scene) {
      var bed = scene.bed
      bed.send(event)
      guard case .refused? = bed.last.reply else {
        Issue.record("\(name) is not refused: \(String(describing: bed.last.reply))")
        continue
      }
      #expect(bed.last.changes.isEmpty && bed.last.actions.isEmpty, "\(name): \(bed.transcript)")
      #expect(bed.scheduler.difference(from: scene.bed.scheduler) == nil, "\(name)")
      // Nor has it left anything behind that the next event would do.
      bed.send(.wake)
      #expect(bed.last.changes.isEmpty, "\(name), then: \(bed.transcript)")
    }
  }

  @Test func `a request that finds nothing to do leaves a run as it was marked`() {
    let scene = Scene()
    var bed = scene.bed
    bed.send(.setTaskState(TaskInstanceKey(run: 90, taskID: "stuck"), .success, loaded: scene.marked))
    #expect(bed.last.reply == .done && bed.last.changes.isEmpty)
  }

  @Test func `plans that came for one request are not kept`() {
    var bed = TestBed(dag("a"))
    bed.send(.plansLoaded([dag("a", version: "0")]))
    #expect(bed.scheduler.step.lentPlan("dag", version: "0") != nil)
    bed.send(.setPaused(dagID: "dag", true))
    #expect(bed.scheduler.step.lentPlan("dag", version: "0") == nil)
  }

  @Test func `a suspended DAG stands still and says why, others continue`() {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .cron("0 * * * *")
        $0.startDate = Self.date
        $0.task("a") { $0.retries = 1 }
      },
      dag("a", id: "other") {
        $0.schedule = .cron("0 * * * *")
        $0.startDate = Self.date
      })
    bed.fail("a", run: 1)
    bed.scheduler.suspend("dag", reason: "refused")
    bed.wait(3600)
    #expect(bed.scheduler.unfinishedRuns == [1, 2, 3])
    #expect(bed.scheduler.run(3)?.dagID == "other")
    bed.trigger("dag")
    #expect(bed.last.reply == .refused(.dagIsSuspended(dagID: "dag", reason: "refused")))
    #expect(bed.scheduler.nextWake.map { $0 > bed.now } ?? false)
  }
}
