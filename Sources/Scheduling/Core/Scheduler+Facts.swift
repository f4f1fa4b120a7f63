import Dagrun
import HeapModule
import Model

/// What executors report.
extension Scheduler {
  func find(_ key: TaskInstanceKey) -> InstanceIndex? {
    guard let run = runs.index(of: key.run), let instance = runs[run].instance(key) else { return nil }
    return InstanceIndex(run: run, offset: instance)
  }

  /// Whether a fact is about the try that is under way. Late and repeated facts are not; nor are those of a later try,
  /// which can be when the database is older than what executors know: it was put back from a backup.
  func isCurrent(_ place: InstanceIndex, _ tryNumber: Int) -> Bool {
    let task = runs[place]
    return tryNumber == Int(task.tryNumber) && (task.state.isActive || task.state == .deferred)
  }

  mutating func taskStarted(_ place: InstanceIndex, tryNumber: Int) {
    let task = runs[place]
    guard Int(task.tryNumber) == tryNumber, task.state == .queued || task.state == .running else { return }
    noteTransition(of: place)
    runs[place].startDate = now
    move(place, to: .running)
    armExecutionTimeout(place)
  }

  mutating func taskFinished(_ place: InstanceIndex, _ result: TaskResult) {
    let task = runs[place]
    if case .deferred(let deferral) = result.outcome, task.state != .restarting {
      return taskDeferred(place, deferral)
    }
    let end = result.endDate ?? now
    // Most tries succeed, whatever their timeout and their rules.
    let isSuccess = result.outcome == .success
    let timeoutSeconds = isSuccess ? nil : passedTimeout(place, at: end)
    let ending = TryEnding(
      result.outcome, isCleared: task.state == .restarting, timeoutSeconds: timeoutSeconds,
      rules: isSuccess ? [] : failureRules(place))
    let start = result.startDate ?? task.startDate
    let record = TryRecord(
      tryNumber: Int(task.tryNumber), state: ending.state, startDate: start, endDate: end, reason: ending.reason,
      exitCode: ending.exitCode, signal: ending.signal, usage: result.usage, loss: result.loss)
    setEnded(record, of: place)

    if task.state == .restarting {
      runs[place].startDate = nil
      runs[place].endDate = nil
      move(place, to: .none)
      step.evaluateLater(place)
      return
    }

    runs[place].startDate = start
    runs[place].endDate = end
    setReason(ending.reason, of: place)
    if ending.state == .success, let output = result.output {
      runs[place.run].setOutput(result.outputShape ?? .value, of: place.offset)
      step.appendLast(.outputStored(runs[place.run].key(place.offset), json: output))
    }
    if ending.state == .success, let choice = result.choice { choose(place, choice) }
    if ending.state == .failed, ending.isRetryable, task.tryNumber <= task.maxTries {
      retryLater(place, after: end, waitSeconds: ending.retryDelaySeconds)
    } else {
      move(place, to: ending.state)
    }
  }

  /// The execution timeout of a task, in seconds, if its try has had it.
  func passedTimeout(_ place: InstanceIndex, at end: Timestamp) -> Double? {
    let task = runs[place]
    let timeout = runs.planned(place).executionTimeoutMicroseconds
    guard let begun = task.startDate else { return nil }
    guard timeout > 0 else {
      // It was stopped for the timeout of an earlier version, which is gone.
      return task.isTimedOut ? max(0, end.seconds(since: begun).rounded()) : nil
    }
    let hasPassed = task.isTimedOut || begun.adding(microseconds: timeout) <= end
    return hasPassed ? Double(timeout) / 1e6 : nil
  }

  private func failureRules(_ place: InstanceIndex) -> [FailureRule] {
    let entry = runs[place.run]
    return entry.plan.description.tasks[entry.planPosition(of: place.offset)].failureRules
  }

  /// - Parameter waitSeconds: nil: as the task is usually retried.
  private mutating func retryLater(_ place: InstanceIndex, after end: Timestamp, waitSeconds: Double?) {
    let run = runs[place.run].run
    let plan = runs[place.run].plan
    let position = runs[place.run].planPosition(of: place.offset)
    let wait =
      waitSeconds.map(NumberBound.retryDelay.clamp)
      ?? RetryPolicy(plan.description.tasks[position]).waitSeconds(
        dagID: plan.dagID, taskID: plan.taskIDs[position], mapIndex: runs[place.run].mapIndex(of: place.offset),
        date: run.logicalDate?.iso8601 ?? run.runID, tryNumber: Int(runs[place].tryNumber))
    let retryAt = end.adding(seconds: wait)
    runs[place].retryAt = retryAt
    move(place, to: .upForRetry)
    timers.insert(Timer(at: retryAt, .retry, place.offset, of: runs[place.run]))
  }

  private mutating func taskDeferred(_ place: InstanceIndex, _ deferral: Deferral) {
    let state = runs[place].state
    guard state == .running || state == .queued else { return }
    switch deferral {
    case .event:
      move(place, to: .deferred)
    case .until(let moment):
      noteTransition(of: place)
      runs[place].retryAt = moment
      move(place, to: .upForReschedule)
      timers.insert(Timer(at: moment, .retry, place.offset, of: runs[place.run]))
    }
  }

  mutating func triggerFired(_ place: InstanceIndex) {
    guard runs[place].state == .deferred else { return }
    noteTransition(of: place)
    runs[place].retryAt = now
    move(place, to: .upForReschedule)
    enqueue(place)
  }
}

/// `90` becomes `1 min 30 s`, `0.5` becomes `0.5 s`.
func formatSeconds(_ seconds: Double) -> String {
  if seconds < 60 || seconds != seconds.rounded() {
    return seconds == seconds.rounded() ? "\(Int(saturating: seconds)) s" : "\(seconds) s"
  }
  let whole = Int(saturating: seconds)
  let parts = [(whole / 3600, "h"), (whole / 60 % 60, "min"), (whole % 60, "s")]
  return parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: " ")
}
