import Dagrun
import Model
import Testing

@testable import Scheduling

@Suite struct RequestTests {
  @Test func `triggering again by the same id finds the run`() {
    var bed = TestBed(dag("a"))
    bed.trigger(runID: "r", logicalDate: "2026-01-01T00:00:00Z")
    bed.trigger(runID: "r")
    guard case .run(let run, created: false)? = bed.last.reply else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(run.number == 1 && bed.transcript.isEmpty)
    bed.send(.trigger(TriggerRequest(dagID: "dag", runID: "r", conf: #"{"x":1}"#)))
    #expect(bed.last.reply == .refused(.runExists(runID: "r", differsIn: "conf")))
    bed.trigger(runID: "r", logicalDate: "2026-01-02T00:00:00Z")
    #expect(bed.last.reply == .refused(.runExists(runID: "r", differsIn: "logical date")))
    bed.trigger(runID: "other", logicalDate: "2026-01-01T00:00:00Z")
    #expect(bed.last.reply == .refused(.logicalDateTaken(Timestamp(iso8601: "2026-01-01T00:00:00Z")!, runID: "r")))
    bed.finish("a")
    let finished = bed.last.changes.compactMap { if case .runChanged(let move) = $0 { move.to } else { nil } }[0]
    bed.send(.trigger(TriggerRequest(dagID: "dag", runID: "r", existing: finished)))
    #expect(bed.last.reply == .run(finished, created: false) && bed.last.changes.isEmpty)
    bed.trigger("nothing")
    #expect(bed.last.reply == .refused(.unknownDAG("nothing")))
  }

  @Test func `a cleared running task is stopped, and starts again when it has ended`() {
    var bed = TestBed(dag("a") { $0.task("a") { $0.retries = 1 } })
    bed.trigger()
    bed.send(.clear(ClearRequest(keys: [TaskInstanceKey(run: 1, taskID: "a")])))
    #expect(bed.transcript == ["a running -> restarting try 1", "stop a try 1 cleared"])
    bed.fail("a")
    #expect(bed.transcript == ["a restarting -> running try 2", "launch a try 2"])
    #expect(bed.scheduler.taskInstance(TaskInstanceKey(run: 1, taskID: "a"))?.maxTries == 2)
  }

  @Test func `clearing a finished run runs it again, on the newest version`() {
    var bed = TestBed(dag("a", "old < a"))
    bed.trigger()
    bed.finish("a")
    let before = bed.scheduler.snapshot(ofRun: 1)!
    bed.fail("old")
    let moves = bed.last.changes
    var run = before.run
    if case .runChanged(let move) = moves[0] { run = move.to }
    var tasks = before.tasks
    if case .taskChanged(let move) = moves[1] { tasks[1] = move.to }
    bed.send(.dagsLoaded([dag("a", "new < a", version: "2")]))
    let key = TaskInstanceKey(run: 1, taskID: "a")
    bed.send(.clear(ClearRequest(keys: [key], loaded: [RunSnapshot(run: run, tasks: tasks)])))
    #expect(bed.last.reply == .cleared([key]))
    #expect(
      bed.transcript == [
        "run 1 on 2", "run 1 failed -> running", "a success -> running try 2", "no output of a", "launch a try 2",
      ])
    guard case .runReplanned(let rows)? = bed.last.changes.first else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(rows.tasks.map(\.taskID) == ["a", "new", "old"])
    #expect(rows.tasks.map(\.state) == [.success, .none, .removed])
    bed.finish("a")
    #expect(bed.launched == ["new"])
  }

  @Test func `unfinished runs stay on their version`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    bed.send(.dagsLoaded([dag("a", version: "2")]))
    #expect(bed.transcript == ["dag dag stored"])
    bed.finish("a")
    #expect(bed.launched == ["b"])
    bed.trigger()
    #expect(bed.scheduler.run(2)?.version == "2")
  }

  @Test func `marking success lets what had failed below start over`() {
    var bed = TestBed(dag("a", "b < a", "c"))
    bed.trigger()
    bed.fail("a")
    #expect(bed.state("b") == .upstreamFailed)
    bed.send(.setTaskState(TaskInstanceKey(run: 1, taskID: "a"), .success, loaded: nil))
    #expect(
      bed.transcript == ["a failed -> success try 1", "b upstream_failed -> running try 1", "launch b try 1"])
  }

  @Test func `marking a running task stops it, and its end comes too late`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    let key = TaskInstanceKey(run: 1, taskID: "a")
    bed.send(.setTaskState(key, .skipped, loaded: nil))
    #expect(
      bed.transcript == [
        "run 1 running -> success", "a running -> skipped try 1", "b none -> skipped try 0", "stop a try 1 cancelled",
      ])
    bed.send(.taskFinished(TryKey(key, 1), TaskResult(.success)))
    #expect(bed.transcript.isEmpty)
    bed.send(.setTaskState(key, .queued, loaded: nil))
    #expect(bed.last.reply == .refused(.invalid("a task can be set to success, failed or skipped, not to queued")))
  }

  @Test func `a run that its past has stuck leaves those after it stuck as well`() {
    var bed = TestBed(
      dag("a", "b < a") {
        $0.task("a") { $0.dependsOnPast = true }
        $0.task("b") { $0.triggerRule = .allDone }
      })
    for day in 1...3 { bed.trigger(logicalDate: "2026-01-0\(day)T00:00:00Z") }
    bed.fail("a", run: 1)
    bed.finish("b", run: 1)
    bed.send(.endStuckRun(run: 2, loaded: nil))
    #expect(bed.launched.isEmpty)
    #expect(
      bed.transcript == [
        "run 2 running -> failed", "a none -> upstream_failed try 0", "b none -> skipped try 0",
      ])
    #expect(bed.reasons("a", run: 3) == ["depends on its past: a of 2026-01-02T00:00:00+00:00 has not succeeded"])
    #expect(bed.state("a", run: 3) == TaskState.none)
  }

  @Test func `a cancelled run ends at once, but for its teardowns`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    bed.send(.setRunState(run: 1, .failed, loaded: nil))
    #expect(
      bed.transcript == [
        "run 1 running -> failed", "a running -> failed try 1", "b none -> skipped try 0", "stop a try 1 cancelled",
      ])

    bed = TestBed(
      dag("up", "a < up", "down < up a") {
        $0.task("up") { $0.role = .setup }
        $0.task("down") {
          $0.role = .teardown(setups: ["up"], failsRun: false)
          $0.triggerRule = .allDoneSetupSuccess
        }
      })
    bed.trigger()
    bed.finish("up")
    bed.send(.setRunState(run: 1, .failed, loaded: nil))
    #expect(bed.launched == ["down"])
    bed.finish("down")
    guard case .runChanged(let move)? = bed.last.changes.first else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(move.to.state == .failed && move.to.reason == "cancelled")
  }

  @Test func `the default pool stays, others may go`() {
    var bed = TestBed(dag("a"))
    bed.send(.deletePool(name: "default_pool"))
    #expect(bed.last.reply == .refused(.defaultPoolCannotBeDeleted))
    bed.send(.deletePool(name: "gpu"))
    #expect(bed.last.reply == .refused(.unknownPool("gpu")))
    bed.send(.setPool(Pool(name: "gpu", slots: 1)))
    bed.send(.deletePool(name: "gpu"))
    #expect(bed.transcript == ["no pool gpu"] && bed.last.reply == .done)
  }

  @Test func `a DAG with unfinished runs is not deleted`() {
    var bed = TestBed(dag("a"))
    bed.trigger(runID: "r")
    bed.send(.deleteDAG(dagID: "dag"))
    #expect(bed.last.reply == .refused(.dagIsRunning(dagID: "dag", runID: "r")))
    bed.finish("a")
    bed.send(.deleteDAG(dagID: "dag"))
    #expect(bed.transcript == ["dag dag deleted"])
  }
}

@Suite struct RestoreTests {
  @Test func `a restored scheduler starts nothing over, and asks after what was active`() throws {
    let plan = dag("a", "b < a", "c")
    var bed = TestBed(plan)
    bed.trigger()
    let snapshot = Snapshot(
      plans: [plan], dags: bed.scheduler.dagRecords, runs: [bed.scheduler.snapshot(ofRun: 1)!], lastRunNumber: 1)
    var restored = Scheduler(restoring: snapshot)
    #expect(restored == bed.scheduler)
    #expect(restored.activeTries.map(\.key.taskID) == ["a", "c"])
    let step = restored.handle(.wake, at: bed.now)
    #expect(step.changes.isEmpty && step.actions.isEmpty)
    let counts = try #require(restored.counts(ofRun: 1))
    #expect(counts[.none] == 1 && counts[.running] == 2)
  }

  @Test func `a restored scheduler makes up for what was due meanwhile`() {
    let plan = dag("a") {
      $0.task("a") {
        $0.retries = 1
        $0.retryDelaySeconds = 60
      }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.fail("a")
    let snapshot = Snapshot(
      plans: [plan], dags: bed.scheduler.dagRecords, runs: [bed.scheduler.snapshot(ofRun: 1)!], lastRunNumber: 1)
    bed.scheduler = Scheduler(restoring: snapshot)
    #expect(bed.scheduler.nextWake == bed.now.adding(seconds: 60))
    bed.wait(3600)
    #expect(bed.launched == ["a"])
  }

  @Test func `a DAG that comes to depend on its past asks for its history`() {
    var bed = TestBed(dag("a"))
    #expect(!bed.last.needsRestoring)
    bed.send(.dagsLoaded([dag("a", version: "2") { $0.tasks[0].dependsOnPast = true }]))
    #expect(bed.last.needsRestoring)
  }
}
