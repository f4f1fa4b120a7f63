/// What a file says of the cases of one branch, besides where they lead.
struct BranchCases {
  /// By raw value: the case as a file writes it.
  var names: [String: String]
  /// Raw values of the cases that lead nowhere, and say so.
  var deadEnds: Set<String> = []
  /// By raw value: the ids of the tasks that a case leads to.
  private(set) var targets: [String: [String]]
  private var known: [String: Set<String>] = [:]

  init(names: [String: String]) {
    self.names = names
    targets = names.mapValues { _ in [] }
  }

  mutating func lead(_ caseName: String, to taskID: String) {
    if known[caseName, default: []].insert(taskID).inserted { targets[caseName, default: []].append(taskID) }
  }
}

extension DAGBuilder {
  /// - Parameter names: by raw value: the case as a file writes it.
  func addBranch(_ task: TaskReference, names: [String: String]) {
    branches[task.index] = BranchCases(names: names)
    task.update { $0.decision = .branch(cases: [:]) }
  }

  func endBranch(_ path: BranchPath) { branches[path.task.index]?.deadEnds.insert(path.way) }

  /// Once all arrows are drawn: a case may have 100,000 of them.
  func describeBranches() {
    for (index, branch) in branches { description.tasks[index].decision = .branch(cases: branch.targets) }
  }
}
