import Control
import Dagrun
import Engine
import Model
import Presentation
import Scheduling
import Testing

@testable import CLI

@Suite struct ProgressViewTests {
  private func report(
    _ moved: [(String, TaskState, Int, String?)], counts: [String: Int], final state: DAGRunState? = nil
  ) -> RunProgress {
    let run = DAGRun(
      number: 1, dagID: "nightly", runID: "r1", type: .manual, state: state ?? .running, logicalDate: nil,
      dataInterval: nil, runAfter: .init(microseconds: 0), queuedAt: .init(microseconds: 0),
      startDate: .init(microseconds: 0), endDate: state == nil ? nil : .init(microseconds: 2_500_000), conf: "{}",
      version: "v")
    return RunProgress(
      run: RunSummary(run),
      moved: moved.map {
        .init(taskID: $0.0, state: $0.1, tryNumber: $0.2, at: .init(microseconds: 1_000_000), reason: $0.3)
      },
      counts: counts, isFinal: state != nil)
  }

  @Test func `off a terminal each movement is a line`() {
    let test = TestSession()
    var view = ProgressView(output: test.session.output)
    view.report(report([("a", .running, 1, nil)], counts: ["running": 1]), now: .init(microseconds: 0))
    view.tick(now: .init(microseconds: 9_000_000))
    view.report(
      report([("a", .upForRetry, 2, "exit code 3")], counts: ["up_for_retry": 1], final: .failed),
      now: .init(microseconds: 0))
    #expect(
      test.output == """
        1970-01-01T00:00:01+00:00 a running
        1970-01-01T00:00:01+00:00 a up_for_retry (try 2): exit code 3

        """)
  }

  @Test func `on a terminal a block is redrawn, and gone at the end`() {
    let test = TestSession(terminalColumns: 60)
    var view = ProgressView(output: test.session.output)
    view.report(
      report([("a", .running, 1, nil)], counts: ["running": 1, "none": 2, "success": 1]),
      now: .init(microseconds: 3_000_000))
    #expect(test.output.contains("1/4  2 waiting, 1 running, 1 success"))
    #expect(test.output.contains("▸ a  2.00 s"))
    view.tick(now: .init(microseconds: 5_000_000))
    #expect(test.output.contains("\u{1B}[3A"))
    view.report(report([("a", .success, 1, nil)], counts: ["success": 4], final: .success), now: .init(microseconds: 0))
    #expect(test.output.hasSuffix("\u{1B}[J"))
  }

  @Test func `on a terminal a failure stays in sight`() {
    let test = TestSession(terminalColumns: 60)
    var view = ProgressView(output: test.session.output)
    view.report(report([("a", .failed, 1, "signal 11")], counts: ["failed": 1]), now: .init(microseconds: 0))
    #expect(test.output.hasPrefix("a failed: signal 11\n"))
  }

  @Test func `the summary says how it ended, how long it took and what became of the tasks`() {
    let progress = report([], counts: ["success": 3, "failed": 1], final: .failed)
    #expect(
      ProgressView.summary(progress.run, counts: progress.counts, style: Style(isColoured: false))
        == "run r1 of nightly: failed after 2.50 s (3 success, 1 failed)")
  }
}
