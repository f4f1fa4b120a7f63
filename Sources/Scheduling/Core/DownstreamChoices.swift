package import Dagrun

/// What tasks of one run have chosen of the tasks below them, and which tasks that excludes.
struct DownstreamChoices: Sendable {
  /// By the id of the task that chose, which need not be in the plan that the run is on.
  private(set) var all: [String: DownstreamChoice] = [:]
  /// Position of a task -> positions of the tasks whose choices exclude it, in no order.
  private var excluders: [Int32: [Int32]] = [:]

  init() {}

  init(_ choices: [String: DownstreamChoice], in plan: DAGPlan) {
    all = choices
    for (id, choice) in choices {
      if let position = plan.position(of: id) { exclude(by: choice, of: position, in: plan) }
    }
  }

  /// The first task whose choice excludes the one at `position`; nil: nothing excludes it.
  func excluder(of position: Int) -> Int? { excluders[Int32(position)]?.min().map(Int.init) }

  var isEmpty: Bool { all.isEmpty }

  /// - Parameter choice: nil: all tasks below may run.
  /// - Returns: the positions that it excludes.
  mutating func set(_ choice: DownstreamChoice?, of position: Int, in plan: DAGPlan) -> [Int32] {
    if let old = all[plan.taskIDs[position]] {
      for excluded in plan.positions(excludedBy: old, of: position) {
        excluders[excluded]?.removeAll { $0 == Int32(position) }
        if excluders[excluded]?.isEmpty == true { excluders[excluded] = nil }
      }
    }
    all[plan.taskIDs[position]] = choice
    return choice.map { exclude(by: $0, of: position, in: plan) } ?? []
  }

  @discardableResult
  private mutating func exclude(by choice: DownstreamChoice, of position: Int, in plan: DAGPlan) -> [Int32] {
    let excluded = plan.positions(excludedBy: choice, of: position)
    for other in excluded { excluders[other, default: []].append(Int32(position)) }
    return excluded
  }
}

extension DownstreamChoices: Equatable {
  static func == (left: DownstreamChoices, right: DownstreamChoices) -> Bool {
    left.all == right.all && left.excluders.mapValues(Set.init) == right.excluders.mapValues(Set.init)
  }
}

extension DAGPlan {
  /// As Airflow's branches and short circuits: of the tasks right below, those that were not chosen, unless they come
  /// after a chosen one as well. Teardowns follow their own rule.
  func positions(excludedBy choice: DownstreamChoice, of position: Int) -> [Int32] {
    // It may no longer be a branch in this version of the DAG.
    guard tasks[position].decides else { return [] }
    let excluded: [Int32]
    switch choice {
    case .nothingBelow: excluded = downstream.reachable(from: position).sorted()
    case .cases(let names):
      // One that this version does not have leads nowhere.
      let chosen = names.flatMap { cases(ofBranch: position)[$0] ?? [] }.compactMap { self.position(of: $0) }
        .map(Int32.init)
      let followed = Set(chosen).union(downstream.reachable(from: chosen))
      excluded = downstream[position].filter { !followed.contains($0) }
    }
    return excluded.filter { !tasks[Int($0)].isTeardown }
  }

  private func cases(ofBranch position: Int) -> [String: [String]] {
    if case .branch(let cases) = description.tasks[position].decision { cases } else { [:] }
  }

  /// The ids of the tasks that a choice of the task excludes, in the order of the file.
  package func taskIDs(excludedBy choice: DownstreamChoice, of taskID: String) -> [String] {
    guard let position = position(of: taskID) else { return [] }
    return positions(excludedBy: choice, of: position).sorted().map { taskIDs[Int($0)] }
  }

  /// Tasks that a choice may exclude.
  static func excludable(_ tasks: [TaskDescription], _ downstream: Adjacency) -> [Int32] {
    var all: Set<Int32> = []
    var circuits: Set<Int32> = []
    for (position, task) in tasks.enumerated() {
      switch task.decision {
      case nil: break
      case .shortCircuit(ignoresTriggerRules: true): circuits.formUnion(downstream[position])
      case .branch, .latestOnly, .shortCircuit: all.formUnion(downstream[position])
      }
    }
    // One search for all of them.
    if !circuits.isEmpty { all.formUnion(circuits.union(downstream.reachable(from: Array(circuits)))) }
    return all.sorted()
  }
}
