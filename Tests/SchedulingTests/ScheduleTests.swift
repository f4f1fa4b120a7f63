import Dagrun
import Foundation
import Model
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
    // 02:30 happens twice: the second, as in Airflow.
    ("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T01:30:00+00:00"),
    ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00+00:00"),
    // Every hour has both.
    ("30 * * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T01:30:00+00:00"),
    ("30 * * * *", "Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T01:30:00+00:00"),
    ("0 0 * * *", "Asia/Kathmandu", "2026-01-01T00:00:00Z", "2026-01-01T18:15:00+00:00"),
    ("0 9 L * *", "UTC", "2026-02-01T00:00:00Z", "2026-02-28T09:00:00+00:00"),
    ("0 9 15W * *", "UTC", "2026-02-01T00:00:00Z", "2026-02-16T09:00:00+00:00"),
    ("0 9 * * mon#1", "UTC", "2026-02-03T00:00:00Z", "2026-03-02T09:00:00+00:00"),
    ("0 9 * * * 30", "UTC", "2026-02-03T09:00:00Z", "2026-02-03T09:00:30+00:00"),
    ("59 23 31 12 * 59", "UTC", "2026-02-03T09:00:00Z", "2026-12-31T23:59:59+00:00"),
    // The whole country moved over the date line: there was no 30th.
    ("0 12 * * *", "Pacific/Apia", "2011-12-29T23:00:00Z", "2011-12-30T22:00:00+00:00"),
    // Midnight does not exist on that day, and another change comes before the next September.
    ("0 * 5 9 *", "America/Santiago", "2027-09-01T00:00:00Z", "2027-09-05T04:00:00+00:00"),
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

  @Test(arguments: [
    (Schedule.Gap.shift, Schedule.Fold.second, ["2026-03-29T01:30Z", "2026-03-30T00:30Z"], ["2026-10-25T01:30Z"]),
    (.skip, .second, ["2026-03-30T00:30Z"], ["2026-10-25T01:30Z"]),
    (.shift, .first, ["2026-03-29T01:30Z", "2026-03-30T00:30Z"], ["2026-10-25T00:30Z"]),
    (.skip, .both, ["2026-03-30T00:30Z"], ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]),
  ])
  func `the schedule says what becomes of a time that comes never, or twice`(
    gap: Schedule.Gap, fold: Schedule.Fold, spring: [String], autumn: [String]
  ) throws {
    let schedule = Schedule.cron("30 2 * * *", timeZone: "Europe/Berlin", gap: gap, fold: fold)
    let timetable = try #require(Timetable(schedule))
    func ticks(_ from: String, _ to: String) -> [Timestamp] {
      timetable.ticks(in: Timestamp(iso8601: from)!...Timestamp(iso8601: to)!, limit: 10).map(\.logicalDate)
    }
    #expect(ticks("2026-03-28T12:00Z", "2026-03-30T12:00Z") == spring.map { Timestamp(iso8601: $0)! })
    #expect(ticks("2026-10-24T12:00Z", "2026-10-25T12:00Z") == autumn.map { Timestamp(iso8601: $0)! })
    // And back.
    let newest = timetable.newest(dueAt: Timestamp(iso8601: "2026-10-25T12:00Z")!)
    #expect(newest?.logicalDate == autumn.last.flatMap { Timestamp(iso8601: $0) })
  }

  @Test func `an expression that ticks in every hour has both, whatever the schedule says of the others`() throws {
    let ticks = try #require(CronTicks("30 * * * *", timeZone: "Europe/Berlin", gap: .shift, fold: .first))
    var moment = Timestamp(iso8601: "2026-10-24T23:00Z")!
    let found = (0..<4).map { _ in
      moment = ticks.next(after: moment)!
      return moment.iso8601
    }
    #expect(found == (0...3).map { "2026-10-\($0 == 0 ? 24 : 25)T\(["23", "00", "01", "02"][$0]):30:00+00:00" })
  }

  @Test(arguments: [
    ("*/15 3 * * *", "Pacific/Chatham", "2022-09-24T13:40Z", ["14:00", "14:15", "14:30", "14:45"]),
    ("*/30 1,2,3 * * *", "Antarctica/Troll", "2028-03-26T00:59Z", ["01:00", "01:30", "02:00", "02:30"]),
  ])
  func `ticks that are moved come in order among the others`(
    expression: String, zone: String, after: String, expected: [String]
  ) throws {
    let ticks = try #require(CronTicks(expression, timeZone: zone))
    var moment = Timestamp(iso8601: after)!
    var found: [Timestamp] = []
    for _ in expected {
      moment = try #require(ticks.next(after: moment))
      found.append(moment)
    }
    #expect(found.map { String($0.iso8601.dropFirst(11).prefix(5)) } == expected)
    for (earlier, later) in zip(found, found.dropFirst()) {
      #expect(ticks.last(notAfter: Timestamp(microseconds: later.microseconds - 1)) == earlier)
    }
  }

  @Test func `a moment that no clock shows has no tick, and stops nothing`() throws {
    for zone in ["UTC", "Europe/Berlin"] {
      let timetable = try #require(Timetable(.cron("0 3 * * *", timeZone: zone)))
      #expect(timetable.next(after: Timestamp(microseconds: .max)) == nil)
      #expect(timetable.newest(dueAt: Timestamp(microseconds: .min)) == nil)
      #expect(timetable.first(notBefore: Timestamp(microseconds: .min))?.logicalDate.isoDate == "0001-01-01")
      #expect(timetable.newest(dueAt: Timestamp(microseconds: .max))?.logicalDate.isoDate == "9999-12-31")
      #expect(timetable.last(before: Timestamp(microseconds: .min)) == nil)
    }
  }

  @Test func `a schedule that was stored before it said gap and fold is read as ever`() throws {
    let old = #"{"kind":{"cron":{"expression":"30 2 * * *","timeZone":"Europe/Berlin"}}}"#
    let schedule = try JSONDecoder().decode(Schedule.self, from: Data(old.utf8))
    #expect(
      schedule == .cron("30 2 * * *", timeZone: "Europe/Berlin") && schedule.gap == .shift && schedule.fold == .second)
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    #expect(String(decoding: try encoder.encode(schedule), as: UTF8.self) == old)
    let other = Schedule.cron("30 2 * * *", gap: .skip, fold: .both)
    #expect(try JSONDecoder().decode(Schedule.self, from: encoder.encode(other)) == other)
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

  @Test func `the schedule passes over a date that a run has already`() {
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
