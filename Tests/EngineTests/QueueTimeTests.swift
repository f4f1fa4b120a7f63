import Control
import Dagrun
import Foundation
import Model
import Scheduling
import Synchronization
import Testing

@testable import Engine

/// Whoever may send a request cannot stop the scheduler with one: each takes the engine's queue for some milliseconds.
@Suite(.serialized) struct `A request` {
  /// Of the thread's own time, so that a busy machine changes little. The optimized build is more than ten times as
  /// fast; what was reported took seconds, or had no end.
  #if DEBUG
    private static let mostSeconds = 0.25
  #else
    private static let mostSeconds = 0.01
  #endif

  private final class Clock: Sendable {
    private let longest = Mutex<[String: Double]>([:])
    func add(_ request: ControlRequest, _ seconds: Double) {
      let name = "\("\(request)".prefix(200))"
      longest.withLock { $0[name] = max($0[name] ?? 0, seconds) }
    }
    var all: [String: Double] { longest.withLock { $0 } }
  }

  private static let dags = """
    import Dagrun

    DAG("minutely", schedule: .cron("* * * * *"), startDate: "2020-01-01", maxActiveRuns: 1) {
      BashOperator("a", "true").pool("closed")
    }
    DAG("guarded", params: [.string("p", default: "ab", matching: "(a+)+b")]) { EmptyOperator("a") }
    DAG("wide") {
      for number in 0..<500 { BashOperator("t\\(number)", "true").pool("closed") }
    }
    DAG("a_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa") {
      BashOperator("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "true").pool("closed")
    }
    """

  private static func requests() -> [ControlRequest] {
    let times = [Timestamp(iso8601: "2020-01-01T00:00:00Z")!, Timestamp(iso8601: "2026-11-01T00:00:00Z")!]
    let attacked = "a_" + String(repeating: "a", count: 55)
    func backfill(_ dagID: String, _ from: Timestamp, _ to: Timestamp, regex: String? = nil, isDryRun: Bool)
      -> ControlRequest
    {
      var parameters = BackfillParameters(dagID: dagID, fromDate: from, toDate: to)
      parameters.taskRegex = regex
      parameters.isDryRun = isDryRun
      return .backfill(parameters)
    }
    func clear(_ dagID: String, regex: String? = nil, isDryRun: Bool = false) -> ControlRequest {
      var selection = TaskSelection(dagID: dagID)
      selection.taskRegex = regex
      selection.withUpstream = true
      selection.withDownstream = true
      selection.isDryRun = isDryRun
      return .clear(selection, onNewestVersion: false)
    }
    let patterns = ["(a|a)*c", "(a+)+c", "(a*)*c", "((((a?){30}){30}){30})c", "a{1000}{1000}", "("]
    var all: [ControlRequest] = [.ping, .setPool(name: "closed", slots: 0, documentation: "", includeDeferred: false)]
    // What is asked for is counted before it is built.
    for isDryRun in [true, false] {
      all.append(backfill("minutely", times[0], times[1], isDryRun: isDryRun))
      all.append(backfill("minutely", .init(microseconds: .min), .init(microseconds: .max), isDryRun: isDryRun))
      all.append(backfill("minutely", times[0], times[0].adding(seconds: 4000 * 60), isDryRun: isDryRun))
    }
    for pattern in patterns {
      all.append(backfill("minutely", times[0], times[0], regex: pattern, isDryRun: true))
      all.append(clear(attacked, regex: pattern))
    }
    // Values, long and hard to match.
    for value in [String(repeating: "a", count: 50) + "c", String(repeating: "a", count: 1_000_000)] {
      all.append(.trigger(dagID: "guarded", runID: nil, logicalDate: nil, conf: "{\"p\": \"\(value)\"}"))
    }
    all.append(.trigger(dagID: "guarded", runID: nil, logicalDate: nil, conf: String(repeating: "[", count: 100_000)))
    all.append(.trigger(dagID: "wide", runID: "r", logicalDate: nil, conf: "{}"))
    all.append(.trigger(dagID: String(repeating: "x", count: 1_000_000), runID: nil, logicalDate: nil, conf: "{}"))
    all.append(.trigger(dagID: attacked, runID: "r", logicalDate: nil, conf: "{}"))
    all.append(.explain(dagID: "wide", runID: "r", taskID: "t499"))
    all.append(.waiting(runs: Array(1...100_000)))
    all.append(.setTaskState(dagID: "wide", runID: "r", taskID: "t1", .success))
    all += [clear("wide", isDryRun: true), clear("wide"), clear("minutely", isDryRun: true)]
    all.append(.setRunState(dagID: "wide", runID: "r", .failed))
    all += [.cancelBackfill(number: 1), .setPaused(dagID: "wide", true), .deleteDAG(dagID: "wide")]
    return all
  }

  @Test func `takes the queue for a few milliseconds, whatever it asks for`() async throws {
    let harness = try EngineHarness(["dags.swift": Self.dags])
    let clock = Clock()
    harness.onQueueTime = { clock.add($0, $1) }
    let engine = try await harness.start()
    let control = EngineControl(engine)
    for request in Self.requests() { _ = try? await control.send(request) }
    await engine.stop()
    let all = clock.all.sorted { $0.value > $1.value }
    print("longest on the queue: \(all.prefix(3).map { "\(Int($0.value * 1e6)) µs \($0.key.prefix(60))" })")
    #expect(all.count > 25)
    for (request, seconds) in all { #expect(seconds < Self.mostSeconds, "\(request): \(seconds) s") }
  }
}
