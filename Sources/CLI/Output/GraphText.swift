import Dagrun

/// A DAG's tasks and edges as text.
struct GraphText {
  let dag: DAGDescription
  private let downstream: [String: [String]]

  init(_ dag: DAGDescription) {
    self.dag = dag
    var downstream: [String: [String]] = [:]
    for task in dag.tasks {
      for upstream in task.upstream { downstream[upstream, default: []].append(task.id) }
    }
    self.downstream = downstream
  }

  /// What waits for a task is indented below it. A task with several upstreams is drawn out once, and named with an
  /// arrow where it comes up again.
  func tree() -> String {
    var text = ""
    var drawn: Set<String> = []
    let roots = dag.tasks.filter(\.upstream.isEmpty)
    for (index, root) in roots.enumerated() {
      draw(root.id, prefix: "", branch: "", isLast: index == roots.count - 1, drawn: &drawn, into: &text)
    }
    return text
  }

  private func draw(
    _ taskID: String, prefix: String, branch: String, isLast: Bool, drawn: inout Set<String>, into text: inout String
  ) {
    let children = downstream[taskID] ?? []
    guard drawn.insert(taskID).inserted else {
      text += prefix + branch + taskID + (children.isEmpty ? "\n" : "  ↑\n")
      return
    }
    text += prefix + branch + taskID + "\n"
    let indent = branch.isEmpty ? "" : prefix + (isLast ? "   " : "│  ")
    for (index, child) in children.enumerated() {
      let isLast = index == children.count - 1
      draw(child, prefix: indent, branch: isLast ? "└─ " : "├─ ", isLast: isLast, drawn: &drawn, into: &text)
    }
  }

  /// For Graphviz: `dagrun dags show nightly -f dot | dot -Tsvg`.
  func dot() -> String {
    func quoted(_ text: String) -> String {
      "\"" + text.map { $0 == "\"" || $0 == "\\" ? "\\\($0)" : String($0) }.joined() + "\""
    }
    var text = "digraph \(quoted(dag.id)) {\n  rankdir=LR;\n  node [shape=box, style=rounded];\n"
    for task in dag.tasks { text += "  \(quoted(task.id));\n" }
    for task in dag.tasks {
      for upstream in task.upstream { text += "  \(quoted(upstream)) -> \(quoted(task.id));\n" }
    }
    return text + "}\n"
  }

  /// For Markdown pages. Task ids may hold what mermaid does not take as a name, so nodes are numbered.
  func mermaid() -> String {
    let numbers = Dictionary(uniqueKeysWithValues: dag.tasks.enumerated().map { ($1.id, $0) })
    var text = "flowchart LR\n"
    for (number, task) in dag.tasks.enumerated() {
      text += "  t\(number)[\"\(task.id.map { $0 == "\"" ? "#quot;" : String($0) }.joined())\"]\n"
    }
    for (number, task) in dag.tasks.enumerated() {
      for upstream in task.upstream { text += "  t\(numbers[upstream] ?? 0) --> t\(number)\n" }
    }
    return text
  }
}
