internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Glibc
internal import Logging
internal import Processes
internal import Scheduling
internal import Storage
internal import Workers

/// An event that waits for its batch, and who wants to know what came of it.
struct PendingEvent {
  var event: Event
  var answer: ((Result<Reply, ControlRefusal>) -> Void)?

  init(_ event: Event, answer: ((Result<Reply, ControlRefusal>) -> Void)? = nil) {
    self.event = event
    self.answer = answer
  }
}

extension Engine {
  /// Appends an event and handles it, unless a batch is under way, which will.
  func submit(_ event: Event, answer: ((Result<Reply, ControlRefusal>) -> Void)? = nil) {
    dispatchPrecondition(condition: .onQueue(queue))
    pending.append(PendingEvent(event, answer: answer))
    handlePending()
  }

  /// What workers have said, and what follows, until nobody says anything more for a moment.
  ///
  /// The moment is there because going back to Dispatch and being woken again costs more than a small task does. Timers
  /// and requests have their turn now and then all the same.
  func pump() {
    guard let pool else { return }
    var patience: Int32 = 0
    let turnEnds = monotonicSeconds() + 0.005
    while !isStopped, monotonicSeconds() < turnEnds, pool.poll(milliseconds: patience) {
      while pool.poll(milliseconds: 0) {}
      handlePending()
      patience = pool.activeCount > 0 ? 1 : 0
    }
  }

  func handlePending() {
    guard !isInBatch, failedCommits == nil, !isStopped else { return }
    repeat {
      isInBatch = true
      while !pending.isEmpty, handleBatch() {}
      isInBatch = false
      guard failedCommits == nil, !isStopped else { return }
      pool?.resultsCommitted()
      // A worker that is free may have needed another one to be started, and that may have failed what waited for it.
    } while !pending.isEmpty
    if options.mode == .scheduler { pool?.warmUpWhenQuiet() }
    armTimer()
    tellIfIdle()
  }

  /// One transaction. False when it could not be committed.
  private func handleBatch() -> Bool {
    guard !leaveIfHomeIsLost() else { return false }
    let batch = pending
    pending = []
    let moment = now()
    var changes: [Change] = []
    var actions: [Action] = []
    var replies: [(answer: (Result<Reply, ControlRefusal>) -> Void, reply: Reply)] = []
    for item in batch {
      let step = scheduler.handle(item.event, at: moment)
      changes += step.changes
      actions += step.actions
      if let answer = item.answer { replies.append((answer, step.reply ?? .done)) }
    }
    let commitBegins = monotonicSeconds()
    do {
      try store.commit(changes)
    } catch {
      commitFailed(error, batch)
      return false
    }
    pool?.committed(inSeconds: monotonicSeconds() - commitBegins)
    if isDatabaseSuspect, !changes.isEmpty {
      isDatabaseSuspect = false
      logger.notice("the database can be written again")
    }
    // The workers whose results these were are free before anything is launched.
    pool?.resultsCommitted()
    for action in actions { perform(action) }
    for (answer, reply) in replies { answer(.success(reply)) }
    if !changes.isEmpty { tell(changes) }
    return true
  }

  private func perform(_ action: Action) {
    switch action {
    case .launch(let key, let tryNumber): launch(key, tryNumber: tryNumber)
    case .stop(let key, let tryNumber, let reason): stop(key, tryNumber: tryNumber, reason)
    }
  }

  private func tell(_ changes: [Change]) {
    followers.tell(changes, at: now(), on: queue)
    for case .runChanged(let transition) in changes where transition.to.state.isFinished {
      runs[transition.run] = nil
      logger.log(
        level: transition.to.state == .failed ? .warning : .info, "a run has ended",
        metadata: [
          "dag": "\(transition.to.dagID)", "run": "\(transition.to.runID)", "state": "\(transition.to.state.rawValue)",
        ])
    }
  }

  // MARK: When the database cannot be written

  /// Nothing of the batch has happened. The scheduler in memory is ahead of the database, so it is thrown away. Requests
  /// are refused; facts wait: what workers have reported they have also journaled, and get nothing more to do before it
  /// is committed.
  private func commitFailed(_ error: StoreError, _ batch: [PendingEvent]) {
    let count = failedCommits ?? 0
    failedCommits = count + 1
    isDatabaseSuspect = true
    commitProblem = error.description
    logger.error(
      "the database cannot be written; nothing starts until it can", metadata: ["reason": "\(error)"])
    for item in batch { item.answer?(.failure(ControlRefusal(.unavailable, error.description))) }
    pending = batch.filter { $0.answer == nil } + pending
    let delay = min(5.0, 0.1 * pow(2, Double(min(count, 10))))
    queue.asyncAfter(deadline: .now() + delay) { [weak self] in self?.restoreAndRetry() }
  }

  private func restoreAndRetry() {
    guard !isStopped else { return }
    // Requests that came meanwhile are not kept waiting for a disk.
    for item in pending {
      item.answer?(.failure(ControlRefusal(.unavailable, commitProblem ?? "the database cannot be written")))
    }
    pending.removeAll { $0.answer != nil }
    do {
      scheduler = Scheduler(restoring: try store.snapshot(plans: knownPlans), limits: scheduler.limits)
    } catch {
      return commitFailed(error, [])
    }
    pending.append(PendingEvent(.wake))
    isInBatch = true
    let isCommitted = handleBatch()
    isInBatch = false
    guard isCommitted else { return }
    failedCommits = nil
    handlePending()
  }

  private var knownPlans: [DAGPlan] {
    scheduler.unfinishedRuns.compactMap { scheduler.plan(ofRun: $0) }
      + scheduler.dagRecords.compactMap { scheduler.plan(ofDAG: $0.dagID) }
  }

  // MARK: Time

  private func armTimer() {
    let next = scheduler.nextWake
    guard next != timerIsSetFor else { return }
    timerIsSetFor = next
    guard let next else { return timer.schedule(deadline: .distantFuture) }
    // By the wall clock, because that is what schedules are about: also when it is set, or the machine has slept.
    let time = timespec(
      tv_sec: Int(next.microseconds / 1_000_000), tv_nsec: Int(next.microseconds % 1_000_000) * 1000)
    timer.schedule(wallDeadline: DispatchWallTime(timespec: time), leeway: .milliseconds(1))
  }

  func timerFired() {
    timerIsSetFor = nil
    submit(.wake)
  }
}
