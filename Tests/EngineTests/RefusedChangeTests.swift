import Control
import Dagrun
import Foundation
import GRDB
import Model
import Scheduling
import Storage
import Testing

@testable import Engine

/// What the database refuses for good stays with the request or the DAG that it is about.
@Suite(.serialized) struct `A change that the database refuses` {
  private static let files = [
    "bad.swift": """
    import Dagrun

    DAG("bad", schedule: .daily, startDate: "2026-01-01") { BashOperator("x", "echo ran | tee ../ran") }
    """,
    "good.swift": """
    import Dagrun

    DAG("good") { BashOperator("x", "echo fine") }
    """,
  ]

  private func execute(_ sql: String, in harness: EngineHarness) throws {
    let queue = try DatabaseQueue(path: harness.home.databasePath)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  /// A home whose database has seen both DAGs, and no run.
  private func harness() async throws -> EngineHarness {
    let harness = try EngineHarness(Self.files)
    let engine = try await harness.start(.offline)
    _ = try await EngineControl(engine).send(.reload)
    await engine.stop()
    return harness
  }

  @Test(arguments: [
    "INSERT ON dag_run WHEN NEW.dag_id = 'bad'", "UPDATE ON dag_run WHEN NEW.dag_id = 'bad'",
    "UPDATE ON dag WHEN NEW.dag_id = 'bad'",
    "INSERT ON task_instance WHEN (SELECT dag_id FROM dag_run WHERE id = NEW.run) = 'bad'",
    "UPDATE ON task_instance WHEN (SELECT dag_id FROM dag_run WHERE id = NEW.run) = 'bad'",
    "INSERT ON xcom WHEN (SELECT dag_id FROM dag_run WHERE id = NEW.run) = 'bad'",
  ])
  func `stops no other DAG, whatever it is`(change: String) async throws {
    let harness = try await harness()
    try execute(
      "CREATE TRIGGER refuse BEFORE \(change) BEGIN SELECT RAISE(ABORT, 'refused by the test'); END", in: harness)
    let engine = try await harness.start()
    let control = EngineControl(engine)
    _ = try await control.send(.reload)
    if !change.hasPrefix("INSERT ON dag_run"), !change.hasPrefix("INSERT ON task"), !change.hasPrefix("UPDATE ON dag ")
    {
      _ = harness.waitFor("ran")
    }
    do {
      _ = try await control.send(.trigger(dagID: "bad", runID: "mine", logicalDate: nil, conf: "{}"))
    } catch let refusal as ControlError {
      #expect(refusal.kind == .unavailable && refusal.message.contains("defect of dagrun"))
      #expect(refusal.message.contains("refused by the test"))
    }
    for number in 1...2 {
      let run = try await harness.trigger("good", control)
      #expect(try await control.end(of: run.number).state == .success, "run \(number)")
    }
    await engine.stop()
  }

  @Test func `an output that cannot be stored fails its try, and the run ends`() async throws {
    let harness = try await harness()
    try execute(
      "CREATE TRIGGER refuse BEFORE INSERT ON xcom BEGIN SELECT RAISE(ABORT, 'refused by the test'); END", in: harness)
    let ran = try await harness.run("good")
    #expect(ran.run.state == .failed)
    #expect(ran.tasks["x"]?.reason == "its result could not be stored: refused by the test")
  }

  @Test func `an id that an older dagrun let somebody give is not given again`() async throws {
    let harness = try await harness()
    let offline = try await harness.start(.offline)
    _ = try await EngineControl(offline).send(.trigger(dagID: "bad", runID: "mine", logicalDate: nil, conf: "{}"))
    await offline.stop()
    let today = Timestamp(Date()).iso8601.prefix(10)
    try execute("UPDATE dag_run SET run_id = 'scheduled__\(today)T00:00:00+00:00'", in: harness)
    let engine = try await harness.start()
    let control = EngineControl(engine)
    _ = try await control.send(.reload)
    let runs = try StoreReader(path: harness.home.databasePath).listRuns()
    #expect(runs.map(\.runID).contains("scheduled__\(today)T00:00:00+00:00_2"))
    let run = try await harness.trigger("good", control)
    #expect(try await control.end(of: run.number).state == .success)
    await engine.stop()
  }

  @Test func `ids that are made are not those of runs that have ended`() async throws {
    let harness = try EngineHarness(["e.swift": "import Dagrun\nDAG(\"e\") { EmptyOperator(\"x\") }\n"])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let date = try #require(Timestamp(iso8601: "2026-03-01T00:00:00Z"))
    for runID in ["manual__2026-03-01T00:00:00+00:00", "manual__2026-03-01T00:00:00+00:00_2"] {
      _ = try await control.send(.trigger(dagID: "e", runID: runID, logicalDate: nil, conf: "{}"))
    }
    let reply = try await control.send(.trigger(dagID: "e", runID: nil, logicalDate: date, conf: "{}"))
    guard case .run(let run, created: true) = reply else {
      Issue.record("\(reply)")
      return
    }
    #expect(run.runID == "manual__2026-03-01T00:00:00+00:00_3")
    for runID in ["scheduled__x", "backfill__x", "asset_triggered__x", "latest"] {
      await #expect(throws: ControlError.self, "\(runID)") {
        try await control.send(.trigger(dagID: "e", runID: runID, logicalDate: nil, conf: "{}"))
      }
    }
    await engine.stop()
  }
}
