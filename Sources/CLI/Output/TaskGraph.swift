import Dagrun
import Presentation

/// What `dags show` draws: the tasks of a DAG and their edges. Each outermost group is one node, unless groups are
/// open.
struct TaskGraph {
  struct Node {
    /// Of a task or a group.
    var id: String
    var label: String
    var isGroup = false
    /// The innermost group around it that is open; empty: there is none.
    var groupID = ""
  }

  struct Edge {
    var source: Int
    var target: Int
    /// The cases of a branch that lead along it; empty of any other task.
    var cases: [String] = []
  }

  private(set) var nodes: [Node] = []
  /// Those that are open, each after the one around it.
  private(set) var groups: [TaskGroupDescription] = []
  /// By target, then as the file draws them.
  private(set) var edges: [Edge] = []

  init(_ dag: DAGDescription, opensGroups: Bool) {
    let outermost = opensGroups ? [:] : Self.outermostGroups(of: dag)
    if opensGroups { groups = Self.tree(of: dag.groups) }
    let open = Set(groups.map(\.id))
    var nodeOfGroup: [String: Int] = [:]
    var nodeOfTask: [String: Int] = [:]
    var sizes: [Int: Int] = [:]
    for task in dag.tasks {
      guard let group = outermost[task.groupID] else {
        nodeOfTask[task.id] = nodes.count
        nodes.append(Node(id: task.id, label: task.id, groupID: open.contains(task.groupID) ? task.groupID : ""))
        continue
      }
      let node = nodeOfGroup[group] ?? nodes.count
      nodeOfGroup[group] = node
      if node == nodes.count { nodes.append(Node(id: group, label: group, isGroup: true)) }
      nodeOfTask[task.id] = node
      sizes[node, default: 0] += 1
    }
    for (node, size) in sizes { nodes[node].label += size == 1 ? " (1 task)" : " (\(size) tasks)" }
    connect(dag, nodeOfTask)
  }

  /// Without groups of which a description says nonsense: inside of one that is not there, or of themselves.
  private static func tree(of groups: [TaskGroupDescription]) -> [TaskGroupDescription] {
    var known: Set<String> = [""]
    return groups.filter { known.contains($0.parentID) && known.insert($0.id).inserted }
  }

  private static func outermostGroups(of dag: DAGDescription) -> [String: String] {
    var outermost: [String: String] = [:]
    for group in dag.groups { outermost[group.id] = outermost[group.parentID] ?? group.id }
    return outermost
  }

  private mutating func connect(_ dag: DAGDescription, _ nodeOfTask: [String: Int]) {
    var cases: [String: [String: [String]]] = [:]
    for task in dag.tasks {
      guard case .branch(let targets) = task.decision else { continue }
      for (name, taskIDs) in targets.sorted(by: { $0.key < $1.key }) {
        for id in taskIDs { cases[task.id, default: [:]][id, default: []].append(ShownText.line(name)) }
      }
    }
    var edgesOfTarget = [[Edge]](repeating: [], count: nodes.count)
    // Source and target -> where among the target's edges.
    var known: [UInt64: Int] = [:]
    for task in dag.tasks {
      guard let target = nodeOfTask[task.id] else { continue }
      for upstream in task.upstream {
        guard let source = nodeOfTask[upstream], source != target else { continue }
        let names = cases[upstream]?[task.id] ?? []
        let pair = UInt64(source) << 32 | UInt64(target)
        if let index = known[pair] {
          let new = names.filter { !edgesOfTarget[target][index].cases.contains($0) }
          edgesOfTarget[target][index].cases += new
        } else {
          known[pair] = edgesOfTarget[target].count
          edgesOfTarget[target].append(Edge(source: source, target: target, cases: names))
        }
      }
    }
    edges = edgesOfTarget.flatMap(\.self)
  }
}
