import Dagrun
import Model

/// A run in memory.
struct RunEntry: Sendable {
  var run: DAGRun
  let plan: DAGPlan
  /// Index in `Scheduler.dags`.
  let dag: Int
  private var entries: [InstanceEntry]
  private var layout: InstanceLayout
  /// Rows that the plan does not have; nothing happens to them. By id.
  private(set) var instancesOutsidePlan: [TaskInstance] = []
  var choices = DownstreamChoices()
  var counts = StateCounts()
  /// Instances of tasks of the plan that have not ended.
  var unfinished: Int32 = 0
  /// Empty tasks that are ready while nothing may start.
  var heldEmpties: [InstanceOffset] = []
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
    layout = InstanceLayout(plan)
    entries = plan.tasks.map { InstanceEntry(maxTries: $0.retries) }
    for instance in snapshot.tasks {
      if let position = plan.position(of: instance.taskID) {
        self[instances(at: position).lowerBound] = InstanceEntry(instance)
      } else {
        instancesOutsidePlan.append(instance)
      }
    }
    instancesOutsidePlan.sort { $0.taskID < $1.taskID }
    if !snapshot.choices.isEmpty { choices = DownstreamChoices(snapshot.choices, in: plan) }
    recount()
  }

  /// What the table holds where a run was.
  static let unused = RunEntry(
    RunSnapshot(
      run: DAGRun(
        number: 0, dagID: "", runID: "", type: .manual, state: .success, logicalDate: nil, dataInterval: nil,
        runAfter: .longAgo, queuedAt: .longAgo, conf: "{}", version: ""), tasks: []),
    plan: DAGPlan(DAGDescription(id: "", location: SourceLocation(file: "", line: 0)), version: ""), dag: 0)

  // MARK: Instances

  // Small questions are always inlined: asked of a run in the table, a call would copy the run.

  subscript(instance: InstanceOffset) -> InstanceEntry {
    @inline(__always)
    get { entries[Int(instance.value)] }
    _modify { yield &entries[Int(instance.value)] }
  }

  /// In the order of the plan, those of a mapped task by map index.
  var instances: InstanceLayout.Instances { layout.instances }

  /// One, unless the task is mapped.
  @inline(__always)
  func instances(at position: Int) -> Range<InstanceOffset> { layout.range(at: position) }

  @inline(__always)
  func planPosition(of instance: InstanceOffset) -> Int { layout.position(of: instance) }

  @inline(__always)
  func planned(_ instance: InstanceOffset) -> PlannedTask { plan.tasks[planPosition(of: instance)] }

  @inline(__always)
  func taskID(of instance: InstanceOffset) -> String { plan.taskIDs[planPosition(of: instance)] }

  /// nil: the run has no such instance.
  @inline(__always)
  func instance(_ key: TaskInstanceKey) -> InstanceOffset? {
    guard let position = plan.position(of: key.taskID) else { return nil }
    return layout.instance(at: position, mapIndex: key.mapIndex)
  }

  @inline(__always)
  func contains(_ instance: InstanceOffset) -> Bool { entries.indices.contains(Int(instance.value)) }

  @inline(__always)
  func key(_ instance: InstanceOffset) -> TaskInstanceKey {
    TaskInstanceKey(run: run.number, taskID: taskID(of: instance), mapIndex: layout.mapIndex(of: instance))
  }

  /// The try that is under way.
  @inline(__always)
  func tryKey(_ instance: InstanceOffset) -> TryKey { TryKey(key(instance), Int(self[instance].tryNumber)) }

  func snapshot() -> RunSnapshot {
    RunSnapshot(
      run: run, tasks: instances.map { self[$0].instance(taskID: taskID(of: $0)) } + instancesOutsidePlan,
      choices: choices.all)
  }

  /// Gives the task at `position` one instance for each of the `count` elements (at least one) of the list that it is
  /// mapped over. They wait as its single instance did, which must not have started. Call it before the end of the
  /// upstream task is counted: nothing evaluates the new instances.
  @discardableResult
  mutating func expand(_ position: Int, to count: Int32) -> Range<InstanceOffset> {
    let unused = instances(at: position).lowerBound
    let placeholder = self[unused]
    precondition(placeholder.state == .none, "\(plan.taskIDs[position]) is \(placeholder.state), and is mapped")
    let range = layout.expand(position, to: count, plan)
    let entry = placeholder.unstarted(maxTries: plan.tasks[position].retries)
    entries += repeatElement(entry, count: Int(layout.count) - entries.count)
    // What still refers to it finds it ended.
    if count > 1 { self[unused].state = .removed }
    counts.add(.none, count - 1)
    unfinished += count - 1
    return range
  }

  // MARK: Counts

  /// How the instances right above one have ended.
  @inline(__always)
  func upstreamCounts(of instance: InstanceOffset) -> UpstreamCounts {
    self[instance].counts(upstream: layout.upstreamCount(of: planPosition(of: instance), plan))
  }

  /// Instances that something will still happen to by itself.
  var moving: Int { Int(unfinished) - counts[.none] }

  /// Derives everything that follows from the states of the instances.
  mutating func recount() {
    counts = StateCounts()
    unfinished = 0
    for instance in instances { self[instance].forgetUpstream() }
    for instance in instances {
      let state = self[instance].state
      counts.add(state)
      guard state.isFinished else {
        unfinished += 1
        continue
      }
      for downstream in plan.downstream[planPosition(of: instance)] {
        for below in instances(at: Int(downstream)) { self[below].countUpstream(state) }
      }
    }
  }
}
