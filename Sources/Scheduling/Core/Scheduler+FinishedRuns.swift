import Dagrun
import Model

/// Runs that have finished come back into memory for a request about them: to be looked at, changed, or opened again.
extension Scheduler {
  /// The run that a request is about; in memory, or carried along. nil: there is none, or nothing can be planned for
  /// it; the request has been refused.
  mutating func open(_ number: Int64, loaded: RunSnapshot?) -> Int32? {
    if let slot = slotsByRun[number] { return slot }
    guard let loaded, loaded.run.number == number, let dag = dagIndices[loaded.run.dagID] else {
      refuse(.unknownRun(number))
      return nil
    }
    if let plan = plan(of: loaded.run, dag: dag) { return visit(loaded, plan, dag) }
    // The version it was on is gone; the newest takes its place.
    guard let newest = dags[dag].plan else {
      refuse(.unknownDAG(loaded.run.dagID))
      return nil
    }
    // Until it is replanned every row is one that the plan does not have.
    var none = newest.description
    none.tasks = []
    let slot = visit(loaded, DAGPlan(none, version: loaded.run.version), dag)
    replan(slot, on: newest, regex: loaded.run.taskRegex)
    return slot
  }

  /// The plan that `open` puts the run on. nil: it refuses.
  func planOnceOpen(_ number: Int64, _ loaded: RunSnapshot?) -> DAGPlan? {
    if let slot = slotsByRun[number] { return slots[Int(slot)].plan }
    guard let loaded, loaded.run.number == number, let dag = dagIndices[loaded.run.dagID] else { return nil }
    return plan(of: loaded.run, dag: dag) ?? dags[dag].plan.map { select($0, loaded.run.taskRegex, dag: dag) }
  }

  private mutating func visit(_ snapshot: RunSnapshot, _ plan: DAGPlan, _ dag: Int) -> Int32 {
    let slot = insert(snapshot, plan: plan, dag: dag)
    if snapshot.run.state.isFinished {
      dags[dag].history.remove(run: snapshot.run.number)
      work.dagsWithOtherPast.append(dag)
    } else {
      resume(slot)
    }
    return slot
  }

  /// A finished run goes back to the queue.
  mutating func reopen(_ slot: Int32) {
    touchRun(slot)
    slots[Int(slot)].run.state = .queued
    slots[Int(slot)].run.queuedAt = now
    slots[Int(slot)].run.startDate = nil
    slots[Int(slot)].run.endDate = nil
    slots[Int(slot)].run.reason = nil
    countUnfinished(slot)
  }

  /// After a request has changed tasks of a run: one that was finished and has work again is reopened, one that has
  /// none leaves again with the state that its tasks give it. Where no task has changed, neither does the run.
  mutating func conclude(_ slot: Int32) {
    guard slots[Int(slot)].run.state.isFinished else {
      settleWaiting(slot)
      return
    }
    let isChanged = slots[Int(slot)].isReplanned || slots[Int(slot)].tasks.contains { $0.touch > 0 }
    if !isChanged {
      leave(slot)
    } else if slots[Int(slot)].unfinished > 0 {
      reopen(slot)
    } else {
      let outcome = slots[Int(slot)].outcome
      if outcome != slots[Int(slot)].run.state {
        touchRun(slot)
        slots[Int(slot)].run.state = outcome
      }
      leave(slot)
    }
  }

  /// Tasks that were ready and whose upstream has changed wait again; those that wait are looked at.
  private mutating func settleWaiting(_ slot: Int32) {
    pastChanged(slot)
    for position in slots[Int(slot)].tasks.indices
    where slots[Int(slot)].tasks[position].state == .scheduled && slots[Int(slot)].decide(position) != .run {
      move(TaskPlace(slot: slot, position: Int32(position)), to: .none)
    }
    if slots[Int(slot)].run.state == .running {
      evaluateWaiting(slot)
      check(slot)
    }
  }

  /// Moves a run to another version or another selection of its tasks. Instances are matched by the task's id and keep
  /// their state; tasks that are no longer in the DAG become `removed`, and are stopped.
  mutating func replan(_ slot: Int32, on base: DAGPlan, regex: String?) {
    let dag = slots[Int(slot)].dag
    let plan = select(base, regex, dag: dag)
    var snapshot = slots[Int(slot)].snapshot()
    let old = slots[Int(slot)]
    snapshot.run.version = plan.version
    snapshot.run.taskRegex = regex
    for index in snapshot.tasks.indices {
      let instance = snapshot.tasks[index]
      guard base.position(of: instance.taskID) == nil, instance.state != .removed else { continue }
      if instance.state.isActive || instance.state == .deferred {
        let key = TaskInstanceKey(run: snapshot.run.number, taskID: instance.taskID)
        work.actions.append(.stop(TryKey(key, instance.tryNumber), .cleared))
      }
      snapshot.tasks[index].state = .removed
      snapshot.tasks[index].endDate = instance.endDate ?? now
      snapshot.tasks[index].retryAt = nil
    }
    for position in old.tasks.indices {
      occupy(TaskPlace(slot: slot, position: Int32(position)), old.tasks[position].state, -1)
    }
    for lane in old.lanes.values.sorted() { queue.removeLane(lane) }
    let pools = plan.poolNames.map { self.pools.index(of: $0) }
    var entry = RunEntry(snapshot, plan: plan, dag: dag, pools: pools)
    entry.stateBefore = old.stateBefore
    entry.isReplanned = true
    entry.isToBeChecked = old.isToBeChecked
    entry.active = 0
    for (position, task) in old.tasks.enumerated() where task.isTimedOut {
      if let now = plan.position(of: old.plan.taskIDs[position]) { entry.tasks[now].isTimedOut = true }
    }
    slots[Int(slot)] = entry
    for position in entry.tasks.indices {
      occupy(TaskPlace(slot: slot, position: Int32(position)), entry.tasks[position].state, 1)
    }
    resume(slot)
    if !old.plan.pastTaskIDs.isEmpty || !plan.pastTaskIDs.isEmpty { work.dagsWithOtherPast.append(dag) }
    work.head.append(.runReplanned(entry.snapshot()))
    // A task that waited for a slot may need none in the new version.
    releaseHeldEmpties(slot)
  }
}
