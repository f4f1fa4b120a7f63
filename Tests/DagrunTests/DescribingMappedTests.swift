import Dagrun
import Foundation
import Testing

private struct Shard: Codable, Sendable { var id: String }
private struct Uncodable: Sendable {}

extension DescribingTests {
  @Suite struct MappedTests {
    private func problems(_ file: FileDescription) -> [String] { file.problems.map(\.message) }

    private func body(_ taskID: String) -> SwiftTaskBody? { Registry.body(dagID: "shards", taskID: taskID) }

    private func context(_ taskID: String) -> TaskContext {
      TaskContext(
        run: RunContext(dagID: "shards", runID: "r", runAfter: Timestamp(iso8601: "2026-01-01T00:00:00Z")!),
        taskID: taskID, tryNumber: 1, mapIndex: 0)
    }

    private func text(_ data: Data?) -> String? { data.map { String(decoding: $0, as: UTF8.self) } }

    @Test func `a task is mapped over the output of another`() throws {
      let file = describing {
        DAG("shards") {
          let files = SwiftOperator("list") { _ in [Shard(id: "a")] }
          let rows = SwiftOperator("rows", each: files.output, limit: 4) { _, shard in shard.id.count }
          SwiftOperator("total", rows.output) { _, rows in rows.reduce(0, +) }
        }
      }
      #expect(problems(file).isEmpty)
      let rows = file.dags[0].tasks[1]
      #expect(rows.mapping == TaskMapping([.output(taskID: "list")]))
      #expect(rows.upstream == ["list"] && rows.inputs.isEmpty && rows.maxActivePerRun == 4)
      #expect(file.dags[0].tasks[2].inputs == ["rows"])
      let encoded = try JSONEncoder().encode(file)
      #expect(try JSONDecoder().decode(FileDescription.self, from: encoded) == file)
    }

    @Test func `the closure gets its element first, then whole outputs`() async throws {
      let file = describing {
        DAG("shards") {
          let files = SwiftOperator("list") { _ in [Shard(id: "a")] }
          let total = SwiftOperator("total") { _ in 7 }
          let name = SwiftOperator("name") { _ in "n" }
          SwiftOperator("rows", each: files.output, total.output, name.output) { context, shard, total, name in
            "\(shard.id) \(total) \(name) \(context.mapIndex ?? -1)"
          }
          SwiftOperator("quiet", each: files.output, total.output) { _, _, _ in }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[3].inputs == ["total", "name"])
      let inputs = [#"{"id":"a"}"#, "7", #""n""#].map { Data($0.utf8) }
      #expect(text(try await body("rows")?(context("rows"), inputs)) == #""a 7 n 0""#)
      let nothing = try await body("quiet")?(context("quiet"), inputs)
      #expect(nothing == .some(nil))
      await #expect(throws: InputMismatch.self) {
        try await body("rows")?(context("rows"), [Data("3".utf8)] + inputs.dropFirst())
      }
    }

    @Test func `a task is mapped over each element of one list with each of another`() async throws {
      let file = describing {
        DAG("shards") {
          let files = SwiftOperator("list") { _ in [Shard(id: "a")] }
          SwiftOperator("both", each: files.output, by: [1, 2]) { _, shard, number in "\(shard.id)\(number)" }
          SwiftOperator("quiet", each: files.output, by: [1, 2]) { _, _, _ in }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[1].mapping == TaskMapping([.output(taskID: "list"), .literal(["1", "2"])]))
      let inputs = [#"{"id":"a"}"#, "2"].map { Data($0.utf8) }
      #expect(text(try await body("both")?(context("both"), inputs)) == #""a2""#)
    }

    @Test func `a task is mapped over an array of the file`() {
      let file = describing {
        DAG("shards") {
          SwiftOperator("greet", each: ["eu", "us"]) { _, region in "hello \(region)" }
          SwiftOperator("none", each: [Int]()) { _, number in number }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[0].mapping == TaskMapping([.literal([#""eu""#, #""us""#])]))
      #expect(file.dags[0].tasks[1].mapping == TaskMapping([.literal([])]))
    }

    @Test func `a shell task is mapped, and its script is made of the element`() async throws {
      let file = describing {
        DAG("shards") {
          let files = SwiftOperator("list") { _ in [Shard(id: "a")] }
          let total = SwiftOperator("total") { _ in 7 }
          let load = BashOperator("load", each: files.output, total.output, limit: 2, workingDirectory: "/x") {
            shard, total in
            "load.sh \(shard.id) \(total) --day \(.ds) \(.mapIndex)"
          }
          BashOperator("both", each: files.output, by: [1, 2]) { shard, number in "echo \(shard.id) \(number)" }
          SwiftOperator("lines", load.output) { _, lines in lines.joined() }
          SwiftOperator("numbers", load.output(as: [Int].self)) { _, numbers in numbers.reduce(0, +) }
          SwiftOperator("halves", each: load.output(as: [Int].self)) { _, number in number / 2 }
        }
      }
      #expect(problems(file).isEmpty)
      let load = file.dags[0].tasks[2]
      #expect(load.work == .madeScript && load.operatorName == "BashOperator" && load.workingDirectory == "/x")
      #expect(load.upstream == ["list", "total"] && load.inputs == ["total"] && load.maxActivePerRun == 2)
      #expect(load.mapping == TaskMapping([.output(taskID: "list")]))
      let encoded = try JSONEncoder().encode(file)
      #expect(try JSONDecoder().decode(FileDescription.self, from: encoded) == file)

      let inputs = [#"{"id":"a b"}"#, "7"].map { Data($0.utf8) }
      #expect(text(try await body("load")?(context("load"), inputs)) == "load.sh 'a b' '7' --day '2026-01-01' '0'")
      #expect(text(try await body("both")?(context("both"), inputs)) == "echo 'a b' '7'")
      // What a shell task hands on is text.
      #expect(text(try await body("numbers")?(context("numbers"), [Data(#"["1","2"]"#.utf8)])) == "3")
      #expect(text(try await body("halves")?(context("halves"), [Data(#""8""#.utf8)])) == "4")
      #expect(text(try await body("lines")?(context("lines"), [Data(#"["1","2"]"#.utf8)])) == #""12""#)
    }

    @Test func `a script is made of the outputs of other tasks`() async throws {
      let file = describing {
        DAG("shards") {
          let name = SwiftOperator("name") { _ in "n" }
          let total = SwiftOperator("total") { _ in 7 }
          BashOperator("one", name.output, triggerRule: .allDone) { name in "echo \(name)" }
          BashOperator("two", name.output, total.output) { name, total in "echo \(name) \(total)" }
          BashOperator("three", name.output, total.output, name.output) { _, total, name in
            if total > 9 { throw TaskSkip("too many") }
            return "echo \(name)"
          }
          let captured: Template = "echo \(total.output)"
          BashOperator("captured", name.output) { _ in captured }
        }
      }
      #expect(problems(file).isEmpty)
      #expect(file.dags[0].tasks[2].inputs == ["name"] && file.dags[0].tasks[2].triggerRule == .allDone)
      #expect(file.dags[0].tasks[3].upstream == ["name", "total"])
      let inputs = [#""it's""#, "7", #""$HOME""#].map { Data($0.utf8) }
      #expect(text(try await body("two")?(context("two"), inputs)) == #"echo 'it'\''s' '7'"#)
      #expect(text(try await body("three")?(context("three"), inputs)) == "echo '$HOME'")
      let error = await #expect(throws: RenderError.self) {
        try await body("captured")?(context("captured"), inputs)
      }
      #expect(
        error?.description
          == "the script uses the output of task \"total\" without having its value: make it an argument of the closure"
      )
    }

    @Test func `what cannot be mapped is said where it stands`() {
      let file = describing {
        var stray: Output<[Int]>?
        DAG("other") { stray = SwiftOperator("numbers") { _ in [1] }.output }
        DAG("shards") {
          let list = SwiftOperator("list") { _ in [1] }
          SwiftOperator("foreign", each: stray!) { _, number in number }
          SwiftOperator("infinite", each: [1, Double.infinity]) { _, number in number }
          SwiftOperator("uncodable", each: list.output) { _, number in Uncodable() }
          SwiftOperator("limited", each: list.output, limit: 0) { _, number in number }
        }
      }
      #expect(
        problems(file) == [
          "task \"foreign\" of DAG \"shards\" cannot come after task \"numbers\" of DAG \"other\": an edge joins tasks of "
            + "one DAG",
          "task \"infinite\" is mapped over a list with a value that JSON cannot hold, such as a number that is not finite",
          "the value of an instance of task \"uncodable\" is a Uncodable, which is not Codable, so it cannot be stored and "
            + "handed on; make it Codable, or return nothing",
          "task \"limited\": limit: is 0; it must be 1 or more",
        ])
    }
  }

  @Suite struct TaskMappingTests {
    @Test func `of several lists, each element meets each, in the order of the first`() {
      let mapping = TaskMapping([.literal([]), .literal([])])
      #expect(mapping.count([2, 3]) == 6 && mapping.count([0, 3]) == 0)
      #expect(
        (0..<6).map { mapping.indices(at: $0, [2, 3]) } == [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]])
      #expect(mapping.count([.max, 2]) == .max)
    }

    @Test func `in pairs, as far as the shortest list has elements`() {
      let mapping = TaskMapping([.literal([]), .literal([])], .pairs)
      #expect(mapping.count([2, 3]) == 2 && mapping.indices(at: 1, [2, 3]) == [1, 1])
    }
  }
}
