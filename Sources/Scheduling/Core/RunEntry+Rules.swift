import Dagrun
import Model

/// What trigger rules, setups and teardowns make of the states in a run.
extension RunEntry {
  /// What the upstream tasks, setups and trigger rule say to an instance; not its past, nor limits.
  func decide(_ instance: InstanceOffset) -> RuleDecision {
    let position = planPosition(of: instance)
    let task = plan.tasks[position]
    let counts = upstreamCounts(of: instance)
    // Before its rule, and also before what is above it has ended.
    if task.isExcludable, choices.excluder(of: position) != nil { return .end(.skipped) }
    guard task.isConstrained else { return task.rule.decide(counts) }
    return decide(task, counts, plan.constraints[Int32(position)]!)
  }

  private func decide(_ task: PlannedTask, _ counts: UpstreamCounts, _ constraint: SetupConstraint) -> RuleDecision {
    if task.isTeardown {
      let decision = task.rule.decide(counts, setups: setupCounts(constraint.directSetups))
      if decision == .run, !constraint.scope.allSatisfy(isFinished) { return .wait }
      return decision
    }
    // As in Airflow, `always` does not ask its setups.
    if task.rule == .always || counts.upstream == 0 { return .run }
    var setups = UpstreamCounts()
    for position in constraint.indirectSetups {
      for instance in instances(at: Int(position)) {
        setups.upstream += 1
        setups.add(self[instance].state)
      }
    }
    if setups.failed + setups.upstreamFailed > 0 { return .end(.upstreamFailed) }
    if setups.skipped > 0 { return .end(.skipped) }
    // The rule of teardowns asks for direct setups whatever task has it.
    let decision = task.rule.decide(counts, setups: setupCounts(constraint.directSetups))
    if decision == .run, setups.succeeded < setups.upstream { return .wait }
    return decision
  }

  /// Every instance of the task at `position` has ended.
  func isFinished(_ position: Int32) -> Bool { instances(at: Int(position)).allSatisfy { self[$0].state.isFinished } }

  private func setupCounts(_ positions: [Int32]) -> SetupCounts {
    var counts = SetupCounts()
    for instance in positions.lazy.flatMap({ instances(at: Int($0)) }) {
      counts.setups += 1
      switch self[instance].state {
      case .success: counts.succeeded += 1
      case .skipped: counts.skipped += 1
      case .none, .removed, .scheduled, .queued, .running, .restarting, .failed, .upForRetry, .upForReschedule,
        .upstreamFailed, .deferred, .awaitingInput:
        break
      }
    }
    return counts
  }

  /// Why an instance ends in `state` without running, in words.
  func reason(_ instance: InstanceOffset, for state: TaskState) -> String {
    let position = planPosition(of: instance)
    if state == .skipped, let excluder = choices.excluder(of: position) { return reason(excludedBy: excluder) }
    let rule = plan.tasks[position].rule
    func first(of states: [TaskState], among positions: some Sequence<Int32>) -> String? {
      positions.lazy.flatMap { instances(at: Int($0)) }.first { states.contains(self[$0].state) }
        .map { "\(taskID(of: $0)) is \(self[$0].state.rawValue)" }
    }
    let culprits: [TaskState] = state == .skipped ? [.skipped] : [.failed, .upstreamFailed]
    if let constraint = plan.constraints[Int32(position)],
      let setup = first(of: culprits, among: constraint.indirectSetups)
    {
      return "its setup \(setup)"
    }
    let culprit: String?
    switch rule {
    case .allSuccess, .noneFailed, .noneFailedMinOneSuccess, .allDoneMinOneSuccess, .noneSkipped, .allDoneSetupSuccess,
      .oneSuccess:
      culprit = first(of: culprits, among: plan.upstream[position])
    case .allFailed: culprit = first(of: [.success, .skipped], among: plan.upstream[position])
    case .allSkipped: culprit = first(of: [.success, .failed, .upstreamFailed], among: plan.upstream[position])
    case .allDone, .oneFailed, .oneDone, .always: culprit = nil
    }
    return "\(rule.rawValue) needs \(rule.requirement)\(culprit.map { ", but \($0)" } ?? "")"
  }

  private func reason(excludedBy excluder: Int) -> String {
    let id = plan.taskIDs[excluder]
    switch plan.description.tasks[excluder].decision {
    case .shortCircuit: return "\(id) returned false"
    case .latestOnly: return "\(id) lets only the run of the newest date continue"
    case .branch, nil:
      guard case .cases(let chosen) = choices.all[id], !chosen.isEmpty else { return "\(id) chose no case" }
      return "\(id) chose \(chosen.joined(separator: ", "))"
    }
  }

  /// How the run ends, now that all its tasks have.
  var outcome: DAGRunState {
    if run.reason != nil { return .failed }
    guard counts[.failed] + counts[.upstreamFailed] > 0 else { return .success }
    let isFailed = instances.contains { instance in
      (self[instance].state == .failed || self[instance].state == .upstreamFailed) && planned(instance).decidesRun
    }
    return isFailed ? .failed : .success
  }
}
