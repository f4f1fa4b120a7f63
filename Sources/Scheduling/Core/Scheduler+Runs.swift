import Dagrun
import HeapModule
import Model

/// A run's life: queued, started, over.
extension Scheduler {
  /// Puts a run in memory, and counts it if it is unfinished.
  @discardableResult
  mutating func insert(_ snapshot: RunSnapshot, plan: DAGPlan, dag: Int) -> RunIndex {
    let entry = RunEntry(snapshot, plan: plan, dag: dag)
    let run = runs.insert(entry)
    admission.insert(run, entry)
    if !snapshot.run.state.isFinished { countUnfinished(run) }
    return run
  }

  /// A run that has not finished counts in its DAG and its backfill.
  mutating func countUnfinished(_ run: RunIndex) {
    let dagRun = runs[run].run
    let dag = runs[run].dag
    let isRunning = dagRun.state == .running ? 1 : 0
    dags[dag].insert(dagRun)
    pastChanged(run)
    if let backfill = openBackfill(of: dagRun) {
      backfills[backfill]!.unfinished += 1
      backfills[backfill]!.running += isRunning
    } else {
      dags[dag].unfinishedLive += 1
      dags[dag].runningLive += isRunning
    }
    if dagRun.state == .queued { queueRun(run) }
  }

  /// The backfill that the run counts in, while that is under way.
  func openBackfill(of run: DAGRun) -> Int64? {
    run.backfill.flatMap { backfills[$0] == nil ? nil : $0 }
  }

  private mutating func queueRun(_ run: RunIndex) {
    let dagRun = runs[run].run
    if let number = openBackfill(of: dagRun) {
      let date = (dagRun.logicalDate ?? dagRun.runAfter).microseconds
      let isBackwards = backfills[number]!.backfill.runsBackwards
      backfills[number]!.queued.insert(QueuedRun(order: isBackwards ? -date : date, run: dagRun.number))
      step.promoteLater(backfill: number)
    } else {
      dags[runs[run].dag].queued.insert(QueuedRun(order: dagRun.runAfter.microseconds, run: dagRun.number))
      step.promoteLater(runs[run].dag)
    }
  }

  /// Lets queued runs start while `maxActiveRuns` leaves room.
  mutating func promoteRuns() {
    let (waitingDAGs, waitingBackfills) = step.takePromotions()
    guard !limits.isOffline else { return }
    for dag in waitingDAGs where !dags[dag].isHeld && !dags[dag].isDeleted { promoteLive(dag) }
    for number in waitingBackfills { promoteBackfill(number) }
  }

  private mutating func promoteLive(_ dag: Int) {
    while let next = dags[dag].queued.min {
      if step.isFull(limits) { return step.postponePromotion(dag) }
      guard let run = queuedRun(next), openBackfill(of: runs[run].run) == nil else {
        dags[dag].queued.removeMin()
        continue
      }
      let maxActiveRuns = (dags[dag].plan ?? runs[run].plan).description.maxActiveRuns
      if dags[dag].runningLive >= max(1, maxActiveRuns) { return }
      let runAfter = runs[run].run.runAfter
      if runAfter > now {
        timers.insert(Timer(at: runAfter, .promotion, subject: Int64(dag)))
        return
      }
      dags[dag].queued.removeMin()
      dags[dag].runningLive += 1
      startRun(run)
    }
  }

  private mutating func promoteBackfill(_ number: Int64) {
    while let next = backfills[number]?.queued.min {
      if step.isFull(limits) { return step.postponePromotion(backfill: number) }
      guard let run = queuedRun(next) else {
        backfills[number]!.queued.removeMin()
        continue
      }
      if dags[runs[run].dag].isHeld { return }
      if backfills[number]!.running >= max(1, backfills[number]!.backfill.maxActiveRuns) { return }
      backfills[number]!.queued.removeMin()
      backfills[number]!.running += 1
      startRun(run)
    }
  }

  private func queuedRun(_ queued: QueuedRun) -> RunIndex? {
    guard let run = runs.index(of: queued.run), runs[run].run.state == .queued else { return nil }
    return run
  }

  private mutating func startRun(_ run: RunIndex) {
    noteChange(of: run)
    runs[run].run.state = .running
    runs[run].run.startDate = runs[run].run.startDate ?? now
    armDAGRunTimeout(run)
    admission.noteRunRoom(run)
    releaseHeldEmpties(run)
    evaluateWaiting(run)
    check(run)
  }

  /// Looks at every task of a run that waits.
  mutating func evaluateWaiting(_ run: RunIndex) {
    let entry = runs[run]
    for instance in entry.instances where entry[instance].state == .none && entry.decide(instance) != .wait {
      step.evaluateLater(InstanceIndex(run: run, offset: instance))
    }
  }

  /// Ends the runs that are over.
  mutating func checkRuns() {
    for run in step.takeRunsToCheck() {
      runs[run].isToBeChecked = false
      guard runs[run].run.state == .running, dags[runs[run].dag].suspension == nil else { continue }
      if runs[run].unfinished == 0 {
        endRun(run, as: runs[run].outcome)
      } else if runs[run].moving == 0, let reason = deadlock(run) {
        runs[run].run.reason = reason
        endRun(run, as: .failed)
      }
    }
  }

  /// Nothing moves, and nothing outside the run is waited for either: the rules can never be met. Airflow calls the run
  /// deadlocked.
  private func deadlock(_ run: RunIndex) -> String? {
    let entry = runs[run]
    var stuck: InstanceOffset?
    for instance in entry.instances where entry[instance].state == .none {
      if entry.planned(instance).dependsOnPast { return nil }
      // It can continue, and is about to.
      if entry.decide(instance) != .wait { return nil }
      stuck = stuck ?? instance
    }
    guard let stuck else { return nil }
    return "its tasks can never run: \(entry.taskID(of: stuck)) needs \(entry.planned(stuck).rule.requirement), "
      + "and nothing is left that could change"
  }

  mutating func endRun(_ run: RunIndex, as state: DAGRunState) {
    let dag = runs[run].dag
    let before = runs[run].run
    noteChange(of: run)
    runs[run].run.state = state
    runs[run].run.endDate = now
    let wasRunning = before.state == .running ? 1 : 0
    dags[dag].remove(before)
    if let number = openBackfill(of: before) {
      backfills[number]!.unfinished -= 1
      backfills[number]!.running -= wasRunning
      step.promoteLater(backfill: number)
      if backfills[number]!.isOver { completeBackfill(number) }
    } else {
      dags[dag].unfinishedLive -= 1
      dags[dag].runningLive -= wasRunning
      step.promoteLater(dag)
      step.scheduleLater(dag)
    }
    leave(run)
  }

  /// A finished run leaves memory when the step is done. What others ask of its past is kept.
  mutating func leave(_ run: RunIndex) {
    dags[runs[run].dag].history.add(runs[run])
    pastChanged(run)
    step.noteLeaving(run)
  }

  func completed(_ backfill: Int64) -> Change { .backfillCompleted(number: backfill, at: now) }

  mutating func completeBackfill(_ number: Int64) {
    step.appendLast(completed(number))
    backfills[number] = nil
  }

  /// Ends what is unfinished of a run: what is active is stopped and becomes `activeAs`, the rest is skipped. Teardowns
  /// that are under way or may still run are left to do their work, as in Airflow.
  mutating func abandonTasks(_ run: RunIndex, activeAs: TaskState, stop: Action.StopReason, reason: String) {
    for instance in runs[run].instances {
      let task = runs[run][instance]
      if task.state.isFinished || runs[run].planned(instance).isTeardown { continue }
      let place = InstanceIndex(run: run, offset: instance)
      switch task.state {
      case .queued, .running, .restarting, .deferred, .upForReschedule, .awaitingInput:
        stopTry(place, as: activeAs, stop: stop, reason: reason)
      case .none, .scheduled, .upForRetry:
        skip(place, reason: reason)
      case .removed, .success, .failed, .upstreamFailed, .skipped: break
      }
    }
  }

  mutating func skip(_ place: InstanceIndex, reason: String) {
    setReason(reason, of: place)
    runs[place].endDate = now
    runs[place].retryAt = nil
    move(place, to: .skipped)
  }

  /// Ends a try that is under way, here and now; its process is stopped, and what it still reports comes too late.
  mutating func stopTry(_ place: InstanceIndex, as state: TaskState, stop: Action.StopReason, reason: String) {
    let task = runs[place]
    setReason(reason, of: place)
    step.append(.stop(runs[place.run].tryKey(place.offset), stop))
    runs[place].endDate = now
    runs[place].retryAt = nil
    let record = TryRecord(
      tryNumber: Int(task.tryNumber), state: state, startDate: task.startDate, endDate: now, reason: reason)
    setEnded(record, of: place)
    move(place, to: state)
  }

  mutating func dagrunTimedOut(_ run: RunIndex) {
    let seconds = runs[run].plan.description.dagrunTimeoutSeconds ?? 0
    cancelRun(run, stop: .timedOut, reason: "the run timed out after \(formatSeconds(seconds))")
  }

  /// Fails a run: at once, or when its teardowns are through.
  mutating func cancelRun(_ run: RunIndex, stop: Action.StopReason, reason: String) {
    noteChange(of: run)
    runs[run].run.reason = reason
    abandonTasks(run, activeAs: .failed, stop: stop, reason: reason)
    if runs[run].run.state == .queued || runs[run].unfinished == 0 {
      skipUnfinished(run, reason: reason)
      endRun(run, as: .failed)
    } else {
      check(run)
    }
  }

  /// Teardowns of a run that never began have nothing to tear down.
  mutating func skipUnfinished(_ run: RunIndex, reason: String) {
    for instance in runs[run].instances where !runs[run][instance].state.isFinished {
      let place = InstanceIndex(run: run, offset: instance)
      if runs[run][instance].state.isActive {
        stopTry(place, as: .failed, stop: .cancelled, reason: reason)
      } else {
        skip(place, reason: reason)
      }
    }
  }
}
