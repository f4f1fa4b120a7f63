import Dagrun
import Model

/// An unfinished run in memory.
struct RunEntry: Sendable {
  var run: DAGRun
  var plan: DAGPlan
  /// By position in the plan.
  var tasks: [TaskSlot]
  /// Rows that the plan does not have; nothing happens to them. By id.
  var extras: [TaskInstance] = []
  /// Index in `Scheduler.dags`.
  var dag: Int
  var counts = StateCounts()
  /// Tasks of the plan that have not ended.
  var unfinished: Int32 = 0
  /// Empty tasks that are ready while nothing may start.
  var heldEmpties: [Int32] = []
  /// The run's state before the step that is being made, if the step has changed the run.
  var stateBefore: DAGRunState?
  /// Has moved to another version or selection since it came into memory.
  var isReplanned = false
  /// The step that is being made has created it.
  var isCreated = false
  /// Is on the list of runs that may be over, to be looked at before the step is done.
  var isToBeChecked = false

  init(_ snapshot: RunSnapshot, plan: DAGPlan, dag: Int) {
    run = snapshot.run
    self.plan = plan
    self.dag = dag
    tasks = plan.tasks.map { TaskSlot(maxTries: $0.retries) }
    for instance in snapshot.tasks {
      if let position = plan.position(of: instance.taskID) {
        tasks[position] = TaskSlot(instance)
      } else {
        extras.append(instance)
      }
    }
    extras.sort { $0.taskID < $1.taskID }
    recount()
  }

  /// What the table holds where a run was.
  static let unused = RunEntry(
    RunSnapshot(
      run: DAGRun(
        number: 0, dagID: "", runID: "", type: .manual, state: .success, logicalDate: nil, dataInterval: nil,
        runAfter: .longAgo, queuedAt: .longAgo, conf: "{}", version: ""), tasks: []),
    plan: DAGPlan(DAGDescription(id: "", location: SourceLocation(file: "", line: 0)), version: ""), dag: 0)

  /// Derives everything that follows from the states of the tasks.
  mutating func recount() {
    counts = StateCounts()
    unfinished = 0
    for position in tasks.indices { tasks[position].forgetUpstream() }
    for position in tasks.indices {
      let state = tasks[position].state
      counts.add(state)
      if state.isFinished {
        for downstream in plan.downstream[position] { tasks[Int(downstream)].countUpstream(state) }
      } else {
        unfinished += 1
      }
    }
  }

  /// Task instances that something will still happen to by itself.
  var moving: Int { Int(unfinished) - counts[.none] }

  func key(_ position: Int) -> TaskInstanceKey {
    TaskInstanceKey(run: run.number, taskID: plan.taskIDs[position])
  }

  /// The try that is under way.
  func tryKey(_ position: Int) -> TryKey { TryKey(key(position), Int(tasks[position].tryNumber)) }

  func snapshot() -> RunSnapshot {
    RunSnapshot(
      run: run, tasks: tasks.indices.map { tasks[$0].instance(taskID: plan.taskIDs[$0]) } + extras)
  }

  /// What the upstream tasks, setups and trigger rule say to a task; not its past, nor limits.
  func decide(_ position: Int) -> RuleDecision {
    let task = plan.tasks[position]
    let counts = tasks[position].counts(upstream: plan.upstream.degree(of: position))
    guard task.isConstrained else { return task.rule.decide(counts) }
    return decide(position, task, counts, plan.constraints[Int32(position)]!)
  }

  private func decide(
    _ position: Int, _ task: PlannedTask, _ counts: UpstreamCounts, _ constraint: SetupConstraint
  ) -> RuleDecision {
    if task.isTeardown {
      let decision = task.rule.decide(counts, setups: setupCounts(constraint.directSetups))
      if decision == .run, constraint.scope.contains(where: { !tasks[Int($0)].state.isFinished }) { return .wait }
      return decision
    }
    // As in Airflow, `always` does not ask its setups.
    if task.rule == .always || counts.upstream == 0 { return .run }
    var setups = UpstreamCounts()
    for setup in constraint.indirectSetups { setups.add(tasks[Int(setup)].state) }
    if setups.failed + setups.upstreamFailed > 0 { return .end(.upstreamFailed) }
    if setups.skipped > 0 { return .end(.skipped) }
    // The rule of teardowns asks for direct setups whatever task has it.
    let decision = task.rule.decide(counts, setups: setupCounts(constraint.directSetups))
    if decision == .run, setups.succeeded < constraint.indirectSetups.count { return .wait }
    return decision
  }

  private func setupCounts(_ setups: [Int32]) -> SetupCounts {
    var counts = SetupCounts(setups: Int32(setups.count))
    for setup in setups {
      switch tasks[Int(setup)].state {
      case .success: counts.succeeded += 1
      case .skipped: counts.skipped += 1
      case .none, .removed, .scheduled, .queued, .running, .restarting, .failed, .upForRetry, .upForReschedule,
        .upstreamFailed, .deferred, .awaitingInput:
        break
      }
    }
    return counts
  }
}
