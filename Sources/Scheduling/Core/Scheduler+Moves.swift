import Dagrun
import Model

/// The one way in which a task instance changes its state, and what is counted along with it.
extension Scheduler {
  /// Moves an instance, and keeps every count in step: of its run, of its downstream tasks, of slots. The caller sets
  /// dates and tries.
  mutating func move(_ place: TaskPlace, to state: TaskState) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    touch(place)
    let from = slots[slot].tasks[position].state
    if from == state { return }
    slots[slot].tasks[position].state = state
    slots[slot].tasks[position].isReady = false
    slots[slot].counts.move(from: from, to: state)
    if from.isActive != state.isActive || from == .deferred || state == .deferred {
      occupy(place, from, -1)
      occupy(place, state, 1)
    }
    guard from.isFinished || state.isFinished else {
      if state == .none { check(place.slot) }
      return
    }
    if from.isFinished {
      slots[slot].unfinished += 1
    }
    if state.isFinished {
      slots[slot].unfinished -= 1
      check(place.slot)
    }
    countDownstream(place, from: from, to: state)
    let task = slots[slot].plan.tasks[position]
    if task.isWatched {
      for watcher in slots[slot].plan.watchers[place.position]! { evaluateLater(place.slot, watcher) }
    }
    if task.dependsOnPast { evaluateFuture(of: place) }
  }

  /// Tells the tasks right below that one has ended, or has not ended after all.
  private mutating func countDownstream(_ place: TaskPlace, from: TaskState, to state: TaskState) {
    let plan = slots[Int(place.slot)].plan
    for downstream in plan.downstream[Int(place.position)] {
      let index = Int(downstream)
      if from.isFinished { slots[Int(place.slot)].tasks[index].countUpstream(from, -1) }
      guard state.isFinished else { continue }
      slots[Int(place.slot)].tasks[index].countUpstream(state)
      if slots[Int(place.slot)].tasks[index].state == .none { evaluateIfDecided(place.slot, downstream, plan) }
    }
  }

  /// Only tasks about which there is something to decide get on the list.
  private mutating func evaluateIfDecided(_ slot: Int32, _ position: Int32, _ plan: DAGPlan) {
    let task = slots[Int(slot)].tasks[Int(position)]
    let planned = plan.tasks[Int(position)]
    if !planned.isConstrained,
      planned.rule.decide(task.counts(upstream: plan.upstream.degree(of: Int(position)))) == .wait
    {
      return
    }
    evaluateLater(slot, position)
  }

  mutating func evaluateLater(_ slot: Int32, _ position: Int32) {
    work.evaluations.append((slot, position))
  }

  /// The same task in later runs may wait for this one.
  private mutating func evaluateFuture(of place: TaskPlace) {
    let entry = slots[Int(place.slot)]
    guard let date = entry.run.logicalDate else { return }
    let taskID = entry.plan.taskIDs[Int(place.position)]
    for number in dags[entry.dag].runs where number != entry.run.number {
      guard let slot = slotsByRun[number], let later = slots[Int(slot)].run.logicalDate, later > date,
        let position = slots[Int(slot)].plan.position(of: taskID)
      else { continue }
      evaluateLater(slot, Int32(position))
    }
  }

  /// Takes (1) or gives back (-1) what an instance in `state` holds. The slot is given back with the change of state,
  /// not when the process is gone: a crash in between would otherwise leak it.
  mutating func occupy(_ place: TaskPlace, _ state: TaskState, _ sign: Int32) {
    guard state.isActive || state == .deferred else { return }
    let slot = Int(place.slot)
    let plan = slots[slot].plan
    let task = plan.tasks[Int(place.position)]
    let pool = slots[slot].pools[Int(task.pool)]
    if state == .deferred {
      pools[pool].deferredSlots += Int64(sign * task.poolSlots)
      if sign < 0 { freePool(pool) }
      return
    }
    pools[pool].activeSlots += Int64(sign * task.poolSlots)
    slots[slot].active += sign
    activeTasks += Int(sign)
    if !task.isElsewhere {
      localTasks += Int(sign)
      if sign < 0 { freeParallelism() }
    }
    if task.maxActivePerDAG > 0 {
      let limit = taskLimits.index(dag: slots[slot].dag, taskID: plan.taskIDs[Int(place.position)])
      taskLimits[limit].active += sign
      if sign < 0 { freeTaskLimit(limit) }
    }
    if sign < 0 {
      freeRun(place.slot)
      freePool(pool)
    }
  }

  mutating func check(_ slot: Int32) {
    guard !slots[Int(slot)].isToBeChecked else { return }
    slots[Int(slot)].isToBeChecked = true
    work.runsToCheck.append(slot)
  }
}
