import Dagrun
import Model

/// Whether a task may run: its trigger rule and setups, then its past.
extension Scheduler {
  mutating func evaluateAll() {
    while let place = step.nextEvaluation() { evaluate(place) }
  }

  /// Looks again at tasks that their past held back, in DAGs whose runs have changed.
  mutating func evaluatePast() {
    for dag in step.takeDAGsWithOtherPast() {
      for number in dags[dag].runs {
        let run = runs.index(of: number)!
        guard runs[run].run.state == .running else { continue }
        let plan = runs[run].plan
        for taskID in plan.pastTaskIDs {
          evaluateLater(at: plan.position(of: taskID)!, of: run)
        }
      }
    }
  }

  /// A run of the DAG has come, gone, or changed what it is.
  mutating func pastChanged(_ run: RunIndex) {
    guard !runs[run].plan.pastTaskIDs.isEmpty else { return }
    step.notePastChanged(ofDAG: runs[run].dag)
  }

  private mutating func evaluate(_ place: InstanceIndex) {
    guard runs[place].state == .none, runs[place.run].run.state == .running,
      dags[runs[place.run].dag].suspension == nil
    else { return }
    let task = runs.planned(place)
    // Asking the run itself would copy it, which the many simple tasks should not pay for.
    let decision =
      task.isConstrained || task.isMapped || (task.isExcludable && !runs[place.run].choices.isEmpty)
      ? runs[place.run].decide(place.offset)
      : task.rule.decide(runs[place.run].upstreamCounts(of: place.offset))
    switch decision {
    case .wait: return
    case .end(let state):
      if state == .skipped, task.waitsForPastBeforeSkipping, blockingPast(of: place) != nil { return }
      let reason = runs[place.run].reason(place.offset, for: state)
      let isEndedByList = task.isMapped && runs[place.run].reasonOfList(place.offset) != nil
      move(place, to: state)
      if isEndedByList { runs[place].endByList() }
      runs[place].startDate = now
      runs[place].endDate = now
      setReason(reason, of: place)
    case .run:
      if task.dependsOnPast, blockingPast(of: place) != nil { return }
      if task.isMapped, runs[place.run].mapIndex(of: place.offset) == TaskInstanceKey.notMapped { return expand(place) }
      makeReady(place)
    }
  }

  /// The rule is met: what needs no executor is done at once, the rest waits for a slot.
  private mutating func makeReady(_ place: InstanceIndex) {
    guard runs.planned(place).isEmpty else {
      move(place, to: .scheduled)
      enqueue(place)
      return
    }
    if isHeld(place.run) {
      move(place, to: .scheduled)
      hold(place)
    } else {
      succeedEmpty(place)
    }
  }

  mutating func hold(_ place: InstanceIndex) {
    runs[place].isReady = true
    runs[place.run].heldEmpties.append(place.offset)
  }

  /// Nothing of the run may start now, whatever slots there are.
  func isHeld(_ run: RunIndex) -> Bool {
    limits.isOffline || dags[runs[run].dag].isHeld || runs[run].run.state != .running
  }

  private mutating func succeedEmpty(_ place: InstanceIndex) {
    noteTransition(of: place)
    runs[place].tryNumber = runs[place].tryNumber.addingSaturating(1)
    runs[place].startDate = now
    runs[place].endDate = now
    runs[place].retryAt = nil
    let record = TryRecord(
      tryNumber: Int(runs[place].tryNumber), state: .success, startDate: now, endDate: now)
    setEnded(record, of: place)
    if runs.planned(place).isLatestOnly, !isLatest(place.run) { choose(place, .cases([])) }
    move(place, to: .success)
  }

  /// Empty tasks that could not be done when they became ready.
  mutating func releaseHeldEmpties(_ run: RunIndex) {
    guard !isHeld(run) else { return }
    let held = runs[run].heldEmpties
    runs[run].heldEmpties = []
    for instance in held where runs[run][instance].isReady {
      succeedEmpty(InstanceIndex(run: run, offset: instance))
    }
  }

  /// The earlier instance that holds a task with `dependsOnPast` back: the newest one before the run's logical date has
  /// not succeeded and was not skipped. nil: nothing holds it.
  ///
  /// As Airflow's `PrevDagrunDep`, but for one thing: a run that did not have the task is looked through. With catchup
  /// manual runs do not count. The run of the first date of a backfill has no past.
  func blockingPast(of place: InstanceIndex) -> DependsOnPastHistory.Instance? {
    let entry = runs[place.run]
    guard let date = entry.run.logicalDate, !entry.run.isFirstOfBackfill else { return nil }
    let taskID = entry.taskID(of: place.offset)
    let catchup = entry.plan.description.catchup
    let past = newestPast(taskID, before: date, dag: entry.dag) { !(catchup && $0.isManual) }
    return past.flatMap { $0.isPassed ? nil : $0 }
  }

  private func newestPast(
    _ taskID: String, before date: Timestamp, dag: Int, where isCounted: (DependsOnPastHistory.Instance) -> Bool
  ) -> DependsOnPastHistory.Instance? {
    var newest = dags[dag].history.newest(taskID, before: date, where: isCounted)
    for number in dags[dag].runs {
      let run = runs.index(of: number)!
      guard let other = runs[run].run.logicalDate, other < date, newest.map({ other > $0.logicalDate }) ?? true,
        let position = runs[run].plan.position(of: taskID), runs[run].plan.tasks[position].dependsOnPast
      else { continue }
      let instance = DependsOnPastHistory.Instance(runs[run], logicalDate: other, position: position)
      if isCounted(instance) { newest = instance }
    }
    return newest
  }
}
