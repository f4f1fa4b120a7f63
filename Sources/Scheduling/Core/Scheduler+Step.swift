import Dagrun
import Model

/// How a step comes together: moves are noted as they happen, and written out at its end.
extension Scheduler {
  /// Notes that an instance is about to change, and where from. Returns its index among the touches.
  @discardableResult
  mutating func touch(_ place: TaskPlace) -> Int {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let known = slots[slot].tasks[position].touch
    if known > 0 { return Int(known) - 1 }
    let task = slots[slot].tasks[position]
    work.touches.append(
      .init(slot: place.slot, position: place.position, from: task.state, fromTry: task.tryNumber))
    slots[slot].tasks[position].touch = Int32(work.touches.count)
    return work.touches.count - 1
  }

  /// Notes that a run's row is about to change.
  mutating func touchRun(_ slot: Int32) {
    guard slots[Int(slot)].stateBefore == nil else { return }
    slots[Int(slot)].stateBefore = slots[Int(slot)].run.state
    work.changedRuns.append(slot)
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
    for slot in work.createdRuns { step.changes.append(.runCreated(createdSnapshot(slot))) }
    for slot in work.changedRuns where !slots[Int(slot)].isCreated {
      let entry = slots[Int(slot)]
      step.changes.append(
        .runChanged(RunTransition(run: entry.run.number, from: entry.stateBefore!, to: entry.run)))
    }
    for touch in work.touches { appendTransition(touch, to: &step.changes) }
    step.changes += work.tail
    step.actions = work.actions
    step.reply = work.reply
    step.needsRestoring = work.needsRestoring
    step.notes = work.notes
    if let slot = work.replyRun { step.reply = .run(slots[Int(slot)].run, created: true) }
    for slot in work.changedRuns { slots[Int(slot)].stateBefore = nil }
    for slot in work.createdRuns { slots[Int(slot)].isCreated = false }
    for slot in work.endedRuns { release(slot) }
    work.reset()
    return step
  }

  private mutating func appendTransition(_ touch: StepWork.Touch, to changes: inout [Change]) {
    let slot = Int(touch.slot)
    let position = Int(touch.position)
    slots[slot].tasks[position].touch = 0
    // Rows that are inserted as they are now need no second change.
    if slots[slot].isCreated, touch.ended == nil, touch.reason == nil { return }
    let taskID = slots[slot].plan.taskIDs[position]
    changes.append(
      .taskChanged(
        TaskTransition(
          key: TaskInstanceKey(run: slots[slot].run.number, taskID: taskID), from: touch.from,
          fromTry: Int(touch.fromTry), to: slots[slot].tasks[position].instance(taskID: taskID),
          reason: touch.reason, ended: touch.ended)))
  }

  /// A run made in this step: its rows are inserted as they are now, but for instances whose change says more than
  /// the row does; those are inserted as they began, and changed then.
  private func createdSnapshot(_ slot: Int32) -> RunSnapshot {
    let entry = slots[Int(slot)]
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
  private mutating func release(_ slot: Int32) {
    for lane in slots[Int(slot)].lanes.values.sorted() { queue.removeLane(lane) }
    slotsByRun[slots[Int(slot)].run.number] = nil
    if latestRun?.slot == slot { latestRun = nil }
    slots[Int(slot)] = .unused
    unusedSlots.append(slot)
  }
}
