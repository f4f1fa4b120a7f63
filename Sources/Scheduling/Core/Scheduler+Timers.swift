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

  mutating func armExecutionTimeout(_ place: InstanceIndex) {
    let timeout = runs.planned(place).executionTimeoutMicroseconds
    guard timeout > 0, let start = runs[place].startDate else { return }
    timers.insert(
      Timer(
        at: start.adding(microseconds: timeout), .executionTimeout, place.offset, of: runs[place.run],
        tryNumber: runs[place].tryNumber))
  }

  mutating func armDAGRunTimeout(_ run: RunIndex) {
    guard let deadline = runs[run].deadline else { return }
    timers.insert(Timer(at: deadline, .dagrunTimeout, subject: runs[run].run.number))
  }

  mutating func armRetry(_ place: InstanceIndex) {
    guard let retryAt = runs[place].retryAt else { return }
    timers.insert(Timer(at: retryAt, .retry, place.offset, of: runs[place.run]))
  }

  /// A task will be tried again, or look again, and its DAG is not paused. Looks at all timers.
  package var awaitsRetry: Bool {
    timers.unordered.contains { timer in
      guard timer.kind == .retry, !isStale(timer), let run = runs.index(of: timer.subject) else { return false }
      return !dags[runs[run].dag].record.isPaused
    }
  }

  private func isStale(_ timer: Timer) -> Bool {
    switch timer.kind {
    case .executionTimeout:
      guard let place = place(of: timer) else { return true }
      let task = runs[place]
      let timeout = runs.planned(place).executionTimeoutMicroseconds
      return task.state != .running || task.tryNumber != timer.tryNumber
        || task.startDate.map { $0.adding(microseconds: timeout) != timer.at } ?? true
    case .retry:
      guard let place = place(of: timer) else { return true }
      let task = runs[place]
      return (task.state != .upForRetry && task.state != .upForReschedule) || task.retryAt != timer.at || task.isReady
    case .dagrunTimeout:
      guard let run = runs.index(of: timer.subject) else { return true }
      return runs[run].run.state != .running || runs[run].deadline != timer.at || runs[run].run.reason != nil
    case .promotion:
      return false
    case .schedule:
      let dag = dags[Int(timer.subject)]
      return dag.isDeleted || dag.nextDue != timer.at || dag.record.isPaused
    }
  }

  /// The instance that a timer is about; nil: it has left, or its run has moved to a plan of fewer tasks.
  private func place(of timer: Timer) -> InstanceIndex? {
    guard let run = runs.index(of: timer.subject), runs[run].contains(timer.instance) else { return nil }
    return InstanceIndex(run: run, offset: timer.instance)
  }

  private func isOfSuspendedDAG(_ timer: Timer) -> Bool {
    switch timer.kind {
    case .executionTimeout: return false
    case .retry, .dagrunTimeout:
      return runs.index(of: timer.subject).map { dags[runs[$0].dag].suspension != nil } ?? false
    case .promotion, .schedule: return dags[Int(timer.subject)].suspension != nil
    }
  }

  private mutating func fire(_ timer: Timer) {
    switch timer.kind {
    case .executionTimeout:
      let place = place(of: timer)!
      runs[place].isTimedOut = true
      step.append(.stop(runs[place.run].tryKey(place.offset), .timedOut))
    case .retry:
      let place = place(of: timer)!
      if runs[place].state == .upForReschedule {
        enqueue(place)
      } else {
        // Its upstream tasks may have been cleared meanwhile: the rule is asked again.
        noteTransition(of: place)
        runs[place].retryAt = nil
        move(place, to: .none)
        step.evaluateLater(place)
      }
    case .dagrunTimeout: dagrunTimedOut(runs.index(of: timer.subject)!)
    case .promotion: step.promoteLater(Int(timer.subject))
    case .schedule: step.scheduleLater(Int(timer.subject))
    }
  }
}

extension RunEntry {
  /// When the run times out.
  var deadline: Timestamp? {
    guard let seconds = plan.description.dagrunTimeoutSeconds, seconds > 0, let start = run.startDate else {
      return nil
    }
    return start.adding(seconds: NumberBound.dagrunTimeout.clamp(seconds))
  }
}
