import Dagrun
import HeapModule

/// What executors report.
extension Scheduler {
  func find(_ key: TaskInstanceKey) -> TaskPlace? {
    guard let slot = latestRun?.number == key.run ? latestRun?.slot : slotsByRun[key.run],
      let position = slots[Int(slot)].plan.position(of: key.taskID)
    else { return nil }
    return TaskPlace(slot: slot, position: Int32(position))
  }

  /// Whether a fact is about the try that is under way. Late and repeated facts are not; nor are those of a later try,
  /// which can be when the database is older than what executors know: it was put back from a backup.
  func isCurrent(_ place: TaskPlace, _ tryNumber: Int) -> Bool {
    let task = slots[Int(place.slot)].tasks[Int(place.position)]
    return tryNumber == Int(task.tryNumber) && (task.state.isActive || task.state == .deferred)
  }

  mutating func taskStarted(_ place: TaskPlace, tryNumber: Int) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    guard Int(task.tryNumber) == tryNumber, task.state == .queued || task.state == .running else { return }
    touch(place)
    slots[slot].tasks[position].startDate = now
    move(place, to: .running)
    armExecutionTimeout(place)
  }

  mutating func taskFinished(_ place: TaskPlace, _ result: TaskResult) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    let index = touch(place)
    let start = result.startDate ?? task.startDate
    let end = result.endDate ?? now
    var ended = EndedTry(
      tryNumber: Int(task.tryNumber), state: .success, startDate: start, endDate: end, usage: result.usage)
    ended.loss = result.loss

    if task.state == .restarting {
      describe(&ended, result.outcome)
      slots[slot].tasks[position].startDate = nil
      slots[slot].tasks[position].endDate = nil
      work.touches[index].ended = ended
      move(place, to: .none)
      evaluateLater(place.slot, place.position)
      return
    }

    slots[slot].tasks[position].startDate = start
    slots[slot].tasks[position].endDate = end
    switch result.outcome {
    case .success:
      if let output = result.output { work.tail.append(.outputStored(slots[slot].key(position), json: output)) }
      work.touches[index].ended = ended
      move(place, to: .success)
    case .skipped(let reason):
      describe(&ended, result.outcome)
      work.touches[index].ended = ended
      work.touches[index].reason = reason
      move(place, to: .skipped)
    case .failed(let failure, let retryable):
      describe(&ended, result.outcome)
      let timeout = slots[slot].plan.tasks[position].executionTimeoutMicroseconds
      // A try that failed at or after its deadline was stopped for it, or would have been.
      if timeout > 0, let begun = task.startDate, end.microseconds - begun.microseconds >= timeout {
        ended.reason = "timed out after \(formatSeconds(Double(timeout) / 1e6)): \(failure.reason)"
      }
      work.touches[index].ended = ended
      tryFailed(place, touch: index, ended, retryable: retryable)
    }
  }

  private func describe(_ ended: inout EndedTry, _ outcome: TaskResult.Outcome) {
    switch outcome {
    case .success: break
    case .skipped(let reason):
      ended.state = .skipped
      ended.reason = reason
    case .failed(let failure, _):
      ended.state = .failed
      ended.reason = failure.reason
      ended.exitCode = failure.exitCode
      ended.signal = failure.signal
    }
  }

  private mutating func tryFailed(_ place: TaskPlace, touch index: Int, _ ended: EndedTry, retryable: Bool) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    guard retryable, task.tryNumber <= task.maxTries else {
      work.touches[index].reason = ended.reason
      move(place, to: .failed)
      return
    }
    let run = slots[slot].run
    let plan = slots[slot].plan
    let wait = RetryPolicy(plan.description.tasks[position]).waitSeconds(
      dagID: plan.dagID, taskID: plan.taskIDs[position], date: run.logicalDate?.iso8601 ?? run.runID,
      tryNumber: Int(task.tryNumber))
    let retryAt = ended.endDate.adding(seconds: wait)
    slots[slot].tasks[position].retryAt = retryAt
    work.touches[index].reason = ended.reason
    move(place, to: .upForRetry)
    timers.insert(Timer(at: retryAt, kind: .retry, subject: run.number, position: place.position))
  }

  mutating func taskDeferred(_ place: TaskPlace, tryNumber: Int) {
    let state = slots[Int(place.slot)].tasks[Int(place.position)].state
    guard state == .running || state == .queued else {
      // Cleared meanwhile: there is nothing left to stop.
      if state == .restarting { taskFinished(place, TaskResult(.failed(.cleared, retryable: true))) }
      return
    }
    move(place, to: .deferred)
  }

  mutating func taskResumed(_ place: TaskPlace) {
    guard slots[Int(place.slot)].tasks[Int(place.position)].state == .deferred else { return }
    touch(place)
    slots[Int(place.slot)].tasks[Int(place.position)].retryAt = now
    move(place, to: .upForReschedule)
    enqueue(place)
  }

  mutating func taskRescheduled(_ place: TaskPlace, until: Timestamp) {
    let slot = Int(place.slot)
    let state = slots[slot].tasks[Int(place.position)].state
    guard state == .running || state == .queued else {
      if state == .restarting { taskFinished(place, TaskResult(.failed(.cleared, retryable: true))) }
      return
    }
    touch(place)
    slots[slot].tasks[Int(place.position)].retryAt = until
    move(place, to: .upForReschedule)
    timers.insert(
      Timer(at: until, kind: .retry, subject: slots[slot].run.number, position: place.position))
  }
}

extension Failure {
  static let cleared = Failure(reason: "was cleared")
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
