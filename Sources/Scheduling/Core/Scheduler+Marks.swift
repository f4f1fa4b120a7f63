import Dagrun
import Model

/// States set by hand.
extension Scheduler {
  /// As Airflow's `set_task_instance_state`: whatever a task is set to, the tasks below it that had failed, or could not
  /// run, start over, and so do the setups and teardowns of those, if they had failed.
  mutating func setTaskState(_ key: TaskInstanceKey, _ state: TaskState, _ loaded: RunSnapshot?) {
    guard state == .success || state == .failed || state == .skipped else {
      return refuse(.invalid("a task can be set to success, failed or skipped, not to \(state.rawValue)"))
    }
    // Before the run comes into memory: a refusal changes nothing.
    if let plan = planOnceOpen(key.run, loaded), plan.position(of: key.taskID) == nil {
      return refuse(.unknownTask(dagID: plan.dagID, taskID: key.taskID))
    }
    guard let slot = open(key.run, loaded: loaded), let position = slots[Int(slot)].plan.position(of: key.taskID)
    else { return }
    let place = TaskPlace(slot: slot, position: Int32(position))
    mark(place, state)
    let meant = slots[Int(slot)].plan.subset(of: [place.position], withUpstream: false, withDownstream: true)
    for other in meant where other != place.position {
      switch slots[Int(slot)].tasks[Int(other)].state {
      case .failed, .upstreamFailed: clear(TaskPlace(slot: slot, position: other))
      case .none, .removed, .scheduled, .queued, .running, .success, .restarting, .upForRetry, .upForReschedule,
        .skipped, .deferred, .awaitingInput:
        break
      }
    }
    work.reply = .done
    conclude(slot)
  }

  private mutating func mark(_ place: TaskPlace, _ state: TaskState) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    let reason = "marked \(state.rawValue) by hand"
    if task.state == state { return }
    if task.state.isActive || task.state == .deferred || task.state == .awaitingInput {
      stopTry(place, as: state, stop: .cancelled, reason: reason)
      return
    }
    let index = touch(place)
    slots[slot].tasks[position].startDate = task.startDate ?? now
    slots[slot].tasks[position].endDate = now
    slots[slot].tasks[position].retryAt = nil
    work.touches[index].reason = reason
    move(place, to: state)
  }

  /// As Airflow's `set_dag_run_state_to_…`: what runs takes the run's new state, what waits is skipped, teardowns still
  /// do their work.
  mutating func setRunState(_ number: Int64, _ state: DAGRunState, _ loaded: RunSnapshot?) {
    guard state != .running else {
      return refuse(.invalid("a run can be set to success, failed or queued, not to running"))
    }
    guard let slot = open(number, loaded: loaded) else { return }
    work.reply = .done
    if slots[Int(slot)].run.state.isFinished {
      setFinishedRunState(slot, state)
      return
    }
    switch state {
    case .failed: cancelRun(slot, stop: .cancelled, reason: "cancelled")
    case .success:
      abandonTasks(slot, activeAs: .success, stop: .cancelled, reason: "the run was marked success by hand")
      if slots[Int(slot)].unfinished == 0 || slots[Int(slot)].run.state == .queued {
        touchRun(slot)
        slots[Int(slot)].run.reason = nil
        skipUnfinished(slot, reason: "the run was marked success by hand")
        endRun(slot, as: .success)
      }
    case .queued, .running: break
    }
  }

  /// As `setRunState` to failed, but for tasks whose past has not succeeded. A skipped past holds up nothing, and here nobody
  /// has said that it should not: they are upstream_failed, so that the runs after this one wait for their past too.
  mutating func endStuckRun(_ number: Int64, _ loaded: RunSnapshot?) {
    guard let slot = open(number, loaded: loaded) else { return }
    work.reply = .done
    guard !slots[Int(slot)].run.state.isFinished else { return leave(slot) }
    for position in slots[Int(slot)].tasks.indices {
      let place = TaskPlace(slot: slot, position: Int32(position))
      guard slots[Int(slot)].tasks[position].state == .none, slots[Int(slot)].plan.tasks[position].dependsOnPast,
        let past = blockingPast(of: place), isPastDead(of: place)
      else { continue }
      let index = touch(place)
      slots[Int(slot)].tasks[position].endDate = now
      let taskID = slots[Int(slot)].plan.taskIDs[position]
      work.touches[index].reason = Reason.past(taskID: taskID, logicalDate: past.logicalDate).description
      move(place, to: .upstreamFailed)
    }
    cancelRun(slot, stop: .cancelled, reason: "it could not go on")
  }

  private mutating func setFinishedRunState(_ slot: Int32, _ state: DAGRunState) {
    if state == .queued { return reopen(slot) }
    if slots[Int(slot)].run.state != state {
      touchRun(slot)
      slots[Int(slot)].run.state = state
      slots[Int(slot)].run.reason = state == .failed ? "marked failed by hand" : nil
    }
    leave(slot)
  }
}
