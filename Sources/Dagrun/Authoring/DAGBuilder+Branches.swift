/// What a file says of the cases of one branch, besides where they lead.
struct BranchCases {
  /// By raw value: the case as a file writes it.
  var names: [String: String]
  /// Raw values of the cases that lead nowhere, and say so.
  var deadEnds: Set<String> = []
}

extension DAGBuilder {
  /// - Parameter names: by raw value: the case as a file writes it.
  func addBranch(_ task: TaskReference, names: [String: String]) {
    branches[task.index] = BranchCases(names: names)
    task.update { $0.decision = .branch(cases: names.mapValues { _ in [] }) }
  }

  func follow(_ way: String, of branch: TaskReference, to taskID: String) {
    guard case .branch(var cases) = description.tasks[branch.index].decision else { return }
    if cases[way, default: []].contains(taskID) { return }
    cases[way, default: []].append(taskID)
    description.tasks[branch.index].decision = .branch(cases: cases)
  }

  func endBranch(_ path: BranchPath) { branches[path.task.index]?.deadEnds.insert(path.way) }
}
