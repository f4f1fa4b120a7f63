import Dagrun
import Testing

@testable import CLI

@Suite struct UpcomingRunsTests {
  private let now = Timestamp(iso8601: "2026-03-10T12:00:00Z")!

  private func upcoming(
    _ schedule: Schedule, start: String? = nil, end: String? = nil, catchup: Bool = false, after last: String? = nil
  ) -> [String] {
    var dag = DAGDescription(id: "d", location: .init(file: "d.swift", line: 1))
    dag.schedule = schedule
    dag.startDate = start.flatMap(Timestamp.init(iso8601:))
    dag.endDate = end.flatMap(Timestamp.init(iso8601:))
    dag.catchup = catchup
    return UpcomingRuns.of(dag, after: last.flatMap(Timestamp.init(iso8601:)), count: 2, now: now)
      .map { $0.logicalDate.isoDate + " at " + $0.runAfter.isoDate }
  }

  @Test func `the newest missed tick comes first, then those of the future`() {
    #expect(upcoming(.daily) == ["2026-03-10 at 2026-03-10", "2026-03-11 at 2026-03-11"])
    #expect(upcoming(.daily, start: "2026-01-01") == ["2026-03-10 at 2026-03-10", "2026-03-11 at 2026-03-11"])
    #expect(upcoming(.daily, after: "2026-03-10") == ["2026-03-11 at 2026-03-11", "2026-03-12 at 2026-03-12"])
  }

  @Test func `with catchup every missed tick comes`() {
    #expect(
      upcoming(.daily, start: "2026-01-01", catchup: true) == ["2026-01-01 at 2026-01-01", "2026-01-02 at 2026-01-02"])
  }

  @Test func `a data interval is due when it has ended`() {
    #expect(
      upcoming(.dataInterval("0 0 * * *"), after: "2026-03-08")
        == ["2026-03-09 at 2026-03-10", "2026-03-10 at 2026-03-11"])
  }

  @Test func `nothing comes without a schedule, or after the end`() {
    #expect(upcoming(.none).isEmpty)
    #expect(upcoming(.once, after: "2026-01-01").isEmpty)
    #expect(upcoming(.daily, end: "2026-03-01", after: "2026-03-01").isEmpty)
    #expect(upcoming(.daily, end: "2026-03-11", after: "2026-03-10") == ["2026-03-11 at 2026-03-11"])
  }
}
