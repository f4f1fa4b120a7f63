import Dagrun
import Model

/// Whether a task may run: its trigger rule and setups, then its past.
extension Scheduler {
  mutating func evaluateAll() {
    var index = 0
    while index < work.evaluations.count {
      let (slot, position) = work.evaluations[index]
      evaluate(TaskPlace(slot: slot, position: position))
      index += 1
    }
    work.evaluations.removeAll(keepingCapacity: index < 4096)
  }

  /// Looks again at tasks that their past held back, in DAGs whose runs have changed.
  mutating func evaluatePast() {
    let changed = work.dagsWithOtherPast
    work.dagsWithOtherPast.removeAll(keepingCapacity: true)
    for dag in Set(changed).sorted() {
      for number in dags[dag].runs {
        let slot = slotsByRun[number]!
        guard slots[Int(slot)].run.state == .running else { continue }
        let plan = slots[Int(slot)].plan
        for taskID in plan.pastTaskIDs { evaluateLater(slot, Int32(plan.position(of: taskID)!)) }
      }
    }
  }

  /// A run of the DAG has come, gone, or changed what it is.
  mutating func pastChanged(_ slot: Int32) {
    guard !slots[Int(slot)].plan.pastTaskIDs.isEmpty else { return }
    work.dagsWithOtherPast.append(slots[Int(slot)].dag)
  }

  private mutating func evaluate(_ place: TaskPlace) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    guard slots[slot].tasks[position].state == .none, slots[slot].run.state == .running,
      dags[slots[slot].dag].suspension == nil
    else { return }
    let plan = slots[slot].plan
    let task = plan.tasks[position]
    // Asking the run itself would copy it, which the many simple tasks should not pay for.
    let decision =
      task.isConstrained
      ? slots[slot].decide(position)
      : task.rule.decide(slots[slot].tasks[position].counts(upstream: plan.upstream.degree(of: position)))
    switch decision {
    case .wait: return
    case .end(let state):
      if state == .skipped, task.waitsForPastBeforeSkipping, blockingPast(of: place) != nil { return }
      let reason = slots[slot].blame(position, for: state)
      move(place, to: state)
      slots[slot].tasks[position].startDate = now
      slots[slot].tasks[position].endDate = now
      work.touches[touch(place)].reason = reason
    case .run:
      if task.dependsOnPast, blockingPast(of: place) != nil { return }
      makeReady(place)
    }
  }

  /// The rule is met: what needs no executor is done at once, the rest waits for a slot.
  private mutating func makeReady(_ place: TaskPlace) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    guard slots[slot].plan.tasks[position].isEmpty else {
      move(place, to: .scheduled)
      enqueue(place)
      return
    }
    if isHeld(slot) {
      move(place, to: .scheduled)
      hold(place)
    } else {
      succeedEmpty(place)
    }
  }

  mutating func hold(_ place: TaskPlace) {
    slots[Int(place.slot)].tasks[Int(place.position)].isReady = true
    slots[Int(place.slot)].heldEmpties.append(place.position)
  }

  /// Nothing of the run may start now, whatever slots there are.
  func isHeld(_ slot: Int) -> Bool {
    limits.isOffline || dags[slots[slot].dag].isHeld || slots[slot].run.state != .running
  }

  private mutating func succeedEmpty(_ place: TaskPlace) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let index = touch(place)
    slots[slot].tasks[position].tryNumber = slots[slot].tasks[position].tryNumber.addingSaturating(1)
    slots[slot].tasks[position].startDate = now
    slots[slot].tasks[position].endDate = now
    slots[slot].tasks[position].retryAt = nil
    work.touches[index].ended = TryRecord(
      tryNumber: Int(slots[slot].tasks[position].tryNumber), state: .success, startDate: now, endDate: now)
    move(place, to: .success)
  }

  /// Empty tasks that could not be done when they became ready.
  mutating func releaseHeldEmpties(_ slot: Int32) {
    guard !isHeld(Int(slot)) else { return }
    let held = slots[Int(slot)].heldEmpties
    slots[Int(slot)].heldEmpties = []
    for position in held where slots[Int(slot)].tasks[Int(position)].isReady {
      succeedEmpty(TaskPlace(slot: slot, position: position))
    }
  }

  /// The earlier instance that holds a task with `dependsOnPast` back: the newest one before the run's logical date has
  /// not succeeded and was not skipped. nil: nothing holds it.
  ///
  /// As Airflow's `PrevDagrunDep`, but for one thing: a run that did not have the task is looked through. With catchup
  /// manual runs do not count. The run of the first date of a backfill has no past.
  func blockingPast(of place: TaskPlace) -> PastHistory.Instance? {
    let entry = slots[Int(place.slot)]
    guard let date = entry.run.logicalDate, !entry.run.isFirstOfBackfill else { return nil }
    let taskID = entry.plan.taskIDs[Int(place.position)]
    let catchup = entry.plan.description.catchup
    let past = newestPast(taskID, before: date, dag: entry.dag) { !(catchup && $0.isManual) }
    return past.flatMap { $0.isPassed ? nil : $0 }
  }

  private func newestPast(
    _ taskID: String, before date: Timestamp, dag: Int, where isCounted: (PastHistory.Instance) -> Bool
  ) -> PastHistory.Instance? {
    var newest = dags[dag].history.newest(taskID, before: date, where: isCounted)
    for number in dags[dag].runs {
      let slot = Int(slotsByRun[number]!)
      guard let other = slots[slot].run.logicalDate, other < date, newest.map({ other > $0.logicalDate }) ?? true,
        let position = slots[slot].plan.position(of: taskID), slots[slot].plan.tasks[position].dependsOnPast
      else { continue }
      let instance = PastHistory.Instance(
        slots[slot].run, logicalDate: other, state: slots[slot].tasks[position].state)
      if isCounted(instance) { newest = instance }
    }
    return newest
  }
}

extension RunEntry {
  /// Why a task ends without running, in words.
  func blame(_ position: Int, for state: TaskState) -> String {
    let rule = plan.tasks[position].rule
    func first(of states: [TaskState], among positions: some Sequence<Int32>) -> String? {
      positions.first { states.contains(tasks[Int($0)].state) }
        .map { "\(plan.taskIDs[Int($0)]) is \(tasks[Int($0)].state.rawValue)" }
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
}
