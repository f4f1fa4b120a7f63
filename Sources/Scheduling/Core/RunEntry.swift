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
    for (position, width) in Self.widths(of: snapshot.tasks, plan).sorted(by: { $0.key < $1.key }) {
      expand(position, to: width)
    }
    for instance in snapshot.tasks {
      if let position = plan.position(of: instance.taskID),
        let offset = layout.instance(at: position, mapIndex: instance.mapIndex)
      {
        self[offset] = InstanceEntry(instance)
      } else {
        instancesOutsidePlan.append(instance)
      }
    }
    instancesOutsidePlan.sort { ($0.taskID, $0.mapIndex) < ($1.taskID, $1.mapIndex) }
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

  /// Of the tasks that the plan maps, and that have an instance for each element.
  private static func widths(of tasks: [TaskInstance], _ plan: DAGPlan) -> [Int: Int32] {
    var widths: [Int: Int32] = [:]
    for instance in tasks where instance.mapIndex >= 0 {
      guard let position = plan.position(of: instance.taskID), plan.tasks[position].isMapped else { continue }
      widths[position, default: 0] += 1
    }
    return widths
  }

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

  /// Without a map index all instances of the task.
  func instances(meantBy key: TaskInstanceKey) -> [InstanceOffset] {
    guard key.mapIndex == TaskInstanceKey.notMapped, let position = plan.position(of: key.taskID) else {
      return instance(key).map { [$0] } ?? []
    }
    return Array(instances(at: position))
  }

  @inline(__always)
  func contains(_ instance: InstanceOffset) -> Bool { entries.indices.contains(Int(instance.value)) }

  @inline(__always)
  func key(_ instance: InstanceOffset) -> TaskInstanceKey {
    TaskInstanceKey(run: run.number, taskID: taskID(of: instance), mapIndex: layout.mapIndex(of: instance))
  }

  @inline(__always)
  func mapIndex(of instance: InstanceOffset) -> Int32 { layout.mapIndex(of: instance) }

  /// The try that is under way.
  @inline(__always)
  func tryKey(_ instance: InstanceOffset) -> TryKey { TryKey(key(instance), Int(self[instance].tryNumber)) }

  func snapshot() -> RunSnapshot {
    RunSnapshot(
      run: run, tasks: instances.map { self[$0].instance(key($0)) } + instancesOutsidePlan,
      choices: choices.all)
  }

  // MARK: Mapped tasks

  /// The task has an instance for each element, and not the one that stands for those to come.
  @inline(__always)
  func isExpanded(_ position: Int) -> Bool { layout.isExpanded(position) }

  /// Of an expanded task: its instances that have not ended, and those that have an output.
  func expandedCounts(_ position: Int) -> (unfinished: Int, outputs: Int) {
    (Int(layout.unfinished(at: position)), Int(layout.outputs(at: position)))
  }

  mutating func setOutput(_ output: OutputShape?, of instance: InstanceOffset) {
    let change: Int32 = (output == nil ? 0 : 1) - (self[instance].output == nil ? 0 : 1)
    self[instance].output = output
    if change != 0 { layout.count(planPosition(of: instance), outputs: change) }
  }

  /// An instance has ended (-1), or has not ended after all (1).
  @inline(__always)
  mutating func countUnfinished(_ instance: InstanceOffset, _ number: Int32) {
    unfinished += number
    layout.count(planPosition(of: instance), unfinished: number)
  }

  /// Gives the task at `position` one instance for each of the `count` elements (at least one) of the list that it is
  /// mapped over. They wait as its single instance did, which must not have started.
  @discardableResult
  mutating func expand(_ position: Int, to count: Int32) -> Range<InstanceOffset> {
    let unused = instances(at: position).lowerBound
    let placeholder = self[unused]
    precondition(placeholder.state == .none, "\(plan.taskIDs[position]) is \(placeholder.state), and is mapped")
    let range = layout.expand(position, to: count, plan)
    let entry = placeholder.unstarted(after: placeholder.tryNumber, retries: plan.tasks[position].retries)
    entries += repeatElement(entry, count: Int(layout.count) - entries.count)
    // What still refers to it finds it ended.
    if count > 1 { self[unused].state = .removed } else { self[unused] = entry }
    counts.add(.none, count - 1)
    unfinished += count - 1
    return range
  }

  /// Gives an expanded task more instances, which wait. Those that it has move to other offsets: what refers to them
  /// finds them removed.
  ///
  /// - Returns: where the instances were.
  mutating func grow(_ position: Int, to width: Int32) -> Range<InstanceOffset> {
    let old = instances(at: position)
    let added = width - Int32(old.count)
    let kept = old.map { self[$0] }
    // They begin where the others have begun.
    let retries = plan.tasks[position].retries
    let first = kept.lazy.filter { !$0.isEndedByList }.map { max(0, $0.maxTries - retries) }.min() ?? 0
    let new = kept[0].unstarted(after: first, retries: retries)
    layout.grow(position, to: width, plan)
    entries += kept
    entries += repeatElement(new, count: Int(added))
    for instance in old {
      self[instance] = InstanceEntry(maxTries: 0)
      self[instance].state = .removed
    }
    counts.add(.none, added)
    unfinished += added
    layout.count(position, unfinished: added)
    return old
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
    layout.forgetCounts()
    for instance in instances { self[instance].forgetUpstream() }
    for instance in instances {
      let state = self[instance].state
      counts.add(state)
      if self[instance].output != nil { layout.count(planPosition(of: instance), outputs: 1) }
      guard state.isFinished else {
        countUnfinished(instance, 1)
        continue
      }
      for downstream in plan.downstream[planPosition(of: instance)] {
        for below in instances(at: Int(downstream)) { self[below].countUpstream(state) }
      }
    }
  }
}
