import Dagrun
import Model

/// The one way in which a task instance changes its state, and what is counted along with it.
extension Scheduler {
  /// Moves an instance, and keeps every count in step: of its run, of its downstream tasks, of what it holds. The caller sets
  /// dates and tries.
  mutating func move(_ place: InstanceIndex, to state: TaskState) {
    let position = Int(place.position)
    noteTransition(of: place)
    let from = runs[place].state
    if from == state { return }
    runs[place].state = state
    runs[place].isReady = false
    runs[place.run].counts.move(from: from, to: state)
    if from.isActive != state.isActive || from == .deferred || state == .deferred {
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
    let task = runs[place.run].plan.tasks[position]
    if task.isWatched {
      for watcher in runs[place.run].plan.watchers[place.position]! {
        step.evaluate(InstanceIndex(run: place.run, position: watcher))
      }
    }
    if task.dependsOnPast { evaluateFuture(of: place) }
  }

  /// Tells the tasks right below that one has ended, or has not ended after all.
  private mutating func countDownstream(_ place: InstanceIndex, from: TaskState, to state: TaskState) {
    let plan = runs[place.run].plan
    for downstream in plan.downstream[Int(place.position)] {
      let below = InstanceIndex(run: place.run, position: downstream)
      if from.isFinished { runs[below].countUpstream(from, -1) }
      guard state.isFinished else { continue }
      runs[below].countUpstream(state)
      if runs[below].state == .none { evaluateIfDecided(below, plan) }
    }
  }

  /// Only tasks about which there is something to decide get on the list.
  private mutating func evaluateIfDecided(_ place: InstanceIndex, _ plan: DAGPlan) {
    let planned = plan.tasks[Int(place.position)]
    if !planned.isConstrained,
      planned.rule.decide(runs[place].counts(upstream: plan.upstream.degree(of: Int(place.position)))) == .wait
    {
      return
    }
    step.evaluate(place)
  }

  /// The same task in later runs may wait for this one.
  private mutating func evaluateFuture(of place: InstanceIndex) {
    let entry = runs[place.run]
    guard let date = entry.run.logicalDate else { return }
    let taskID = entry.plan.taskIDs[Int(place.position)]
    for number in dags[entry.dag].runs where number != entry.run.number {
      guard let run = runs.index(of: number), let later = runs[run].run.logicalDate, later > date,
        let position = runs[run].plan.position(of: taskID)
      else { continue }
      step.evaluate(InstanceIndex(run: run, position: Int32(position)))
    }
  }

  mutating func check(_ run: RunIndex) {
    guard !runs[run].isToBeChecked else { return }
    runs[run].isToBeChecked = true
    step.check(run)
  }
}
