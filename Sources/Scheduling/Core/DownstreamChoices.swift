import Dagrun

/// What tasks of one run have chosen of the tasks below them, and which tasks are excluded by that. By position in the plan.
struct DownstreamChoices: Equatable, Sendable {
  private(set) var choices: [Int32: DownstreamChoice] = [:]
  /// Position -> the tasks whose choices exclude it, ascending.
  private var excluders: [Int32: [Int32]] = [:]

  var isEmpty: Bool { choices.isEmpty }

  /// The first task whose choice excludes the one at `position`; nil: nothing excludes it.
  func excluder(of position: Int) -> Int? { excluders[Int32(position)]?.first.map(Int.init) }

  /// - Parameter choice: nil: all tasks below may run.
  /// - Returns: the positions that are excluded now.
  @discardableResult
  mutating func set(_ choice: DownstreamChoice?, of position: Int, in plan: DAGPlan) -> [Int32] {
    if let old = choices.removeValue(forKey: Int32(position)) {
      for excluded in plan.positions(excludedBy: old, of: position) {
        excluders[excluded]?.removeAll { $0 == Int32(position) }
        if excluders[excluded]?.isEmpty == true { excluders[excluded] = nil }
      }
    }
    guard let choice else { return [] }
    choices[Int32(position)] = choice
    let excluded = plan.positions(excludedBy: choice, of: position)
    for other in excluded {
      excluders[other, default: []].append(Int32(position))
      excluders[other]!.sort()
    }
    return excluded
  }
}

extension DAGPlan {
  /// As Airflow's branches and short circuits: of the tasks right below, those that were not chosen, unless they come after
  /// a chosen one as well. Teardowns follow their own rule.
  func positions(excludedBy choice: DownstreamChoice, of position: Int) -> [Int32] {
    let excluded: [Int32]
    switch choice {
    case .nothingBelow: excluded = downstream.reachable(from: position).sorted()
    case .only(let ids):
      let chosen = ids.compactMap { self.position(of: $0) }.map(Int32.init)
      let followed = Set(chosen).union(downstream.reachable(from: chosen))
      excluded = downstream[position].filter { !followed.contains($0) }
    }
    return excluded.filter { !tasks[Int($0)].isTeardown }
  }

  /// Tasks that a choice may exclude.
  static func excludable(_ tasks: [TaskDescription], _ downstream: Adjacency) -> [Int32] {
    var all: Set<Int32> = []
    for (position, task) in tasks.enumerated() {
      switch task.decision {
      case nil: break
      case .shortCircuit(ignoresTriggerRules: true): all.formUnion(downstream.reachable(from: position))
      case .branch, .latestOnly, .shortCircuit: all.formUnion(downstream[position])
      }
    }
    return all.sorted()
  }
}
