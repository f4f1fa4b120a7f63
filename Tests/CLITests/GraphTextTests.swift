import Dagrun
import Testing

@testable import CLI

@Suite struct GraphTextTests {
  private let diamond: DAGDescription = {
    var dag = DAGDescription(id: "d\"1", location: .init(file: "d.swift", line: 1))
    func task(_ id: String, _ upstream: [String]) -> TaskDescription {
      var task = TaskDescription(id: id, work: .empty, location: .init(file: "d.swift", line: 2))
      task.upstream = upstream
      return task
    }
    dag.tasks = [
      task("a", []), task("b", ["a"]), task("c", ["a"]), task("d", ["b", "c"]), task("e", ["d"]), task("f", []),
    ]
    return dag
  }()

  @Test func `a tree draws a join once`() {
    #expect(
      GraphText(diamond).tree() == """
        a
        ├─ b
        │  └─ d
        │     └─ e
        └─ c
           └─ d  ↑
        f

        """)
  }

  @Test func `dot quotes names`() {
    let text = GraphText(diamond).dot()
    #expect(text.hasPrefix("digraph \"d\\\"1\" {\n"))
    #expect(text.contains("  \"b\" -> \"d\";\n"))
  }

  @Test func `mermaid numbers its nodes`() {
    let text = GraphText(diamond).mermaid()
    #expect(text.hasPrefix("flowchart LR\n  t0[\"a\"]\n"))
    #expect(text.contains("  t2 --> t3\n"))
  }
}
