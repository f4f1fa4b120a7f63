import Dagrun
import Model
import Testing

@testable import Scheduling

@Suite struct RunIDTests {
  @Test(arguments: ["backfill", "scheduled", "operator_triggered", "asset_triggered", "asset_materialization"])
  func `ids that Airflow keeps for its other runs are refused`(type: String) {
    var bed = TestBed(dag("a"))
    bed.trigger(runID: "\(type)__2026-01-01T00:00:00+00:00")
    guard case .refused(.invalid(let reason))? = bed.last.reply else {
      Issue.record("\(String(describing: bed.last.reply))")
      return
    }
    #expect(reason.contains("\"\(type)__\""))
    for free in ["\(type)_x", "manual__x", "x\(type)__", "latest_"] {
      #expect(bed.trigger(runID: free) > 0, "\(free)")
    }
  }

  @Test func `two triggers in one microsecond have two ids, however soon the runs end`() {
    var bed = TestBed(dag("a") { $0.tasks[0].work = .empty })
    var ids: Set<String> = []
    for _ in 0..<5 {
      bed.trigger()
      if case .run(let run, _)? = bed.last.reply { ids.insert(run.runID) }
    }
    #expect(ids.count == 5)
  }

  @Test func `an id is not one that the database has`() {
    var bed = TestBed(dag("a"))
    let date = Timestamp(iso8601: "2026-03-01T00:00:00Z")!
    let taken = RunIDs.manual(date)
    bed.send(.trigger(TriggerRequest(dagID: "dag", logicalDate: date, takenRunIDs: [taken, "\(taken)_2"])))
    #expect(bed.scheduler.run(1)?.runID == "\(taken)_3")
    // As one of an older dagrun, which took any id.
    bed.send(
      .dagsLoaded([
        dag("a", version: "2") {
          $0.schedule = .daily
          $0.startDate = Timestamp(iso8601: "2026-01-01T00:00:00Z")
        }
      ]))
    bed.scheduler.takeRunIDs([RunIDs.scheduled(Timestamp(iso8601: "2026-01-02T00:00:00Z")!)], of: "dag")
    bed.wait(86_400)
    #expect(bed.scheduler.run(3)?.runID == "scheduled__2026-01-02T00:00:00+00:00_2")
  }

  @Test func `a fact of a later try than is known does nothing`() {
    var bed = TestBed(dag("a"))
    bed.trigger()
    let key = TaskInstanceKey(run: 1, taskID: "a")
    for event in [
      Event.taskFinished(TryKey(key, 2), TaskResult(.success)), .taskStarted(TryKey(key, 2)),
      .taskFinished(TryKey(key, .max), TaskResult(.deferred(.event))), .triggerFired(TryKey(key, 9)),
      .taskFinished(TryKey(key, 7), TaskResult(.deferred(.until(bed.now)))),
    ] {
      bed.send(event)
      #expect(bed.last.changes.isEmpty)
    }
    #expect(bed.state("a") == .running)
  }

  @Test func `a manual run for a date of the schedule stands for the scheduled one`() {
    func plan(_ change: (inout DAGDescription) -> Void = { _ in }) -> DAGPlan {
      dag("a") {
        $0.schedule = .dataInterval("0 3 * * *")
        $0.startDate = Timestamp(iso8601: "2026-01-05T03:00:00Z")
        change(&$0)
      }
    }
    func run(_ plan: DAGPlan, on date: String) -> DAGRun? {
      var bed = TestBed(plan)
      bed.trigger(logicalDate: date)
      guard case .run(let run, _)? = bed.last.reply else { return nil }
      return run
    }
    let run1 = run(plan(), on: "2026-01-06T03:00:00Z")
    #expect(run1?.standsForScheduled == true)
    // Its interval is what the scheduled run would have had.
    #expect(run1?.dataInterval?.end == Timestamp(iso8601: "2026-01-07T03:00:00Z"))
    for date in ["2026-01-06T03:00:01Z", "2026-01-04T03:00:00Z"] {
      #expect(run(plan(), on: date)?.standsForScheduled == false, "\(date)")
      #expect(run(plan(), on: date)?.dataInterval == nil)
    }
    #expect(
      run(plan { $0.endDate = Timestamp(iso8601: "2026-01-05T03:00:00Z") }, on: "2026-01-06T03:00:00Z")?
        .standsForScheduled == false)
    #expect(run(dag("a"), on: "2026-01-06T03:00:00Z")?.standsForScheduled == false)
    // The schedule says so when it comes to the date.
    var bed = TestBed(plan { $0.schedule = .cron("0 3 * * *") })
    bed.trigger(logicalDate: "2026-01-05T03:00:00Z")
    bed.finish("a")
    bed.wait(4 * 86_400 + 3 * 3600)
    #expect(bed.last.notes.count == 1)
    #expect(bed.scheduler.unfinishedRuns.isEmpty)
  }
}
