import Dagrun
import Model

/// The one way in which a task instance changes its state, and what is counted along with it.
extension Scheduler {
  /// Moves an instance, and keeps every count in step: of its run, of its downstream tasks, of what it holds. The
  /// caller sets dates and tries.
  mutating func move(_ place: InstanceIndex, to state: TaskState) {
    noteTransition(of: place)
    let from = runs[place].state
    if from == state { return }
    runs[place].state = state
    runs[place].isReady = false
    runs[place.run].counts.move(from: from, to: state)
    if from.isActive != state.isActive || from == .deferred || state == .deferred {
      let position = runs[place.run].planPosition(of: place.offset)
      admission.release(position, of: place.run, in: from)
      admission.occupy(position, of: place.run, in: state)
    }
    guard from.isFinished || state.isFinished else {
      if state == .none { check(place.run) }
      return
    }
    if from.isFinished {
      runs[place.run].unfinished += 1
    }
    if state.isFinished {
      runs[place.run].unfinished -= 1
      check(place.run)
    }
    countDownstream(place, from: from, to: state)
    let task = runs.planned(place)
    if task.isWatched { evaluateWatchers(of: place) }
    if task.dependsOnPast { evaluateFuture(of: place) }
  }

  /// Counts for the instances right below that this one has ended, or has not ended after all.
  private mutating func countDownstream(_ place: InstanceIndex, from: TaskState, to state: TaskState) {
    let plan = runs[place.run].plan
    for downstream in plan.downstream[runs[place.run].planPosition(of: place.offset)] {
      for offset in runs[place.run].instances(at: Int(downstream)) {
        let below = InstanceIndex(run: place.run, offset: offset)
        if from.isFinished { runs[below].countUpstream(from, -1) }
        guard state.isFinished else { continue }
        runs[below].countUpstream(state)
        if runs[below].state == .none { evaluateIfDecided(below, plan.tasks[Int(downstream)]) }
      }
    }
  }

  /// Only instances about which there is something to decide get on the list.
  private mutating func evaluateIfDecided(_ place: InstanceIndex, _ planned: PlannedTask) {
    if !planned.isConstrained, planned.rule.decide(runs[place.run].upstreamCounts(of: place.offset)) == .wait { return }
    step.evaluateLater(place)
  }

  /// Tasks that this one holds up without being right above them.
  private mutating func evaluateWatchers(of place: InstanceIndex) {
    let position = Int32(runs[place.run].planPosition(of: place.offset))
    for watcher in runs[place.run].plan.watchers[position]! { evaluateLater(at: Int(watcher), of: place.run) }
  }

  /// The same task in later runs may wait for this one.
  private mutating func evaluateFuture(of place: InstanceIndex) {
    let entry = runs[place.run]
    guard let date = entry.run.logicalDate else { return }
    let taskID = entry.taskID(of: place.offset)
    for number in dags[entry.dag].runs where number != entry.run.number {
      guard let run = runs.index(of: number), let later = runs[run].run.logicalDate, later > date,
        let position = runs[run].plan.position(of: taskID)
      else { continue }
      evaluateLater(at: position, of: run)
    }
  }

  /// Puts every instance of a task on the list of those to be looked at.
  mutating func evaluateLater(at position: Int, of run: RunIndex) {
    for offset in runs[run].instances(at: position) { step.evaluateLater(InstanceIndex(run: run, offset: offset)) }
  }

  mutating func check(_ run: RunIndex) {
    guard !runs[run].isToBeChecked else { return }
    runs[run].isToBeChecked = true
    step.checkLater(run)
  }
}
