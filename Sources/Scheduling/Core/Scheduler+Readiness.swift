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
          step.evaluate(InstanceIndex(run: run, position: Int32(plan.position(of: taskID)!)))
        }
      }
    }
  }

  /// A run of the DAG has come, gone, or changed what it is.
  mutating func pastChanged(_ run: RunIndex) {
    guard !runs[run].plan.pastTaskIDs.isEmpty else { return }
    step.changePast(ofDAG: runs[run].dag)
  }

  private mutating func evaluate(_ place: InstanceIndex) {
    let position = Int(place.position)
    guard runs[place].state == .none, runs[place.run].run.state == .running,
      dags[runs[place.run].dag].suspension == nil
    else { return }
    let plan = runs[place.run].plan
    let task = plan.tasks[position]
    // Asking the run itself would copy it, which the many simple tasks should not pay for.
    let decision =
      task.isConstrained
      ? runs[place.run].decide(position)
      : task.rule.decide(runs[place].counts(upstream: plan.upstream.degree(of: position)))
    switch decision {
    case .wait: return
    case .end(let state):
      if state == .skipped, task.waitsForPastBeforeSkipping, blockingPast(of: place) != nil { return }
      let reason = runs[place.run].blame(position, for: state)
      move(place, to: state)
      runs[place].startDate = now
      runs[place].endDate = now
      setReason(reason, of: place)
    case .run:
      if task.dependsOnPast, blockingPast(of: place) != nil { return }
      makeReady(place)
    }
  }

  /// The rule is met: what needs no executor is done at once, the rest waits for a slot.
  private mutating func makeReady(_ place: InstanceIndex) {
    let position = Int(place.position)
    guard runs[place.run].plan.tasks[position].isEmpty else {
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
    runs[place.run].heldEmpties.append(place.position)
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
    move(place, to: .success)
  }

  /// Empty tasks that could not be done when they became ready.
  mutating func releaseHeldEmpties(_ run: RunIndex) {
    guard !isHeld(run) else { return }
    let held = runs[run].heldEmpties
    runs[run].heldEmpties = []
    for position in held where runs[run].tasks[Int(position)].isReady {
      succeedEmpty(InstanceIndex(run: run, position: position))
    }
  }

  /// The earlier instance that holds a task with `dependsOnPast` back: the newest one before the run's logical date has
  /// not succeeded and was not skipped. nil: nothing holds it.
  ///
  /// As Airflow's `PrevDagrunDep`, but for one thing: a run that did not have the task is looked through. With catchup
  /// manual runs do not count. The run of the first date of a backfill has no past.
  func blockingPast(of place: InstanceIndex) -> PastHistory.Instance? {
    let entry = runs[place.run]
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
      let run = runs.index(of: number)!
      guard let other = runs[run].run.logicalDate, other < date, newest.map({ other > $0.logicalDate }) ?? true,
        let position = runs[run].plan.position(of: taskID), runs[run].plan.tasks[position].dependsOnPast
      else { continue }
      let instance = PastHistory.Instance(
        runs[run].run, logicalDate: other, state: runs[InstanceIndex(run: run, position: Int32(position))].state)
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
