import Dagrun
import HeapModule
import Model

/// Due moments.
extension Scheduler {
  mutating func fireTimers() {
    while let timer = timers.min, timer.at <= now {
      timers.removeMin()
      if !isStale(timer), !isOfSuspendedDAG(timer) { fire(timer) }
    }
  }

  /// Keeps `nextWake` honest.
  mutating func pruneTimers() {
    while let timer = timers.min, isStale(timer) { timers.removeMin() }
  }

  mutating func armExecutionTimeout(_ place: TaskPlace) {
    let entry = slots[Int(place.slot)].tasks[Int(place.position)]
    let timeout = slots[Int(place.slot)].plan.tasks[Int(place.position)].executionTimeoutMicroseconds
    guard timeout > 0, let start = entry.startDate else { return }
    timers.insert(
      Timer(
        at: start.adding(microseconds: timeout), kind: .executionTimeout,
        subject: slots[Int(place.slot)].run.number, position: place.position, tryNumber: entry.tryNumber))
  }

  mutating func armDAGRunTimeout(_ slot: Int32) {
    guard let deadline = slots[Int(slot)].deadline else { return }
    timers.insert(Timer(at: deadline, kind: .dagrunTimeout, subject: slots[Int(slot)].run.number))
  }

  mutating func armRetry(_ place: TaskPlace) {
    let task = slots[Int(place.slot)].tasks[Int(place.position)]
    guard let retryAt = task.retryAt else { return }
    timers.insert(
      Timer(at: retryAt, kind: .retry, subject: slots[Int(place.slot)].run.number, position: place.position))
  }

  /// A task will be tried again, or look again, and its DAG is not paused. Looks at all timers.
  package var awaitsRetry: Bool {
    timers.unordered.contains { timer in
      guard timer.kind == .retry, !isStale(timer), let slot = slotsByRun[timer.subject] else { return false }
      return !dags[slots[Int(slot)].dag].record.isPaused
    }
  }

  private func isStale(_ timer: Timer) -> Bool {
    switch timer.kind {
    case .executionTimeout:
      guard let slot = slotsByRun[timer.subject].map({ Int($0) }),
        slots[slot].tasks.indices.contains(Int(timer.position))
      else { return true }
      let task = slots[slot].tasks[Int(timer.position)]
      let timeout = slots[slot].plan.tasks[Int(timer.position)].executionTimeoutMicroseconds
      return task.state != .running || task.tryNumber != timer.tryNumber
        || task.startDate.map { $0.adding(microseconds: timeout) != timer.at } ?? true
    case .retry:
      guard let task = entry(timer.subject)?.task(timer.position) else { return true }
      return (task.state != .upForRetry && task.state != .upForReschedule) || task.retryAt != timer.at || task.isReady
    case .dagrunTimeout:
      guard let slot = slotsByRun[timer.subject].map({ Int($0) }) else { return true }
      return slots[slot].run.state != .running || slots[slot].deadline != timer.at || slots[slot].run.reason != nil
    case .promotion:
      return false
    case .schedule:
      let dag = dags[Int(timer.subject)]
      return dag.isDeleted || dag.nextDue != timer.at || dag.record.isPaused
    }
  }

  private func isOfSuspendedDAG(_ timer: Timer) -> Bool {
    switch timer.kind {
    case .executionTimeout: return false
    case .retry, .dagrunTimeout:
      return slotsByRun[timer.subject].map { dags[slots[Int($0)].dag].suspension != nil } ?? false
    case .promotion, .schedule: return dags[Int(timer.subject)].suspension != nil
    }
  }

  private mutating func fire(_ timer: Timer) {
    switch timer.kind {
    case .executionTimeout:
      let slot = Int(slotsByRun[timer.subject]!)
      slots[slot].tasks[Int(timer.position)].isTimedOut = true
      work.actions.append(.stop(slots[slot].tryKey(Int(timer.position)), .timedOut))
    case .retry:
      let place = TaskPlace(slot: slotsByRun[timer.subject]!, position: timer.position)
      let state = slots[Int(place.slot)].tasks[Int(place.position)].state
      if state == .upForReschedule {
        enqueue(place)
      } else {
        // Its upstream tasks may have been cleared meanwhile: the rule is asked again.
        touch(place)
        slots[Int(place.slot)].tasks[Int(place.position)].retryAt = nil
        move(place, to: .none)
        evaluateLater(place.slot, place.position)
      }
    case .dagrunTimeout: dagrunTimedOut(slotsByRun[timer.subject]!)
    case .promotion: work.dagsToPromote.append(Int(timer.subject))
    case .schedule: work.dagsToSchedule.append(Int(timer.subject))
    }
  }

  private func entry(_ run: Int64) -> RunEntry? { slotsByRun[run].flatMap { slots[Int($0)] } }
}

extension RunEntry {
  /// When the run times out.
  var deadline: Timestamp? {
    guard let seconds = plan.description.dagrunTimeoutSeconds, seconds > 0, let start = run.startDate else {
      return nil
    }
    return start.adding(seconds: NumberBound.dagrunTimeout.clamp(seconds))
  }

  fileprivate func task(_ position: Int32) -> TaskSlot? {
    tasks.indices.contains(Int(position)) ? tasks[Int(position)] : nil
  }
}
