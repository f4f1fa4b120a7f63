import Dagrun
import Model

/// The step that is being made: what has changed so far, and what has still to be looked at before it is done.
struct StepBuilder: Sendable {
  /// Of the event that is being handled, or was handled last.
  private(set) var now = Timestamp.longAgo

  // What comes of it.
  /// Changes that come before those of runs and task instances.
  private var head: [Change] = []
  private var transitions: [PendingTransition] = []
  /// Changes that come after them.
  private var tail: [Change] = []
  private var actions: [Action] = []
  private var reply: Reply?
  /// The reply is this run, as it is at the end of the step.
  private var replyRun: RunIndex?
  private var notes: [String] = []
  private var createdRuns: [RunIndex] = []
  /// Runs whose row changes.
  private var changedRuns: [RunIndex] = []
  /// Runs that leave memory when the step is done.
  private var leavingRuns: [RunIndex] = []
  private(set) var needsRestoring = false

  // What has still to be looked at.
  /// Instances whose rule may have been met. First in, first out, so that what ended first decides first.
  private var evaluations: [InstanceIndex] = []
  private var evaluated = 0
  private var runsToCheck: [RunIndex] = []
  /// DAGs whose runs, and so what tasks find in their past, have changed.
  private var dagsWithOtherPast: [Int] = []
  private var due = DueWork()
  /// What was due and would have made a step too large.
  private var postponed = DueWork()

  // How large it is.
  private var createdTasks = 0
  private var passedDates = 0

  /// Plans of versions that a request about finished runs needs. They stay until it has been handled.
  private var lentPlans: [PlanKey: DAGPlan] = [:]

  /// One instance that moves in this step, and where from.
  struct PendingTransition: Sendable {
    let place: InstanceIndex
    let from: TaskState
    let fromTry: Int32
    var reason: String?
    var ended: TryRecord?

    /// Has what the row of the instance does not show.
    var hasDetails: Bool { reason != nil || ended != nil }
  }

  /// By index in `Scheduler.dags`, and by number.
  private struct DueWork {
    var schedules: [Int] = []
    var promotions: [Int] = []
    var backfills: [Int64] = []

    var isEmpty: Bool { schedules.isEmpty && promotions.isEmpty && backfills.isEmpty }
  }

  private struct PlanKey: Hashable {
    var dagID: String
    var version: String
  }

  mutating func begin(at now: Timestamp) { self.now = now }

  // MARK: What comes of it

  mutating func append(_ change: Change) { head.append(change) }

  /// A change that follows from those of task instances, and comes after them.
  mutating func appendLast(_ change: Change) { tail.append(change) }

  mutating func append(_ action: Action) { actions.append(action) }

  mutating func answer(_ reply: Reply) { self.reply = reply }

  /// Answers with the run as it is when the step is done.
  mutating func answer(withCreated run: RunIndex) { replyRun = run }

  /// A schedule made no run for one of its dates.
  mutating func noteSkippedDate(_ note: String) {
    notes.append(note)
    passedDates += 1
  }

  mutating func requireRestoring() { needsRestoring = true }

  mutating func noteCreated(_ run: RunIndex, tasks: Int) {
    createdRuns.append(run)
    createdTasks += tasks
  }

  mutating func noteChanged(_ run: RunIndex) { changedRuns.append(run) }

  mutating func noteLeaving(_ run: RunIndex) { leavingRuns.append(run) }

  mutating func takeLeavingRuns() -> [RunIndex] { leavingRuns.takeAll() }

  /// Notes where an instance moves from. Returns its number, from 1, which the instance keeps until the step is done.
  mutating func noteTransition(of place: InstanceIndex, from state: TaskState, tryNumber: Int32) -> Int32 {
    transitions.append(PendingTransition(place: place, from: state, fromTry: tryNumber))
    return Int32(transitions.count)
  }

  subscript(transition: Int32) -> PendingTransition {
    get { transitions[Int(transition) - 1] }
    _modify { yield &transitions[Int(transition) - 1] }
  }

  // MARK: What has still to be looked at

  mutating func evaluateLater(_ place: InstanceIndex) { evaluations.append(place) }

  mutating func nextEvaluation() -> InstanceIndex? {
    guard evaluated < evaluations.count else {
      evaluations.removeAll(keepingCapacity: evaluated < 4096)
      evaluated = 0
      return nil
    }
    evaluated += 1
    return evaluations[evaluated - 1]
  }

  mutating func checkLater(_ run: RunIndex) { runsToCheck.append(run) }

  mutating func takeRunsToCheck() -> [RunIndex] { runsToCheck.takeAll() }

  mutating func notePastChanged(ofDAG dag: Int) { dagsWithOtherPast.append(dag) }

  /// Ascending.
  mutating func takeDAGsWithOtherPast() -> [Int] {
    dagsWithOtherPast.isEmpty ? [] : Set(dagsWithOtherPast.takeAll()).sorted()
  }

  mutating func scheduleLater(_ dag: Int) { due.schedules.append(dag) }

  mutating func promoteLater(_ dag: Int) { due.promotions.append(dag) }

  mutating func promoteLater(backfill: Int64) { due.backfills.append(backfill) }

  mutating func takeSchedules() -> [Int] { due.schedules.takeAll() }

  mutating func takePromotions() -> (dags: [Int], backfills: [Int64]) {
    (due.promotions.takeAll(), due.backfills.takeAll())
  }

  /// Nothing is left to look at.
  var isSettled: Bool {
    evaluations.isEmpty && runsToCheck.isEmpty && dagsWithOtherPast.isEmpty && due.isEmpty
  }

  // MARK: What the next step does

  /// What would happen by itself now is left to the next step.
  func isFull(_ limits: Limits) -> Bool {
    passedDates + max(createdRuns.count, changedRuns.count) >= limits.stepRuns
      || createdTasks + transitions.count >= limits.stepTasks
  }

  mutating func postponeSchedule(_ dag: Int) { postponed.schedules.append(dag) }

  mutating func postponePromotion(_ dag: Int) { postponed.promotions.append(dag) }

  mutating func postponePromotion(backfill: Int64) { postponed.backfills.append(backfill) }

  var hasPostponed: Bool { !postponed.isEmpty }

  mutating func takeUpPostponed() {
    guard hasPostponed else { return }
    due.schedules += postponed.schedules
    due.promotions += postponed.promotions
    due.backfills += postponed.backfills
    postponed = DueWork()
  }

  // MARK: Plans

  mutating func lend(_ plans: [DAGPlan]) {
    for plan in plans { lentPlans[PlanKey(dagID: plan.dagID, version: plan.version)] = plan }
  }

  func lentPlan(_ dagID: String, version: String) -> DAGPlan? { lentPlans[PlanKey(dagID: dagID, version: version)] }

  mutating func returnPlans() {
    if !lentPlans.isEmpty { lentPlans = [:] }
  }

  // MARK: The end

  /// Writes out what has changed.
  func finish(_ runs: RunTable) -> Step {
    var step = Step()
    step.changes.reserveCapacity(head.count + transitions.count + changedRuns.count + tail.count)
    step.changes += head
    for run in createdRuns { step.changes.append(.runCreated(createdSnapshot(runs[run]))) }
    for run in changedRuns where !runs[run].isCreated {
      step.changes.append(
        .runChanged(RunTransition(run: runs[run].run.number, from: runs[run].stateBefore!, to: runs[run].run)))
    }
    for transition in transitions {
      // Rows that are inserted as they are now need no second change.
      if runs[transition.place.run].isCreated, !transition.hasDetails { continue }
      step.changes.append(.taskChanged(runs[transition.place.run].transition(transition)))
    }
    step.changes += tail
    step.actions = actions
    step.reply = replyRun.map { .run(runs[$0].run, created: true) } ?? reply
    step.needsRestoring = needsRestoring
    step.notes = notes
    return step
  }

  /// A run made in this step: its rows are inserted as they are now, but for instances whose change says more than
  /// the row does; those are inserted as they began, and changed then.
  private func createdSnapshot(_ entry: RunEntry) -> RunSnapshot {
    var snapshot = entry.snapshot()
    for (index, instance) in entry.instances.enumerated() where entry[instance].transition > 0 {
      let transition = self[entry[instance].transition]
      guard transition.hasDetails else { continue }
      snapshot.tasks[index] = TaskInstance(
        taskID: entry.taskID(of: instance), state: transition.from, tryNumber: Int(transition.fromTry),
        maxTries: Int(entry.planned(instance).retries))
    }
    return snapshot
  }

  /// Forgets the step, once it is written out; what is due or postponed stays. Large lists give their memory back.
  mutating func reset(_ runs: inout RunTable) {
    for transition in transitions { runs[transition.place].transition = 0 }
    for run in changedRuns { runs[run].stateBefore = nil }
    for run in createdRuns { runs[run].isCreated = false }
    head.removeAll(keepingCapacity: true)
    transitions.removeAll(keepingCapacity: transitions.count < 4096)
    tail.removeAll(keepingCapacity: true)
    actions = []
    reply = nil
    replyRun = nil
    notes = []
    createdRuns.removeAll(keepingCapacity: true)
    changedRuns.removeAll(keepingCapacity: true)
    needsRestoring = false
    evaluations.removeAll(keepingCapacity: evaluations.count < 4096)
    evaluated = 0
    runsToCheck.removeAll(keepingCapacity: true)
    dagsWithOtherPast.removeAll(keepingCapacity: true)
    createdTasks = 0
    passedDates = 0
  }
}

extension RunEntry {
  @inline(__always)
  fileprivate func transition(_ pending: StepBuilder.PendingTransition) -> TaskTransition {
    let key = key(pending.place.offset)
    return TaskTransition(
      key: key, from: pending.from, fromTry: Int(pending.fromTry),
      to: self[pending.place.offset].instance(taskID: key.taskID), reason: pending.reason, ended: pending.ended)
  }
}

extension Array {
  fileprivate mutating func takeAll() -> [Element] {
    guard !isEmpty else { return [] }
    defer { self = [] }
    return self
  }
}
