import Dagrun
import Model

/// How a step comes together: moves are noted as they happen, and written out at its end.
extension Scheduler {
  /// Notes that an instance is about to change, and where from. Returns its index among the touches.
  @discardableResult
  mutating func touch(_ place: InstanceIndex) -> Int {
    let known = runs[place].touch
    if known > 0 { return Int(known) - 1 }
    let task = runs[place]
    work.touches.append(.init(place: place, from: task.state, fromTry: task.tryNumber))
    runs[place].touch = Int32(work.touches.count)
    return work.touches.count - 1
  }

  /// Notes that a run's row is about to change.
  mutating func touchRun(_ run: RunIndex) {
    guard runs[run].stateBefore == nil else { return }
    runs[run].stateBefore = runs[run].run.state
    work.changedRuns.append(run)
  }

  mutating func refuse(_ refusal: Refusal) { work.reply = .refused(refusal) }

  /// What would happen by itself now goes on in the next step.
  var isStepFull: Bool {
    work.passedDates + max(work.createdRuns.count, work.changedRuns.count) >= limits.stepRuns
      || work.createdTasks + work.touches.count >= limits.stepTasks
  }

  mutating func finishStep() -> Step {
    var step = Step()
    step.changes.reserveCapacity(work.head.count + work.touches.count + work.changedRuns.count + work.tail.count)
    step.changes.append(contentsOf: work.head)
    for run in work.createdRuns { step.changes.append(.runCreated(createdSnapshot(run))) }
    for run in work.changedRuns where !runs[run].isCreated {
      let entry = runs[run]
      step.changes.append(
        .runChanged(RunTransition(run: entry.run.number, from: entry.stateBefore!, to: entry.run)))
    }
    for touch in work.touches { appendTransition(touch, to: &step.changes) }
    step.changes += work.tail
    step.actions = work.actions
    step.reply = work.reply
    step.needsRestoring = work.needsRestoring
    step.notes = work.notes
    if let run = work.replyRun { step.reply = .run(runs[run].run, created: true) }
    for run in work.changedRuns { runs[run].stateBefore = nil }
    for run in work.createdRuns { runs[run].isCreated = false }
    for run in work.endedRuns { release(run) }
    work.reset()
    return step
  }

  private mutating func appendTransition(_ touch: StepWork.Touch, to changes: inout [Change]) {
    let place = touch.place
    runs[place].touch = 0
    // Rows that are inserted as they are now need no second change.
    if runs[place.run].isCreated, touch.ended == nil, touch.reason == nil { return }
    let taskID = runs[place.run].plan.taskIDs[Int(place.position)]
    changes.append(
      .taskChanged(
        TaskTransition(
          key: TaskInstanceKey(run: runs[place.run].run.number, taskID: taskID), from: touch.from,
          fromTry: Int(touch.fromTry), to: runs[place].instance(taskID: taskID),
          reason: touch.reason, ended: touch.ended)))
  }

  /// A run made in this step: its rows are inserted as they are now, but for instances whose change says more than
  /// the row does; those are inserted as they began, and changed then.
  private func createdSnapshot(_ run: RunIndex) -> RunSnapshot {
    let entry = runs[run]
    var snapshot = entry.snapshot()
    for position in entry.tasks.indices where entry.tasks[position].touch > 0 {
      let touch = work.touches[Int(entry.tasks[position].touch) - 1]
      if touch.ended != nil || touch.reason != nil {
        snapshot.tasks[position] = TaskInstance(
          taskID: entry.plan.taskIDs[position], state: touch.from, tryNumber: Int(touch.fromTry),
          maxTries: Int(entry.plan.tasks[position].retries))
      }
    }
    return snapshot
  }

  /// Forgets a run.
  private mutating func release(_ run: RunIndex) {
    admission.remove(run, runs[run])
    runs.remove(run)
  }
}
