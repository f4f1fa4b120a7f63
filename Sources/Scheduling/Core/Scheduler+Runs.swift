import Dagrun
import HeapModule
import Model

/// A run's life: queued, started, over.
extension Scheduler {
  /// Puts a run in memory, and counts it if it is unfinished.
  @discardableResult
  mutating func insert(_ snapshot: RunSnapshot, plan: DAGPlan, dag: Int) -> Int32 {
    let pools = plan.poolNames.map { self.pools.index(of: $0) }
    let entry = RunEntry(snapshot, plan: plan, dag: dag, pools: pools)
    let slot: Int32
    if let unused = unusedSlots.popLast() {
      slot = unused
      slots[Int(slot)] = entry
    } else {
      slot = Int32(slots.count)
      slots.append(entry)
    }
    slotsByRun[snapshot.run.number] = slot
    slots[Int(slot)].active = 0
    for position in entry.tasks.indices {
      occupy(TaskPlace(slot: slot, position: Int32(position)), entry.tasks[position].state, 1)
    }
    if !snapshot.run.state.isFinished { countUnfinished(slot) }
    return slot
  }

  /// A run that has not finished counts in its DAG and its backfill.
  mutating func countUnfinished(_ slot: Int32) {
    let run = slots[Int(slot)].run
    let dag = slots[Int(slot)].dag
    let isRunning = run.state == .running ? 1 : 0
    dags[dag].insert(run)
    pastChanged(slot)
    if let backfill = openBackfill(of: run) {
      backfills[backfill]!.unfinished += 1
      backfills[backfill]!.running += isRunning
    } else {
      dags[dag].unfinishedLive += 1
      dags[dag].runningLive += isRunning
    }
    if run.state == .queued { queueRun(slot) }
  }

  /// The backfill that the run counts in, while that is under way.
  func openBackfill(of run: DAGRun) -> Int64? {
    run.backfill.flatMap { backfills[$0] == nil ? nil : $0 }
  }

  private mutating func queueRun(_ slot: Int32) {
    let run = slots[Int(slot)].run
    if let number = openBackfill(of: run) {
      let date = (run.logicalDate ?? run.runAfter).microseconds
      let isBackwards = backfills[number]!.backfill.runsBackwards
      backfills[number]!.queued.insert(QueuedRun(order: isBackwards ? -date : date, run: run.number))
      work.backfillsToPromote.append(number)
    } else {
      dags[slots[Int(slot)].dag].queued.insert(QueuedRun(order: run.runAfter.microseconds, run: run.number))
      work.dagsToPromote.append(slots[Int(slot)].dag)
    }
  }

  /// A new run, queued.
  mutating func createRun(_ run: DAGRun, plan: DAGPlan, dag: Int) -> Int32 {
    let slot = insert(RunSnapshot(run: run, tasks: []), plan: plan, dag: dag)
    slots[Int(slot)].isCreated = true
    work.createdRuns.append(slot)
    work.createdTasks += plan.count
    if let date = run.logicalDate { dags[dag].take(date) }
    return slot
  }

  /// Lets queued runs start while `maxActiveRuns` leaves room.
  mutating func promoteRuns() {
    let waitingDAGs = work.dagsToPromote
    let waitingBackfills = work.backfillsToPromote
    work.dagsToPromote.removeAll(keepingCapacity: true)
    work.backfillsToPromote.removeAll(keepingCapacity: true)
    guard !limits.isOffline else { return }
    for dag in waitingDAGs where !dags[dag].isHeld && !dags[dag].isDeleted { promoteLive(dag) }
    for number in waitingBackfills { promoteBackfill(number) }
  }

  private mutating func promoteLive(_ dag: Int) {
    while let next = dags[dag].queued.min {
      if isStepFull { return postponed.promotions.append(dag) }
      guard let slot = queuedSlot(next), openBackfill(of: slots[Int(slot)].run) == nil else {
        dags[dag].queued.removeMin()
        continue
      }
      let maxActiveRuns = (dags[dag].plan ?? slots[Int(slot)].plan).description.maxActiveRuns
      if dags[dag].runningLive >= max(1, maxActiveRuns) { return }
      let runAfter = slots[Int(slot)].run.runAfter
      if runAfter > now {
        timers.insert(Timer(at: runAfter, kind: .promotion, subject: Int64(dag)))
        return
      }
      dags[dag].queued.removeMin()
      dags[dag].runningLive += 1
      startRun(slot)
    }
  }

  private mutating func promoteBackfill(_ number: Int64) {
    while let next = backfills[number]?.queued.min {
      if isStepFull { return postponed.backfills.append(number) }
      guard let slot = queuedSlot(next) else {
        backfills[number]!.queued.removeMin()
        continue
      }
      if dags[slots[Int(slot)].dag].isHeld { return }
      if backfills[number]!.running >= max(1, backfills[number]!.backfill.maxActiveRuns) { return }
      backfills[number]!.queued.removeMin()
      backfills[number]!.running += 1
      startRun(slot)
    }
  }

  private func queuedSlot(_ queued: QueuedRun) -> Int32? {
    guard let slot = slotsByRun[queued.run], slots[Int(slot)].run.state == .queued else { return nil }
    return slot
  }

  private mutating func startRun(_ slot: Int32) {
    touchRun(slot)
    slots[Int(slot)].run.state = .running
    slots[Int(slot)].run.startDate = slots[Int(slot)].run.startDate ?? now
    armDAGRunTimeout(slot)
    freeRun(slot)
    releaseHeldEmpties(slot)
    evaluateWaiting(slot)
    check(slot)
  }

  /// Looks at every task of a run that waits.
  mutating func evaluateWaiting(_ slot: Int32) {
    let entry = slots[Int(slot)]
    for position in entry.tasks.indices
    where entry.tasks[position].state == .none && entry.decide(position) != .wait {
      evaluateLater(slot, Int32(position))
    }
  }

  /// Ends the runs that are over.
  mutating func checkRuns() {
    let slotsToCheck = work.runsToCheck
    work.runsToCheck.removeAll(keepingCapacity: true)
    for slot in slotsToCheck {
      slots[Int(slot)].isToBeChecked = false
      guard slots[Int(slot)].run.state == .running, dags[slots[Int(slot)].dag].suspension == nil else { continue }
      if slots[Int(slot)].unfinished == 0 {
        endRun(slot, as: slots[Int(slot)].outcome)
      } else if slots[Int(slot)].moving == 0, let reason = deadlock(slot) {
        slots[Int(slot)].run.reason = reason
        endRun(slot, as: .failed)
      }
    }
  }

  /// Nothing moves, and nothing outside the run is waited for either: the rules can never be met. Airflow calls the run
  /// deadlocked.
  private func deadlock(_ slot: Int32) -> String? {
    let entry = slots[Int(slot)]
    var stuck: Int?
    for position in entry.tasks.indices where entry.tasks[position].state == .none {
      if entry.plan.tasks[position].dependsOnPast { return nil }
      // It can go on, and is about to.
      if entry.decide(position) != .wait { return nil }
      stuck = stuck ?? position
    }
    guard let stuck else { return nil }
    return "its tasks can never run: \(entry.plan.taskIDs[stuck]) needs \(entry.plan.tasks[stuck].rule.requirement), "
      + "and nothing is left that could change"
  }

  mutating func endRun(_ slot: Int32, as state: DAGRunState) {
    let dag = slots[Int(slot)].dag
    let before = slots[Int(slot)].run
    touchRun(slot)
    slots[Int(slot)].run.state = state
    slots[Int(slot)].run.endDate = now
    let wasRunning = before.state == .running ? 1 : 0
    dags[dag].remove(before)
    if let number = openBackfill(of: before) {
      backfills[number]!.unfinished -= 1
      backfills[number]!.running -= wasRunning
      work.backfillsToPromote.append(number)
      if backfills[number]!.isOver { completeBackfill(number) }
    } else {
      dags[dag].unfinishedLive -= 1
      dags[dag].runningLive -= wasRunning
      work.dagsToPromote.append(dag)
      work.dagsToSchedule.append(dag)
    }
    leave(slot)
  }

  /// A finished run leaves memory when the step is done. What others ask of its past is kept.
  mutating func leave(_ slot: Int32) {
    dags[slots[Int(slot)].dag].history.add(slots[Int(slot)])
    pastChanged(slot)
    work.endedRuns.append(slot)
  }

  func completed(_ backfill: Int64) -> Change { .backfillCompleted(number: backfill, at: now) }

  mutating func completeBackfill(_ number: Int64) {
    work.tail.append(completed(number))
    backfills[number] = nil
  }

  /// Ends what is unfinished of a run: what is active is stopped and becomes `activeAs`, the rest is skipped. Teardowns
  /// that are under way or may still run are left to do their work, as in Airflow.
  mutating func abandonTasks(_ slot: Int32, activeAs: TaskState, stop: Action.StopReason, reason: String) {
    for position in slots[Int(slot)].tasks.indices {
      let task = slots[Int(slot)].tasks[position]
      if task.state.isFinished || slots[Int(slot)].plan.tasks[position].isTeardown { continue }
      let place = TaskPlace(slot: slot, position: Int32(position))
      switch task.state {
      case .queued, .running, .restarting, .deferred, .upForReschedule, .awaitingInput:
        stopTry(place, as: activeAs, stop: stop, reason: reason)
      case .none, .scheduled, .upForRetry:
        let index = touch(place)
        slots[Int(slot)].tasks[position].endDate = now
        slots[Int(slot)].tasks[position].retryAt = nil
        work.touches[index].reason = reason
        move(place, to: .skipped)
      case .removed, .success, .failed, .upstreamFailed, .skipped: break
      }
    }
  }

  /// Ends a try that is under way, here and now; its process is stopped, and what it still reports comes too late.
  mutating func stopTry(_ place: TaskPlace, as state: TaskState, stop: Action.StopReason, reason: String) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    let index = touch(place)
    work.actions.append(.stop(slots[slot].tryKey(position), stop))
    slots[slot].tasks[position].endDate = now
    slots[slot].tasks[position].retryAt = nil
    work.touches[index].reason = reason
    work.touches[index].ended = TryRecord(
      tryNumber: Int(task.tryNumber), state: state, startDate: task.startDate, endDate: now, reason: reason)
    move(place, to: state)
  }

  mutating func dagrunTimedOut(_ slot: Int32) {
    let seconds = slots[Int(slot)].plan.description.dagrunTimeoutSeconds ?? 0
    cancelRun(slot, stop: .timedOut, reason: "the run timed out after \(formatSeconds(seconds))")
  }

  /// Fails a run: at once, or when its teardowns are through.
  mutating func cancelRun(_ slot: Int32, stop: Action.StopReason, reason: String) {
    touchRun(slot)
    slots[Int(slot)].run.reason = reason
    abandonTasks(slot, activeAs: .failed, stop: stop, reason: reason)
    if slots[Int(slot)].run.state == .queued || slots[Int(slot)].unfinished == 0 {
      skipUnfinished(slot, reason: reason)
      endRun(slot, as: .failed)
    } else {
      check(slot)
    }
  }

  /// Teardowns of a run that never began have nothing to tear down.
  mutating func skipUnfinished(_ slot: Int32, reason: String) {
    for position in slots[Int(slot)].tasks.indices where !slots[Int(slot)].tasks[position].state.isFinished {
      let place = TaskPlace(slot: slot, position: Int32(position))
      if slots[Int(slot)].tasks[position].state.isActive {
        stopTry(place, as: .failed, stop: .cancelled, reason: reason)
      } else {
        let index = touch(place)
        slots[Int(slot)].tasks[position].endDate = now
        slots[Int(slot)].tasks[position].retryAt = nil
        work.touches[index].reason = reason
        move(place, to: .skipped)
      }
    }
  }
}

extension RunEntry {
  /// How the run ends, now that all its tasks have.
  var outcome: DAGRunState {
    if run.reason != nil { return .failed }
    let failed = counts[.failed] + counts[.upstreamFailed] > 0
    guard failed else { return .success }
    let decides = tasks.indices.contains { position in
      plan.tasks[position].decidesRun
        && (tasks[position].state == .failed || tasks[position].state == .upstreamFailed)
    }
    return decides ? .failed : .success
  }
}
