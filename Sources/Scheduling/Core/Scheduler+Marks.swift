import Dagrun
import Model

/// States set by hand.
extension Scheduler {
  /// As Airflow's `set_task_instance_state`: whatever a task is set to, the tasks below it that had failed, or could
  /// not run, start over, and so do the setups and teardowns of those, if they had failed.
  mutating func setTaskState(_ key: TaskInstanceKey, _ state: TaskState, _ loaded: RunSnapshot?) {
    guard state == .success || state == .failed || state == .skipped else {
      return refuse(.invalid("a task can be set to success, failed or skipped, not to \(state.rawValue)"))
    }
    // Before the run comes into memory: a refusal changes nothing.
    if let plan = planOnceOpen(key.run, loaded), plan.position(of: key.taskID) == nil {
      return refuse(.unknownTask(dagID: plan.dagID, taskID: key.taskID))
    }
    guard let run = open(key.run, loaded: loaded) else { return }
    guard let instance = runs[run].instance(key) else {
      refuse(unknownInstance(key, of: run))
      return conclude(run)
    }
    if runs[run][instance].state == .removed, key.mapIndex >= 0 {
      refuse(.invalid("\(runs[run].key(instance).name) is removed: the list no longer has its element"))
      return conclude(run)
    }
    let place = InstanceIndex(run: run, offset: instance)
    mark(place, state)
    let position = Int32(runs[run].planPosition(of: instance))
    let meant = runs[run].plan.subset(of: [position], withUpstream: false, withDownstream: true)
    for other in meant.filter({ $0 != position }).flatMap({ runs[run].instances(at: Int($0)) }) {
      switch runs[run][other].state {
      case .failed, .upstreamFailed: clear(InstanceIndex(run: run, offset: other))
      case .none, .removed, .scheduled, .queued, .running, .success, .restarting, .upForRetry, .upForReschedule,
        .skipped, .deferred, .awaitingInput:
        break
      }
    }
    step.answer(.done)
    conclude(run)
  }

  private func unknownInstance(_ key: TaskInstanceKey, of run: RunIndex) -> Refusal {
    let entry = runs[run]
    guard let position = entry.plan.position(of: key.taskID), entry.isExpanded(position) else {
      return .unknownTask(dagID: entry.run.dagID, taskID: key.taskID)
    }
    let count = entry.instances(at: position).count
    return .invalid(
      "\(key.taskID) has \(count) \(count == 1 ? "instance" : "instances"), from 0; name one by its map index")
  }

  private mutating func mark(_ place: InstanceIndex, _ state: TaskState) {
    let task = runs[place]
    let reason = "marked \(state.rawValue) by hand"
    if task.state == state { return }
    if task.isEndedByList { runs[place].grantTries(runs.planned(place).retries) }
    if task.state.isActive || task.state == .deferred || task.state == .awaitingInput {
      stopTry(place, as: state, stop: .cancelled, reason: reason)
      return
    }
    setReason(reason, of: place)
    runs[place].startDate = task.startDate ?? now
    runs[place].endDate = now
    runs[place].retryAt = nil
    move(place, to: state)
  }

  /// As Airflow's `set_dag_run_state_to_…`: what runs takes the run's new state, what waits is skipped, teardowns still
  /// do their work.
  mutating func setRunState(_ number: Int64, _ state: DAGRunState, _ loaded: RunSnapshot?) {
    guard state != .running else {
      return refuse(.invalid("a run can be set to success, failed or queued, not to running"))
    }
    guard let run = open(number, loaded: loaded) else { return }
    step.answer(.done)
    if runs[run].run.state.isFinished {
      setFinishedRunState(run, state)
      return
    }
    switch state {
    case .failed: cancelRun(run, stop: .cancelled, reason: "cancelled")
    case .success:
      abandonTasks(run, activeAs: .success, stop: .cancelled, reason: "the run was marked success by hand")
      if runs[run].unfinished == 0 || runs[run].run.state == .queued {
        noteChange(of: run)
        runs[run].run.reason = nil
        skipUnfinished(run, reason: "the run was marked success by hand")
        endRun(run, as: .success)
      }
    case .queued, .running: break
    }
  }

  /// As `setRunState` to failed, but for tasks whose past has not succeeded. A skipped past holds up nothing, and here
  /// nobody has said that it should not: they are upstream_failed, so that the runs after this one wait for their past
  /// too.
  mutating func endStuckRun(_ number: Int64, _ loaded: RunSnapshot?) {
    guard let run = open(number, loaded: loaded) else { return }
    step.answer(.done)
    guard !runs[run].run.state.isFinished else { return leave(run) }
    for instance in runs[run].instances {
      let place = InstanceIndex(run: run, offset: instance)
      guard runs[run][instance].state == .none, runs.planned(place).dependsOnPast,
        let past = blockingPast(of: place), isPastDead(of: place)
      else { continue }
      runs[place].endDate = now
      let taskID = runs[run].taskID(of: instance)
      setReason(Reason.past(taskID: taskID, logicalDate: past.logicalDate).description, of: place)
      move(place, to: .upstreamFailed)
    }
    cancelRun(run, stop: .cancelled, reason: "it could not continue")
  }

  private mutating func setFinishedRunState(_ run: RunIndex, _ state: DAGRunState) {
    if state == .queued { return reopen(run) }
    if runs[run].run.state != state {
      noteChange(of: run)
      runs[run].run.state = state
      runs[run].run.reason = state == .failed ? "marked failed by hand" : nil
    }
    leave(run)
  }
}
