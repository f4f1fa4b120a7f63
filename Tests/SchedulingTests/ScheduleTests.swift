import Dagrun
import Testing

@testable import Scheduling

@Suite struct ScheduleTests {
  @Test(arguments: [
    ("0 5 * * *", "UTC", "2024-03-10T04:59:00Z", "2024-03-10T05:00:00+00:00"),
    ("0 5 * * *", "UTC", "2024-03-10T05:00:00Z", "2024-03-11T05:00:00+00:00"),
    ("*/15 * * * *", "UTC", "2024-02-28T23:50:30Z", "2024-02-29T00:00:00+00:00"),
    ("0 0 29 2 *", "UTC", "2024-03-01T00:00:00Z", "2028-02-29T00:00:00+00:00"),
    ("0 0 13 * 5", "UTC", "2026-02-01T00:00:00Z", "2026-02-06T00:00:00+00:00"),
    ("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00+00:00"),
    // 02:30 does not exist on that day: moved forward.
    ("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:30:00+00:00"),
    // 02:30 happens twice: the first.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00+00:00"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00+00:00"),
    // Every hour has both.
    ("30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00+00:00"),
    ("30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00+00:00"),
    ("0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T18:15:00+00:00"),
  ])
  func `cron gives the next time`(expression: String, timeZone: String, after: String, expected: String) {
    let ticks = CronTicks(expression, timeZone: timeZone)!
    let next = ticks.next(after: Timestamp(iso8601: after)!)!
    #expect(next.iso8601 == expected)
    #expect(ticks.last(notAfter: next) == next)
  }

  @Test(arguments: ["*/7 * * * *", "30 2 * * *", "15 1-4 * * 0", "0 */6 1,15 * *"], ["UTC", "Europe/Berlin"])
  func `the tick before the next one is the last one`(expression: String, timeZone: String) {
    let ticks = CronTicks(expression, timeZone: timeZone)!
    var tick = ticks.next(after: Timestamp(iso8601: "2026-10-20T00:00:00Z")!)!
    for _ in 0..<400 {
      let next = ticks.next(after: tick)!
      #expect(next > tick)
      #expect(ticks.last(notAfter: Timestamp(microseconds: next.microseconds - 1)) == tick)
      tick = next
    }
  }

  @Test func `a schedule makes its run at the tick`() {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .cron("0 3 * * *")
        $0.startDate = Timestamp(iso8601: "2026-01-01T00:00:00Z")
      })
    #expect(bed.scheduler.nextWake?.iso8601 == "2026-01-01T03:00:00+00:00")
    bed.wait(3 * 3600)
    #expect(
      bed.transcript == [
        "dag dag stored", "run 1 scheduled__2026-01-01T03:00:00+00:00 created running", "launch a try 1",
      ])
    #expect(bed.scheduler.nextWake?.iso8601 == "2026-01-02T03:00:00+00:00")
  }

  @Test(arguments: [(false, ["2026-01-04T03:00:00+00:00"]), (true, ["2026-01-01T03:00:00+00:00"])])
  func `without catchup only the newest missed tick runs`(catchup: Bool, first: [String]) {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .cron("0 3 * * *")
        $0.startDate = Timestamp(iso8601: "2026-01-01T00:00:00Z")
        $0.catchup = catchup
        $0.maxActiveRuns = 1
      })
    bed.wait(4 * 86_400)
    let runs = bed.scheduler.unfinishedRuns.map { bed.scheduler.run($0)!.logicalDate!.iso8601 }
    #expect(runs == first)
    bed.finish("a")
    #expect(bed.scheduler.unfinishedRuns.isEmpty == !catchup)
  }

  @Test func `a data interval's run comes when the interval has ended`() {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .dataInterval("0 3 * * *")
        $0.startDate = Timestamp(iso8601: "2026-01-01T00:00:00Z")
        $0.endDate = Timestamp(iso8601: "2026-01-01T12:00:00Z")
      })
    #expect(bed.scheduler.nextWake?.iso8601 == "2026-01-02T03:00:00+00:00")
    bed.wait(27 * 3600)
    let run = bed.scheduler.run(1)!
    #expect(run.logicalDate?.iso8601 == "2026-01-01T03:00:00+00:00")
    #expect(run.dataInterval?.end.iso8601 == "2026-01-02T03:00:00+00:00")
    #expect(bed.scheduler.nextWake == nil)
  }

  @Test func `once is once`() {
    var bed = TestBed(dag("a") { $0.schedule = .once })
    #expect(bed.launched == ["a"])
    bed.finish("a")
    bed.wait(86_400)
    #expect(bed.transcript.isEmpty)
  }

  @Test func `the schedule passes over a date that a run bears already`() {
    var bed = TestBed(
      dag("a") {
        $0.schedule = .cron("0 3 * * *")
        $0.startDate = Timestamp(iso8601: "2026-01-01T00:00:00Z")
      })
    bed.trigger(runID: "mine", logicalDate: "2026-01-01T03:00:00Z")
    bed.finish("a")
    bed.wait(3 * 3600)
    #expect(bed.transcript == ["dag dag stored"])
  }

  @Test func `a task that depends on its past waits for it`() {
    var bed = TestBed(dag("a") { $0.task("a") { $0.dependsOnPast = true } })
    bed.trigger(logicalDate: "2026-01-01T00:00:00Z")
    bed.trigger(logicalDate: "2026-01-02T00:00:00Z")
    #expect(bed.launched.isEmpty)
    #expect(bed.reasons("a", run: 2) == ["depends on its past: a of 2026-01-01T00:00:00+00:00 has not succeeded"])
    bed.fail("a", run: 1)
    #expect(bed.launched.isEmpty && bed.state("a", run: 2) == TaskState.none)
    bed.trigger(logicalDate: "2025-12-31T00:00:00Z")
    #expect(bed.launched == ["a"])
  }

  @Test func `backoff doubles, jitters the same each time, and is capped`() {
    var task = TaskDescription(id: "t", work: .swift, location: SourceLocation(file: "", line: 0))
    task.retryDelaySeconds = 10
    task.retryBackoffMultiplier = 2
    let policy = RetryPolicy(task)
    for (tryNumber, base) in [(1, 10.0), (2, 20), (3, 40), (4, 80)] {
      let wait = policy.waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: tryNumber)
      #expect(wait >= base && wait < 2 * base)
      #expect(wait == policy.waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: tryNumber))
    }
    #expect(policy.waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: 400) == 86_400)
    task.maxRetryDelaySeconds = 15
    #expect(RetryPolicy(task).waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: 9) == 15)
    task.maxRetryDelaySeconds = 0
    task.retryBackoffMultiplier = 1
    #expect(RetryPolicy(task).waitSeconds(dagID: "d", taskID: "t", date: "x", tryNumber: 9) == 10)
  }
}
