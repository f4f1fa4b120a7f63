import Dagrun
import Model
import Testing

@testable import Scheduling

@Suite struct SchedulerTests {
  @Test func `a trigger starts what waits for nothing, in the same step`() {
    var bed = TestBed(dag("extract", "load < extract"))
    bed.trigger(runID: "r")
    #expect(bed.transcript == ["run 1 r created running", "launch extract try 1"])
    bed.finish("extract")
    #expect(
      bed.transcript == [
        "extract running -> success try 1", "load none -> running try 1", "launch load try 1",
      ])
    bed.finish("load")
    #expect(bed.transcript == ["run 1 running -> success", "load running -> success try 1"])
    #expect(bed.scheduler.unfinishedRuns.isEmpty && bed.scheduler.nextWake == nil)
  }

  @Test func `a late or repeated end does nothing`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    bed.finish("a")
    let before = bed.scheduler
    bed.send(.taskFinished(TryKey(run: 1, taskID: "a", number: 1), TaskResult(.success)))
    #expect(bed.transcript.isEmpty && bed.last.reply == nil)
    bed.send(.taskFinished(TryKey(run: 7, taskID: "a", number: 1), TaskResult(.success)))
    #expect(bed.transcript.isEmpty)
    #expect(bed.scheduler == before)
  }

  @Test func `a failed task fails what needs it, and the run`() {
    var bed = TestBed(dag("a", "b < a", "c < b"))
    bed.trigger()
    bed.fail("a")
    #expect(
      bed.transcript == [
        "run 1 running -> failed", "a running -> failed try 1", "b none -> upstream_failed try 0",
        "c none -> upstream_failed try 0",
      ])
    guard case .taskChanged(let move)? = bed.last.changes.dropFirst(2).first else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(move.reason == "all_success needs all upstream tasks to succeed, but a is failed")
  }

  @Test func `a failed task that is not a leaf and is cared for does not fail the run`() {
    var bed = TestBed(dag("a", "b < a") { $0.task("b") { $0.triggerRule = .oneFailed } })
    bed.trigger()
    bed.fail("a")
    #expect(bed.launched == ["b"])
    bed.finish("b")
    #expect(bed.transcript.first == "run 1 running -> success")
  }

  @Test func `a chain of empty tasks ends in one step, however long`() {
    let chain = DAGPlan(
      {
        var description = DAGDescription(id: "dag", location: SourceLocation(file: "", line: 0))
        for index in 0..<50_000 {
          var task = TaskDescription(id: "t\(index)", work: .empty, location: SourceLocation(file: "", line: 0))
          if index > 0 { task.upstream = ["t\(index - 1)"] }
          description.tasks.append(task)
        }
        return description
      }(), version: "1")
    var bed = TestBed(chain)
    bed.trigger()
    guard case .run(let run, let created)? = bed.last.reply else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(created && run.state == .success && bed.last.actions.isEmpty)
  }

  @Test func `outputs are stored with the end, and removed when the task is cleared`() {
    var bed = TestBed(dag("a", "b < a"))
    bed.trigger()
    let key = TaskInstanceKey(run: 1, taskID: "a")
    bed.send(.taskFinished(TryKey(key, 1), TaskResult(.success, output: "42")))
    #expect(bed.transcript.contains("output of a 42"))
    bed.send(.clear(ClearRequest(keys: [key])))
    #expect(bed.transcript.contains("no output of a"))
    #expect(bed.launched == ["a"])
  }

  @Test func `a retry waits for its delay, then is the next try`() {
    var bed = TestBed(
      dag("a") {
        $0.task("a") {
          $0.retries = 1
          $0.retryDelaySeconds = 60
        }
      })
    bed.trigger()
    bed.fail("a")
    #expect(bed.transcript == ["a running -> up_for_retry try 1"])
    #expect(bed.scheduler.nextWake == bed.now.adding(seconds: 60))
    #expect(bed.reasons("a") == ["try 1 failed; the next of 2 is due at 2026-01-01T00:01:00+00:00"])
    bed.wait(59)
    #expect(bed.transcript.isEmpty)
    bed.wait(1)
    #expect(bed.transcript == ["a up_for_retry -> running try 2", "launch a try 2"])
    bed.fail("a")
    #expect(bed.transcript == ["run 1 running -> failed", "a running -> failed try 2"])
  }

  @Test func `a task that says fail now is not tried again`() {
    var bed = TestBed(dag("a") { $0.task("a") { $0.retries = 3 } })
    bed.trigger()
    bed.fail("a", isRetryable: false)
    #expect(bed.state("a") == nil && bed.transcript.first == "run 1 running -> failed")
  }

  @Test func `a try that runs too long is stopped, and its end says so`() {
    var bed = TestBed(
      dag("a") {
        $0.task("a") {
          $0.executionTimeoutSeconds = 90
          $0.retries = 1
        }
      })
    bed.trigger()
    bed.wait(90)
    #expect(bed.transcript == ["stop a try 1 timedOut"])
    #expect(bed.reasons("a").last == "it is being stopped: it has run longer than 1 min 30 s")
    bed.finish("a", .failed(Failure(reason: "killed", signal: 15), isRetryable: true))
    #expect(bed.state("a") == .upForRetry)
    guard case .taskChanged(let move)? = bed.last.changes.first else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(move.ended?.reason == "timed out after 1 min 30 s: killed")
  }

  @Test func `a run that runs too long fails, and stops what runs`() {
    var bed = TestBed(dag("a", "b < a") { $0.dagrunTimeoutSeconds = 60 })
    bed.trigger()
    bed.wait(60)
    #expect(
      bed.transcript == [
        "run 1 running -> failed", "a running -> failed try 1", "b none -> skipped try 0", "stop a try 1 timedOut",
      ])
  }

  @Test func `a teardown runs after everything, and its failure does not fail the run`() {
    let plan = dag("up", "work < up", "more < work", "down < up work") {
      $0.task("up") { $0.role = .setup }
      $0.task("down") {
        $0.role = .teardown(setups: ["up"], failsRun: false)
        $0.triggerRule = .allDoneSetupSuccess
      }
    }
    var bed = TestBed(plan)
    bed.trigger()
    bed.finish("up")
    bed.fail("work")
    #expect(bed.launched == ["down"])
    #expect(bed.state("more") == .upstreamFailed)
    bed.fail("down")
    #expect(bed.transcript.first == "run 1 running -> failed")

    bed = TestBed(plan)
    bed.trigger()
    bed.finish("up")
    bed.finish("work")
    #expect(bed.launched == ["more", "down"])
    bed.fail("down")
    bed.finish("more")
    #expect(bed.transcript.first == "run 1 running -> success")
  }

  @Test func `a failed setup fails tasks further down, whatever their rule`() {
    var bed = TestBed(
      dag("up", "a < up", "b < a", "down < up b") {
        $0.task("up") { $0.role = .setup }
        $0.task("a") { $0.triggerRule = .allDone }
        $0.task("b") { $0.triggerRule = .allDone }
        $0.task("down") {
          $0.role = .teardown(setups: ["up"], failsRun: false)
          $0.triggerRule = .allDoneSetupSuccess
        }
      })
    bed.trigger()
    bed.fail("up")
    #expect(bed.state("b") == .upstreamFailed)
    #expect(bed.launched == ["a"])
    #expect(bed.state("down") == .upstreamFailed)
  }

  @Test func `a rule that can never be met fails the run with the reason`() {
    let plan = dag("a", "b < a") { $0.task("b") { $0.triggerRule = .allSkipped } }
    var run = DAGRun(
      number: 1, dagID: "dag", runID: "r", type: .manual, state: .running, logicalDate: nil, dataInterval: nil,
      runAfter: Timestamp(microseconds: 0), queuedAt: Timestamp(microseconds: 0), conf: "{}", version: "1")
    run.startDate = Timestamp(microseconds: 0)
    let tasks = [TaskInstance(taskID: "a", state: .removed, maxTries: 0), TaskInstance(taskID: "b", maxTries: 0)]
    var bed = TestBed(plan)
    bed.scheduler = Scheduler(
      restoring: Snapshot(
        plans: [plan], dags: [DAGRecord(dagID: "dag", version: "1")], runs: [RunSnapshot(run: run, tasks: tasks)],
        lastRunNumber: 1))
    bed.send(.wake)
    guard case .runChanged(let move)? = bed.last.changes.first else {
      Issue.record("\(bed.transcript)")
      return
    }
    #expect(move.to.state == .failed)
    #expect(
      move.to.reason
        == "its tasks can never run: b needs all upstream tasks to be skipped, and nothing is left that could change")
  }

  @Test func `a deferred try gives its slot back and continues as the same try`() {
    var bed = TestBed(dag("a", "b"), pools: [Pool(name: "default_pool", slots: 1)])
    bed.trigger()
    #expect(bed.launched == ["a"])
    let key = TaskInstanceKey(run: 1, taskID: "a")
    bed.send(.taskFinished(TryKey(key, 1), TaskResult(.deferred(.event))))
    #expect(bed.transcript == ["a running -> deferred try 1", "b scheduled -> running try 1", "launch b try 1"])
    bed.send(.triggerFired(TryKey(key, 1)))
    #expect(bed.transcript == ["a deferred -> up_for_reschedule try 1"])
    bed.finish("b")
    #expect(bed.transcript.contains("launch a try 1"))
  }
}
