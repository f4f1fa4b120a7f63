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
        "total": #""0 a, [b] 10; 2 \"c\" 30 [11, 8]""#, "all": #""[2,4] -1""#,
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

  @Test func `scripts are made of elements, and one that fails keeps the others' lines`() async throws {
    let harness = try EngineHarness([
      "shell.swift": """
      import Dagrun

      struct Shard: Codable, Sendable { var name: String; var rows: Int }

      DAG("shell") {
        let list = SwiftOperator("list") { _ in [Shard(name: "it's", rows: 1), Shard(name: "b", rows: 0), Shard(name: "c", rows: 3)] }
        let load = BashOperator("load", each: list.output, by: [10, 20], environment: ["INDEX": "\\(.mapIndex)"]) { shard, factor in
          "test \\(shard.rows) -gt 0 && echo \\(shard.name) \\(shard.rows * factor) $INDEX $DAGRUN_MAP_INDEX \\(.taskID)"
        }
        SwiftOperator("lines", load.output, triggerRule: .allDone) { _, lines in lines }
        let sizes = BashOperator("sizes", each: list.output, limit: 1) { shard in "echo \\(shard.rows)" }
        let sum = SwiftOperator("sum", sizes.output(as: [Int].self)) { _, sizes in sizes.reduce(0, +) }
        BashOperator("tell", sum.output) { sum in "echo \\(sum * 2)" }
      }
      """
    ])
    let ran = try await harness.run("shell")
    #expect(ran.run.state == .success)
    #expect(ran.states["load[2]"] == .failed && ran.states["load[3]"] == .failed && ran.states["load[5]"] == .success)
    let lines = #"["it's 10 0 0 load","it's 20 1 1 load","c 30 4 4 load","c 60 5 5 load"]"#
    #expect(ran.outputs["lines"] == lines && ran.outputs["sum"] == "4" && ran.outputs["tell"] == #""8""#)
    #expect(ran.logs["load[5]"] == "c 60 5 5 load\n")
  }

  @Test func `what is not a list, and one that is too long, fail the task with words`() async throws {
    let harness = try EngineHarness([
      "wrong.swift": """
      import Dagrun

      DAG("wrong") {
        let words = BashOperator("words", "echo one, two")
        SwiftOperator("mapped", each: words.output(as: [String].self)) { _, word in word }
        let other = BashOperator("other", "echo '[1, \\"two\\"]'")
        SwiftOperator("typed", each: other.output(as: [Int].self)) { _, number in number }
        SwiftOperator("long", each: Array(0..<2000)) { _, number in number }
      }
      """
    ])
    let ran = try await harness.run("wrong")
    #expect(ran.tasks["mapped"]?.reason == "it is mapped over the output of words, which is not a list")
    #expect(
      ran.tasks["long"]?.reason
        == "it is mapped over 2000 elements, and --max-map-length allows 1024")
    #expect(ran.states["typed[0]"] == .success)
    #expect(
      ran.tasks["typed[1]"]?.reason?.contains("the element of the output of task \"other\" is not of type Int") == true)
  }

  @Test func `one instance is cleared, and what comes after it with it`() async throws {
    let harness = try EngineHarness([
      "again.swift": """
      import Dagrun

      DAG("again") {
        let rows = SwiftOperator("rows", each: ["a", "b", "c"]) { context, row in row }
        let total = SwiftOperator("total", rows.output) { _, rows in rows.count }
        BashOperator("tell", "echo \\(total.output)")
      }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let run = try await control.end(of: try await harness.trigger("again", control).number)
    var selection = TaskSelection(dagID: "again")
    (selection.runID, selection.taskRegex, selection.mapIndex) = (run.runID, "^rows$", 1)
    selection.withDownstream = true
    guard case .cleared(let cleared) = try await control.send(.clear(selection, onNewestVersion: true)) else {
      Issue.record("nothing was cleared")
      return
    }
    #expect(
      cleared.map { TaskInstanceKey(run: 0, taskID: $0.taskID, mapIndex: $0.mapIndex).name }
        == ["rows[1]", "total", "tell"])
    let ran = try harness.ran(try await control.end(of: run.number))
    #expect(ran.tasks["rows[1]"]?.instance.tryNumber == 2 && ran.tasks["rows[0]"]?.instance.tryNumber == 1)

    for (regex, index, words) in [
      ("^rows$", 3, "there is no instance 3: rows has 3 instances, from 0"),
      ("^total$", 0, "total is not mapped: leave out the map index"),
    ] {
      (selection.taskRegex, selection.mapIndex) = (regex, Int32(index))
      let refusal = await #expect(throws: ControlError.self) {
        try await control.send(.clear(selection, onNewestVersion: true))
      }
      #expect(refusal?.message == words)
    }
    await engine.stop()
  }
}
