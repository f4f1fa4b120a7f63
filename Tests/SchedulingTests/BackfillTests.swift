import Dagrun
import Model
import Testing

@testable import Scheduling

@Suite struct BackfillTests {
  private let daily = dag("a", "b < a") {
    $0.schedule = .cron("0 0 * * *")
    $0.startDate = Timestamp(iso8601: "2026-06-01T00:00:00Z")
  }

  private func request(
    _ from: String, _ to: String, _ change: (inout BackfillRequest) -> Void = { _ in }
  ) -> BackfillRequest {
    var request = BackfillRequest(
      dagID: "dag", fromDate: Timestamp(iso8601: from)!, toDate: Timestamp(iso8601: to)!)
    change(&request)
    return request
  }

  @Test func `both bounds are included, and only what has ended counts`() throws {
    let now = Timestamp(iso8601: "2026-01-04T12:00:00Z")!
    let plan = try BackfillPlan.make(request("2026-01-03", "2026-01-09"), plan: daily, existing: [], at: now).get()
    #expect(
      plan.rows.map(\.runID) == ["backfill__2026-01-03T00:00:00+00:00", "backfill__2026-01-04T00:00:00+00:00"])
    let intervals = dag("a") { $0.schedule = .dataInterval("0 0 * * *") }
    let ended = try BackfillPlan.make(request("2026-01-03", "2026-01-09"), plan: intervals, existing: [], at: now)
      .get()
    #expect(ended.rows.count == 1)
  }

  @Test func `what contradicts itself is refused`() {
    let now = Timestamp(iso8601: "2026-01-04T12:00:00Z")!
    func refusal(_ request: BackfillRequest, _ plan: DAGPlan) -> Refusal? {
      if case .failure(let refusal) = BackfillPlan.make(request, plan: plan, existing: [], at: now) { return refusal }
      return nil
    }
    #expect(
      refusal(request("2026-01-03", "2026-01-01"), daily)
        == .invalid("the first date, 2026-01-03T00:00:00+00:00, is after the last, 2026-01-01T00:00:00+00:00"))
    #expect(
      refusal(request("2026-02-03", "2026-02-04"), daily)
        == .invalid("the dates lie in the future: 2026-02-03T00:00:00+00:00 has not come yet"))
    #expect(
      refusal(request("2026-01-01", "2026-01-02") { $0.taskRegex = "x(" }, daily)
        == .invalid("\"x(\" is not a regular expression"))
    #expect(
      refusal(request("2026-01-01", "2026-01-02") { $0.taskRegex = "x" }, daily)
        == .invalid("no task of dag matches \"x\""))
    let past = dag("a") {
      $0.schedule = .daily
      $0.tasks[0].dependsOnPast = true
    }
    #expect(
      refusal(request("2026-01-01", "2026-01-02") { $0.runsBackwards = true }, past)
        == .invalid("cannot run backwards: a depends on its past"))
    #expect(
      refusal(request("2026-01-01", "2026-01-02"), dag("a"))
        == .invalid(
          "dag has no schedule with dates that could be filled in\n"
            + "give it one, or run single dates: dagrun trigger dag -l DATE"))
  }

  @Test func `where nothing matches, the nearest dates are named`() {
    let now = Timestamp(iso8601: "2026-01-04T12:00:00Z")!
    func refusal(_ from: String, _ to: String, _ schedule: Schedule) -> Refusal? {
      let plan = dag("a") { $0.schedule = schedule }
      guard case .failure(let refusal) = BackfillPlan.dates(of: request(from, to), plan: plan, at: now) else {
        return nil
      }
      return refusal
    }
    #expect(
      refusal("2026-01-03T04:00", "2026-01-04T02:00", .cron("0 3 * * *"))
        == .nothingToDo(
          "dag has no interval between those dates that has ended\n"
            + "the nearest are of 2026-01-03T03:00:00+00:00 and of 2026-01-04T03:00:00+00:00"))
    #expect(
      refusal("2026-01-04", "2026-01-05", .dataInterval("0 0 * * *"))
        == .nothingToDo(
          "dag has no interval between those dates that has ended\nthe nearest are of 2026-01-03T00:00:00+00:00 and of "
            + "2026-01-04T00:00:00+00:00 (which has not ended before 2026-01-05T00:00:00+00:00)"))
  }

  @Test(arguments: [("* * * * *", "0206-01-01"), ("*/30 * * * *", "1990-01-01"), ("0 0 * * * *", "0001-01-01")])
  func `a range of too many runs is refused before they are made`(expression: String, from: String) {
    let plan = dag("a") { $0.schedule = .cron(expression) }
    let now = Timestamp(iso8601: "2026-01-04T12:00:00Z")!
    guard
      case .failure(.invalid(let words)) = BackfillPlan.make(
        request(from, "2026-01-03"), plan: plan, existing: [], at: now)
    else {
      Issue.record("not refused")
      return
    }
    #expect(words.hasPrefix("there are more than 100000 runs of dag from \(from)T00:00:00+00:00"))
    #expect(words.hasSuffix("name a shorter range"))
  }

  @Test(arguments: [
    (DAGRunState.running, Backfill.ReprocessBehavior.completed, BackfillPlan.Verdict.inFlight),
    (.queued, .failed, .inFlight), (.success, .none, .alreadyExists), (.failed, .none, .alreadyExists),
    (.success, .failed, .alreadyExists), (.failed, .failed, .clear), (.success, .completed, .clear),
  ])
  func `an existing run is treated as asked`(
    state: DAGRunState, reprocess: Backfill.ReprocessBehavior, verdict: BackfillPlan.Verdict
  ) throws {
    let date = Timestamp(iso8601: "2026-01-01T00:00:00Z")!
    let run = DAGRun(
      number: 1, dagID: "dag", runID: "r", type: .scheduled, state: state, logicalDate: date, dataInterval: nil,
      runAfter: date, queuedAt: date, conf: "{}", version: "1")
    let plan = try BackfillPlan.make(
      request("2026-01-01", "2026-01-01") { $0.reprocess = reprocess }, plan: daily, existing: [run], at: date
    ).get()
    #expect(plan.rows.map(\.verdict) == [verdict])
  }

  @Test func `a backfill runs so many at a time, backwards if asked, and is completed with its last run`() {
    var bed = TestBed(daily)
    bed.now = Timestamp(iso8601: "2026-01-10T00:00:00Z")!
    bed.send(
      .backfill(
        request("2026-01-01", "2026-01-03") {
          $0.maxActiveRuns = 2
          $0.runsBackwards = true
          $0.taskRegex = "b"
        }))
    #expect(
      bed.transcript == [
        "backfill 1 created", "run 1 backfill__2026-01-03T00:00:00+00:00 created running",
        "run 2 backfill__2026-01-02T00:00:00+00:00 created running",
        "run 3 backfill__2026-01-01T00:00:00+00:00 created queued", "launch b try 1", "launch b try 1",
      ])
    bed.finish("b", run: 1)
    #expect(bed.launched == ["b"])
    bed.finish("b", run: 2)
    #expect(!bed.transcript.contains("backfill 1 completed"))
    bed.finish("b", run: 3)
    #expect(bed.transcript.last == "backfill 1 completed")
  }

  @Test func `a cancelled backfill fails what waits, and leaves alone what runs`() {
    var bed = TestBed(daily)
    bed.now = Timestamp(iso8601: "2026-01-10T00:00:00Z")!
    bed.send(.backfill(request("2026-01-01", "2026-01-02") { $0.maxActiveRuns = 1 }))
    bed.send(.cancelBackfill(number: 1))
    #expect(
      bed.transcript == [
        "run 2 queued -> failed", "a none -> skipped try 0", "b none -> skipped try 0", "backfill 1 completed",
      ])
    bed.finish("a", run: 1)
    #expect(bed.launched == ["b"])
  }
}
