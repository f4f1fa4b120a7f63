import Control
import Dagrun
import Foundation
import Model
import Scheduling
import Storage
import Testing

@testable import Engine

/// What the core asks of the engine, and what the engine must not do to those who wait for it.
@Suite(.serialized) struct `The engine and its scheduler` {
  private static let past = """
    import Dagrun

    DAG("past") { BashOperator("x", "[ \\(.ds) != 2026-01-01 ]").dependsOnPast() }
    """

  private func date(_ text: String) -> Timestamp { Timestamp(iso8601: text)! }

  private func trigger(_ date: String, _ control: any Control) async throws -> RunSummary {
    let reply = try await control.send(.trigger(dagID: "past", runID: nil, logicalDate: self.date(date), conf: "{}"))
    guard case .run(let run, created: true) = reply else { throw EngineHarness.UnexpectedReply(reply: reply) }
    return run
  }

  @Test(arguments: [false, true])
  func `a task that depends on its past waits for it also after its file was broken`(isRestarted: Bool) async throws {
    let harness = try EngineHarness(["past.swift": Self.past])
    var engine = try await harness.start()
    var control = EngineControl(engine)
    let first = try await trigger("2026-01-01", control)
    #expect(try await control.end(of: first.number).state == .failed)
    for text in ["import Dagrun\nDAG(", Self.past] {
      if isRestarted {
        await engine.stop()
        engine = try await harness.start()
        control = EngineControl(engine)
      }
      try harness.write("past.swift", text)
      _ = try await control.send(.reload)
    }
    let next = try await trigger("2026-01-04", control)
    let reply = try await control.send(.explain(dagID: "past", runID: next.runID, taskID: "x"))
    guard case .reasons(let state, let reasons) = reply else { throw EngineHarness.UnexpectedReply(reply: reply) }
    #expect(state == "none")
    #expect(reasons == ["depends on its past: x of 2026-01-01T00:00:00+00:00 has not succeeded"])
    // Marked by hand, the past holds nothing back any more.
    _ = try await control.send(.setTaskState(dagID: "past", runID: first.runID, taskID: "x", .success))
    #expect(try await control.end(of: next.number).state == .success)
    await engine.stop()
  }

  @Test func `a variable is read when a task starts`() async throws {
    let harness = try EngineHarness([
      "read.swift": """
      import Dagrun

      DAG("read", maxActiveTasks: 1) {
        let a = BashOperator("a", "echo \\(.var("x")) > ../begun; while [ ! -e ../go ]; do sleep 0.02; done; echo \\(.var("x"))")
        let b = BashOperator("b", "echo \\(.var("x"))")
        let c = SwiftOperator("c") { context in context.variables["x"] ?? "" }
        let d = SwiftOperator("d") { context in try context.variable("x") }
        a --> b --> c --> d
      }
      """
    ])
    func set(_ value: String) throws {
      let store = try Store(path: harness.home.databasePath)
      try store.setVariable(Variable(key: "x", value: value, documentation: ""))
      try store.close()
    }
    try set("1")
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let run = try await harness.trigger("read", control)
    #expect(harness.waitFor("begun") == "1\n")
    try set("2")
    try "".write(toFile: harness.folder + "/go", atomically: true, encoding: .utf8)
    let ran = try harness.ran(try await control.end(of: run.number))
    #expect(ran.outputs == ["a": #""1""#, "b": #""2""#, "c": #""2""#, "d": #""2""#])
    await engine.stop()
  }

  @Test func `a regular expression that backtracks without end is refused, and keeps nobody waiting`() async throws {
    let id = String(repeating: "a", count: 38)
    let harness = try EngineHarness([
      "regex.swift": """
      import Dagrun

      DAG("regex", schedule: .daily, startDate: "2030-01-01", params: [.string("p", default: "ab", matching: "(a+)+b")]) {
        EmptyOperator("\(id)")
      }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    func refusal(_ request: ControlRequest) async throws -> String {
      do {
        let reply = try await control.send(request)
        Issue.record("\(reply)")
        return ""
      } catch let refusal as ControlError {
        #expect(refusal.kind == .invalid)
        return refusal.message
      }
    }
    var selection = TaskSelection(dagID: "regex")
    selection.taskRegex = "(a|a)*c"
    #expect(try await refusal(.clear(selection, onNewestVersion: true)).contains("too many steps"))
    var backfill = BackfillParameters(dagID: "regex", fromDate: date("2026-01-01"), toDate: date("2026-01-02"))
    backfill.taskRegex = "(a|a)*c"
    #expect(try await refusal(.backfill(backfill)).contains("too many steps"))
    let conf = #"{"p": "\#(id)c"}"#
    #expect(
      try await refusal(.trigger(dagID: "regex", runID: nil, logicalDate: nil, conf: conf)).contains("too many steps"))
    guard case .status = try await control.send(.ping) else {
      Issue.record("no answer")
      return
    }
    await engine.stop()
  }

  @Test func `a backfill of many dates is answered when all its runs are made`() async throws {
    let harness = try EngineHarness([
      "many.swift": """
      import Dagrun

      DAG("many", schedule: .hourly, startDate: "2030-01-01") { EmptyOperator("x") }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let parameters = BackfillParameters(
      dagID: "many", fromDate: date("2026-01-01"), toDate: date("2026-04-01"))
    guard case .backfill(let number, let rows) = try await control.send(.backfill(parameters)) else {
      Issue.record("no backfill")
      return
    }
    let reader = try StoreReader(path: harness.home.databasePath)
    #expect(rows.count == 2161)
    #expect(try reader.listRuns(RunFilter(dagID: "many")).count == 2161)
    let backfill = try #require(try reader.backfills(dagID: "many").first { $0.number == number })
    #expect(backfill.nextDate == nil)
    await engine.waitUntilIdle()
    #expect(try reader.listRuns(RunFilter(dagID: "many", state: .success)).count == 2161)
    await engine.stop()
  }

  @Test func `a run that stands for the scheduled one says so`() async throws {
    let harness = try EngineHarness([
      "daily.swift": """
      import Dagrun

      DAG("daily", schedule: .daily, startDate: "2030-01-01") { EmptyOperator("x") }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    for (text, stands) in [("2030-01-02", true), ("2029-01-02", false)] {
      let reply = try await control.send(
        .trigger(dagID: "daily", runID: nil, logicalDate: date(text), conf: "{}"))
      guard case .run(let run, created: true) = reply else { throw EngineHarness.UnexpectedReply(reply: reply) }
      #expect(run.standsForScheduled == stands)
      let stored = try StoreReader(path: harness.home.databasePath).run(number: run.number)
      #expect(stored?.standsForScheduled == stands && (stored?.dataInterval != nil) == stands)
    }
    await engine.stop()
  }
}
