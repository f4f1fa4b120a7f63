import Control
import Dagrun
import Model
import Storage
import Testing

@testable import Engine

/// From a DAG file to the values that instances and those after them get, through real workers.
@Suite(.serialized) struct `Mapped tasks in the engine` {
  private func end(
    _ control: any Control, _ dagID: String
  ) async throws -> RunSummary {
    let reply = try await control.send(.trigger(dagID: dagID, runID: "r", logicalDate: nil, conf: "{}"))
    guard case .run(let run, _) = reply else { throw EngineHarness.UnexpectedReply(reply: reply) }
    return try await control.end(of: run.number)
  }

  private func outputs(_ harness: EngineHarness, _ taskIDs: String...) throws -> [String: String] {
    let store = try Store(path: harness.home.databasePath)
    defer { try? store.close() }
    return try store.outputs(run: 1, taskIDs)
  }

  @Test func `each instance has its element, and what comes after has the list`() async throws {
    let harness = try EngineHarness([
      "rows.swift": """
      import Dagrun

      struct Shard: Codable, Sendable { var name: String; var rows: Int }

      DAG("rows") {
        let list = SwiftOperator("list") { _ in
          [Shard(name: "a, [b]", rows: 1), Shard(name: "skipped", rows: 0), Shard(name: "\\"c\\"", rows: 3)]
        }
        let factor = SwiftOperator("factor") { _ in 10 }
        let rows = SwiftOperator("rows", each: list.output, factor.output, limit: 2) { context, shard, factor in
          if shard.rows == 0 { throw TaskSkip() }
          return "\\(context.mapIndex!) \\(shard.name) \\(shard.rows * factor)"
        }
        let lengths = SwiftOperator("lengths", each: rows.output, triggerRule: .noneFailed) { _, text in text.count }
        SwiftOperator("total", rows.output, lengths.output, triggerRule: .noneFailed) { _, rows, lengths in
          rows.joined(separator: "; ") + " \\(lengths)"
        }
        let words = BashOperator("words", "echo '[1, 2]'")
        let doubled = SwiftOperator("doubled", each: words.output(as: [Int].self)) { _, number in number * 2 }
        BashOperator("all", "echo \\(doubled.output) \\(.mapIndex)")
      }
      """
    ])
    let engine = try await harness.start()
    let run = try await end(EngineControl(engine), "rows")
    await engine.stop()
    #expect(run.state == .success)
    #expect(
      try outputs(harness, "total", "all") == [
        "total": #""0 a, [b] 10; 2 \"c\" 30 [11, 10]""#, "all": #""[2,4] -1""#,
      ])
  }

  @Test func `an empty list and a list of the file`() async throws {
    let harness = try EngineHarness([
      "lists.swift": """
      import Dagrun

      DAG("lists") {
        let none = SwiftOperator("none") { _ in [Int]() }
        let nothing = SwiftOperator("nothing", each: none.output) { _, number in number }
        SwiftOperator("sum", nothing.output, triggerRule: .allDone) { _, numbers in numbers.reduce(0, +) }
        let regions = SwiftOperator("regions", each: ["eu", "us"]) { _, region in region.uppercased() }
        SwiftOperator("both", regions.output) { _, regions in regions }
      }
      """
    ])
    let engine = try await harness.start()
    let run = try await end(EngineControl(engine), "lists")
    await engine.stop()
    #expect(run.state == .success)
    #expect(try outputs(harness, "sum", "both") == ["sum": "0", "both": #"["EU","US"]"#])
  }
}
