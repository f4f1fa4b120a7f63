import Dagrun

/// A DAG's tasks and edges as text.
struct GraphText {
  private let dag: DAGDescription
  private let graph: TaskGraph
  private let downstream: [[TaskGraph.Edge]]

  /// - Parameter opensGroups: draws the tasks in groups, and not each group as one node.
  init(_ dag: DAGDescription, opensGroups: Bool = false) {
    self.dag = dag
    graph = TaskGraph(dag, opensGroups: opensGroups)
    var downstream = [[TaskGraph.Edge]](repeating: [], count: graph.nodes.count)
    for edge in graph.edges { downstream[edge.source].append(edge) }
    self.downstream = downstream
  }

  // MARK: Tree

  /// What waits for a task is indented below it. A task with several upstreams is drawn out once, and named with an
  /// arrow where it comes up again.
  func tree() -> String {
    var text = ""
    var drawn: Set<Int> = []
    let targets = Set(graph.edges.map(\.target))
    for root in graph.nodes.indices where !targets.contains(root) {
      draw(root, prefix: "", branch: "", cases: [], isLast: true, drawn: &drawn, into: &text)
    }
    // Groups that wait for each other's tasks: their nodes are a cycle, though their tasks are not.
    for node in graph.nodes.indices where !drawn.contains(node) {
      draw(node, prefix: "", branch: "", cases: [], isLast: true, drawn: &drawn, into: &text)
    }
    return text
  }

  private func draw(
    _ node: Int, prefix: String, branch: String, cases: [String], isLast: Bool, drawn: inout Set<Int>,
    into text: inout String
  ) {
    let children = downstream[node]
    text += prefix + branch + graph.nodes[node].label
    if !cases.isEmpty { text += "  when \(cases.joined(separator: ", "))" }
    guard drawn.insert(node).inserted else {
      text += children.isEmpty ? "\n" : "  ↑\n"
      return
    }
    text += "\n"
    let indent = branch.isEmpty ? "" : prefix + (isLast ? "   " : "│  ")
    for (index, child) in children.enumerated() {
      let isLast = index == children.count - 1
      draw(
        child.target, prefix: indent, branch: isLast ? "└─ " : "├─ ", cases: child.cases, isLast: isLast, drawn: &drawn,
        into: &text)
    }
  }

  // MARK: Graphviz

  /// For Graphviz: `dagrun dags show nightly -f dot | dot -Tsvg`.
  func dot() -> String {
    func quoted(_ text: String) -> String {
      "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
    var text = "digraph \(quoted(dag.id)) {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n"
    frame(
      into: &text, begin: { "subgraph \(quoted("cluster_" + $0.id)) {\n  label=\(quoted($0.name));" }, end: "}",
      node: { _, node in
        quoted(node.id) + (node.isGroup ? " [shape=folder, style=solid, label=\(quoted(node.label))];" : ";")
      })
    for edge in graph.edges {
      let label = edge.cases.isEmpty ? "" : " [label=\(quoted(edge.cases.joined(separator: ", ")))]"
      text += "  \(quoted(graph.nodes[edge.source].id)) -> \(quoted(graph.nodes[edge.target].id))\(label);\n"
    }
    return text + "}\n"
  }

  // MARK: Mermaid

  /// For Markdown pages. Task ids may hold what mermaid does not take as a name, so nodes are numbered.
  func mermaid() -> String {
    func quoted(_ text: String) -> String { "\"\(text.map { $0 == "\"" ? "#quot;" : String($0) }.joined())\"" }
    var text = "flowchart LR\n"
    let numbers = Dictionary(graph.groups.enumerated().map { ($1.id, $0) }) { first, _ in first }
    frame(
      into: &text, begin: { "subgraph g\(numbers[$0.id] ?? 0)[\(quoted($0.name))]" }, end: "end",
      node: { "t\($0)" + ($1.isGroup ? "[[\(quoted($1.label))]]" : "[\(quoted($1.label))]") })
    for edge in graph.edges {
      let label = edge.cases.isEmpty ? "" : "|\(quoted(edge.cases.joined(separator: ", ")))|"
      text += "  t\(edge.source) -->\(label) t\(edge.target)\n"
    }
    return text
  }

  /// Writes each node, in frames for the open groups around it.
  private func frame(
    into text: inout String, begin: (TaskGroupDescription) -> String, end: String,
    node line: (Int, TaskGraph.Node) -> String
  ) {
    let nodes = Dictionary(grouping: graph.nodes.indices) { graph.nodes[$0].groupID }
    let groups = Dictionary(grouping: graph.groups, by: \.parentID)
    func write(_ groupID: String, indent: String, into text: inout String) {
      for number in nodes[groupID] ?? [] { text += indent + line(number, graph.nodes[number]) + "\n" }
      for group in groups[groupID] ?? [] {
        text += indent + begin(group).replacing("\n", with: "\n" + indent) + "\n"
        write(group.id, indent: indent + "  ", into: &text)
        text += indent + end + "\n"
      }
    }
    write("", indent: "  ", into: &text)
  }
}

extension TaskGroupDescription {
  /// Without the ids of the groups around it.
  fileprivate var name: String {
    id.hasPrefix(parentID + ".") ? String(id.dropFirst(parentID.count + 1)) : id
  }
}
