/// Which tasks are meant along with some.
extension DAGPlan {
  /// As Airflow's `DAG.partial_subset`: the tasks, on request those upstream and downstream, and the setups and
  /// teardowns that belong to any of them. A task that runs again needs what its setup makes, and has it torn down.
  package func subset(of taskIDs: Set<String>, withUpstream: Bool, withDownstream: Bool) -> Set<String> {
    let named = self.taskIDs.indices.filter { taskIDs.contains(self.taskIDs[$0]) }.map(Int32.init)
    return Set(
      subset(of: named, withUpstream: withUpstream, withDownstream: withDownstream).map { self.taskIDs[Int($0)] })
  }

  /// By position, ascending.
  func subset(of named: [Int32], withUpstream: Bool, withDownstream: Bool) -> [Int32] {
    var isIncluded = [Bool](repeating: false, count: count)
    var isNamed = isIncluded
    for position in named {
      isNamed[Int(position)] = true
      isIncluded[Int(position)] = true
    }
    // Work whose setups and teardowns are looked for.
    var isWork = isNamed
    if withDownstream {
      for position in downstream.reachable(from: named) {
        isIncluded[Int(position)] = true
        isWork[Int(position)] = true
      }
    }
    if withUpstream {
      for position in named { isWork[Int(position)] = false }
      for position in upstream.reachable(from: named) {
        isIncluded[Int(position)] = true
        if tasks[Int(position)].isSetup { include(teardownsRightBelow(position), &isIncluded) }
      }
    }
    for position in tasks.indices where tasks[position].isSetup {
      let setup = Int32(position)
      let teardowns = teardownsRightBelow(setup)
      if isNamed[position], !withDownstream { include(teardowns, &isIncluded) }
      guard isNeeded(setup, teardowns, by: isWork) else { continue }
      include([setup] + teardowns, &isIncluded)
    }
    return isIncluded.indices.filter { isIncluded[$0] }.map(Int32.init)
  }

  private func include(_ positions: [Int32], _ isIncluded: inout [Bool]) {
    for position in positions { isIncluded[Int(position)] = true }
  }

  private func teardownsRightBelow(_ setup: Int32) -> [Int32] {
    downstream[Int(setup)].filter { tasks[Int($0)].isTeardown }
  }

  /// Some of the work is below the setup, and above one of its teardowns if it has any.
  private func isNeeded(_ setup: Int32, _ teardowns: [Int32], by isWork: [Bool]) -> Bool {
    func isMeant(_ position: Int32) -> Bool {
      let task = tasks[Int(position)]
      return isWork[Int(position)] && !task.isSetup && !task.isTeardown
    }
    let below = downstream.reachable(from: [setup]).filter(isMeant)
    if below.isEmpty || teardowns.isEmpty { return !below.isEmpty }
    let above = Set(upstream.reachable(from: teardowns))
    return below.contains { above.contains($0) }
  }
}
