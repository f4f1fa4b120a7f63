package import Model

extension DAGPlan {
  /// What its rules, setups and upstream tasks say to each task that waits, in a run whose tasks are in `states`; not
  /// its past, nor limits.
  package func decisions(_ states: [String: TaskState]) -> [String: RuleDecision] {
    let instances = taskIDs.map { TaskInstance(taskID: $0, state: states[$0] ?? .none, maxTries: 0) }
    let entry = RunEntry(RunSnapshot(run: RunEntry.unused.run, tasks: instances), plan: self, dag: 0)
    var decisions: [String: RuleDecision] = [:]
    for instance in entry.instances where entry[instance].state == .none {
      decisions[entry.taskID(of: instance)] = entry.decide(instance)
    }
    return decisions
  }
}
