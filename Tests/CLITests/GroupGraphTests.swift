import Testing

@testable import CLI
@testable import Dagrun

/// How `dags show` draws groups and the cases of branches.
@Suite struct GroupGraphTests {
  private static let place = SourceLocation(file: "d.swift", line: 1)

  private static func task(_ id: String, _ upstream: [String] = [], group: String = "") -> TaskDescription {
    var task = TaskDescription(id: id, work: .empty, location: place)
    task.upstream = upstream
    task.groupID = group
    return task
  }

  private static func group(_ id: String, in parent: String = "") -> TaskGroupDescription {
    TaskGroupDescription(id: id, parentID: parent, prefix: id + ".", documentation: "", location: place)
  }

  private static let dag: DAGDescription = {
    var dag = DAGDescription(id: "d", location: place)
    dag.groups = [group("g"), group("g.h", in: "g")]
    dag.tasks = [
      task("a"), task("g.b", ["a"], group: "g"), task("g.h.c", ["g.b"], group: "g.h"), task("d", ["g.h.c", "a"]),
    ]
    dag.tasks[0].decision = .branch(cases: ["left": ["g.b"], "right": ["d"], "both": ["g.b", "d"]])
    return dag
  }()

  @Test func `a group is drawn as one, with the cases that lead to it`() {
    #expect(
      GraphText(Self.dag).tree() == """
        a
        ├─ g (2 tasks)  when both, left
        │  └─ d
        └─ d  when both, right

        """)
    #expect(
      GraphText(Self.dag).dot() == """
        digraph "d" {
          rankdir=LR;
          node [shape=box, style=rounded];
          "a";
          "g" [shape=folder, style=solid, label="g (2 tasks)"];
          "d";
          "a" -> "g" [label="both, left"];
          "g" -> "d";
          "a" -> "d" [label="both, right"];
        }

        """)
    #expect(
      GraphText(Self.dag).mermaid() == """
        flowchart LR
          t0["a"]
          t1[["g (2 tasks)"]]
          t2["d"]
          t0 -->|"both, left"| t1
          t1 --> t2
          t0 -->|"both, right"| t2

        """)
  }

  @Test func `an open group frames its tasks`() {
    let graph = GraphText(Self.dag, opensGroups: true)
    #expect(graph.tree().hasPrefix("a\n├─ g.b  when both, left\n│  └─ g.h.c\n│     └─ d\n"))
    #expect(
      graph.dot().contains(
        """
          "d";
          subgraph "cluster_g" {
            label="g";
            "g.b";
            subgraph "cluster_g.h" {
              label="h";
              "g.h.c";
            }
          }

        """))
    #expect(
      graph.mermaid().contains(
        """
          subgraph g0["g"]
            t1["g.b"]
            subgraph g1["h"]
              t2["g.h.c"]
            end
          end

        """))
  }

  @Test func `groups that wait for each other's tasks are drawn all the same`() {
    var dag = DAGDescription(id: "d", location: Self.place)
    dag.groups = [Self.group("g"), Self.group("h")]
    dag.tasks = [
      Self.task("g.a", group: "g"), Self.task("h.a", ["g.a"], group: "h"), Self.task("h.b", group: "h"),
      Self.task("g.b", ["h.b"], group: "g"),
    ]
    #expect(GraphText(dag).tree() == "g (2 tasks)\n└─ h (2 tasks)\n   └─ g (2 tasks)  ↑\n")
  }
}
