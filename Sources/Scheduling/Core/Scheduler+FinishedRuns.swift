import Dagrun
import Model

/// Runs that have finished come back into memory for a request about them: to be looked at, changed, or opened again.
extension Scheduler {
  /// The run that a request is about; in memory, or carried along. nil: there is none, or nothing can be planned for
  /// it; the request has been refused.
  mutating func open(_ number: Int64, loaded: RunSnapshot?) -> RunIndex? {
    if let run = runs.index(of: number) { return run }
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
    let run = visit(loaded, DAGPlan(none, version: loaded.run.version), dag)
    replan(run, on: newest, regex: loaded.run.taskRegex)
    return run
  }

  /// The plan that `open` puts the run on. nil: it refuses.
  func planOnceOpen(_ number: Int64, _ loaded: RunSnapshot?) -> DAGPlan? {
    if let run = runs.index(of: number) { return runs[run].plan }
    guard let loaded, loaded.run.number == number, let dag = dagIndices[loaded.run.dagID] else { return nil }
    return plan(of: loaded.run, dag: dag) ?? dags[dag].plan.map { select($0, loaded.run.taskRegex, dag: dag) }
  }

  private mutating func visit(_ snapshot: RunSnapshot, _ plan: DAGPlan, _ dag: Int) -> RunIndex {
    let run = insert(snapshot, plan: plan, dag: dag)
    if snapshot.run.state.isFinished {
      dags[dag].history.remove(run: snapshot.run.number)
      step.notePastChanged(ofDAG: dag)
    } else {
      resume(run)
    }
    return run
  }

  /// A finished run goes back to the queue.
  mutating func reopen(_ run: RunIndex) {
    noteChange(of: run)
    runs[run].run.state = .queued
    runs[run].run.queuedAt = now
    runs[run].run.startDate = nil
    runs[run].run.endDate = nil
    runs[run].run.reason = nil
    countUnfinished(run)
  }

  /// After a request has changed tasks of a run: one that was finished and has work again is reopened, one that has
  /// none leaves again with the state that its tasks give it. Where no task has changed, neither does the run.
  mutating func conclude(_ run: RunIndex) {
    guard runs[run].run.state.isFinished else {
      settleWaiting(run)
      return
    }
    let isChanged = runs[run].isReplanned || runs[run].instances.contains { runs[run][$0].transition > 0 }
    if !isChanged {
      leave(run)
    } else if runs[run].unfinished > 0 {
      reopen(run)
    } else {
      let outcome = runs[run].outcome
      if outcome != runs[run].run.state {
        noteChange(of: run)
        runs[run].run.state = outcome
      }
      leave(run)
    }
  }

  /// Tasks that were ready and whose upstream has changed wait again, also those of later runs.
  mutating func retractReady(_ run: RunIndex) {
    pastChanged(run)
    for instance in runs[run].instances
    where runs[run][instance].state == .scheduled && runs[run].decide(instance) != .run {
      let place = InstanceIndex(run: run, offset: instance)
      move(place, to: .none)
      step.evaluateLater(place)
    }
  }

  /// As `retractReady`; and those that wait are looked at.
  private mutating func settleWaiting(_ run: RunIndex) {
    retractReady(run)
    if runs[run].run.state == .running {
      evaluateWaiting(run)
      check(run)
    }
  }

  /// Moves a run to another version or another selection of its tasks. Instances are matched by the task's id and keep
  /// their state; tasks that are no longer in the DAG become `removed`, and are stopped.
  mutating func replan(_ run: RunIndex, on base: DAGPlan, regex: String?) {
    let dag = runs[run].dag
    let plan = select(base, regex, dag: dag)
    var snapshot = runs[run].snapshot()
    let old = runs[run]
    snapshot.run.version = plan.version
    snapshot.run.taskRegex = regex
    func tryKey(_ instance: TaskInstance) -> TryKey {
      let key = TaskInstanceKey(run: old.run.number, taskID: instance.taskID, mapIndex: instance.mapIndex)
      return TryKey(key, instance.tryNumber)
    }
    for index in snapshot.tasks.indices {
      let instance = snapshot.tasks[index]
      if base.isMapped(instance.taskID), instance.mapIndex == TaskInstanceKey.notMapped {
        // Instances for its elements run in its place, unless it runs already.
        switch instance.state {
        case .queued:
          step.append(.stop(tryKey(instance), .cleared))
          snapshot.tasks[index].state = .none
        case .scheduled, .upForReschedule:
          snapshot.tasks[index].state = .none
          snapshot.tasks[index].retryAt = nil
        default: break
        }
      }
      guard !base.has(instance), instance.state != .removed else { continue }
      if instance.state.isActive || instance.state == .deferred {
        step.append(.stop(tryKey(instance), .cleared))
      }
      snapshot.tasks[index].state = .removed
      snapshot.tasks[index].endDate = instance.endDate ?? now
      snapshot.tasks[index].retryAt = nil
    }
    snapshot.forgetLostElements(base, plan)
    var entry = RunEntry(snapshot, plan: plan, dag: dag)
    entry.stateBefore = old.stateBefore
    entry.isReplanned = true
    entry.isToBeChecked = old.isToBeChecked
    for instance in old.instances where old[instance].isTimedOut {
      if let now = entry.instance(old.key(instance)) { entry[now].isTimedOut = true }
    }
    admission.remove(run, old)
    runs[run] = entry
    admission.insert(run, entry)
    resume(run)
    reviseAll(run)
    if !old.plan.pastTaskIDs.isEmpty || !plan.pastTaskIDs.isEmpty { step.notePastChanged(ofDAG: dag) }
    step.append(.runReplanned(entry.snapshot()))
    // A task that waited for a slot may need none in the new version.
    releaseHeldEmpties(run)
  }
}

extension RunSnapshot {
  /// Of a mapped task whose instances are all gone one stands again for those to come: its list is looked at anew.
  /// A try's number is used once, whatever rows go: what stands in their place continues with the numbers.
  fileprivate mutating func forgetLostElements(_ base: DAGPlan, _ plan: DAGPlan) {
    guard tasks.contains(where: { $0.mapIndex >= 0 }) else { return }
    let standing = Set(tasks.filter { $0.mapIndex >= 0 && $0.state != .removed }.map(\.taskID))
    var numbers: [String: Int] = [:]
    for instance in tasks { numbers[instance.taskID] = max(numbers[instance.taskID] ?? 0, instance.tryNumber) }
    tasks.removeAll { $0.mapIndex >= 0 && base.isMapped($0.taskID) && !standing.contains($0.taskID) }
    let present = Set(tasks.filter(base.has).map(\.taskID))
    for (position, taskID) in plan.taskIDs.enumerated() where !present.contains(taskID) {
      guard let number = numbers[taskID], number > 0 else { continue }
      tasks.append(
        TaskInstance(
          taskID: taskID, tryNumber: number, maxTries: number.addingSaturating(Int(plan.tasks[position].retries))))
    }
  }
}

extension DAGPlan {
  /// What is mapped has instances with a map index; one without stands for them, or is that of a version without
  /// mapping.
  fileprivate func has(_ instance: TaskInstance) -> Bool {
    guard let position = position(of: instance.taskID) else { return false }
    return tasks[position].isMapped || instance.mapIndex == TaskInstanceKey.notMapped
  }
}
