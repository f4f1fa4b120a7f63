internal import Basics
internal import Control
internal import Dagrun
internal import Dispatch
internal import Executors
internal import Foundation
internal import Glibc
internal import Logging
internal import Model
internal import Processes
internal import Scheduling
internal import Storage
internal import Workers

/// An event that waits for its batch, and who wants to know what came of it.
struct PendingEvent {
  var event: Event
  /// Of the versions that the event's finished runs are on, where the scheduler may not hold them.
  var plans: [DAGPlan]
  var answer: ((Result<Reply, ControlError>) -> Void)?

  init(_ event: Event, plans: [DAGPlan] = [], answer: ((Result<Reply, ControlError>) -> Void)? = nil) {
    self.event = event
    self.plans = plans
    self.answer = answer
  }
}

extension Engine {
  /// Appends an event and handles it, unless a batch is under way, which will.
  func submit(
    _ event: Event, plans: [DAGPlan] = [], answer: ((Result<Reply, ControlError>) -> Void)? = nil
  ) {
    dispatchPrecondition(condition: .onQueue(queue))
    pending.append(PendingEvent(event, plans: plans, answer: answer))
    handlePending()
  }

  func handlePending() {
    guard !isInBatch, failedCommits == nil, !isStopped else { return }
    repeat {
      isInBatch = true
      while !pending.isEmpty, handleBatch() {}
      isInBatch = false
      guard failedCommits == nil, !isStopped else { return }
      for executor in executors { executor.resultsCommitted() }
      // A worker that is free may have needed another one to be started, and that may have failed what waited for it.
    } while !pending.isEmpty
    if options.mode == .scheduler {
      for executor in executors { executor.engineIsIdle() }
    }
    continueBackfillsLater()
    armTimer()
    tellIfIdle()
  }

  /// What is pending now. False when it could not be committed.
  private func handleBatch() -> Bool {
    guard !leaveIfHomeIsLost() else { return false }
    let batch = pending
    pending = []
    do throws(StoreError) {
      pending = try handle(batch) + pending
    } catch {
      guard error.isPermanent else {
        commitFailed(error, batch)
        return false
      }
      return handleApart(batch, after: error)
    }
    return true
  }

  /// One transaction for the events up to the first after which the scheduler has to be restored.
  ///
  /// - Returns: the events after that one.
  func handle(_ batch: [PendingEvent]) throws(StoreError) -> [PendingEvent] {
    var batch = batch
    if mustRestore {
      try restoreScheduler()
      batch.insert(PendingEvent(.wake), at: 0)
    }
    let moment = clock.now()
    var changes: [Change] = []
    var actions: [Action] = []
    var notes: [String] = []
    var replies: [(answer: (Result<Reply, ControlError>) -> Void, reply: Reply)] = []
    var rest: [PendingEvent] = []
    var isCutShort = false
    for (index, item) in batch.enumerated() {
      if !item.plans.isEmpty { _ = scheduler.handle(.plansLoaded(item.plans), at: moment) }
      let step = scheduler.handle(item.event, at: moment)
      changes += step.changes
      actions += step.actions
      notes += step.notes
      if let answer = item.answer { replies.append((answer, step.reply ?? .done)) }
      if step.needsRestoring {
        isCutShort = true
        rest = [PendingEvent(.wake)] + batch[(index + 1)...]
        break
      }
    }
    let commitBegins = monotonicSeconds()
    try environment.commit(store, changes)
    mustRestore = isCutShort
    let commitSeconds = monotonicSeconds() - commitBegins
    for executor in executors { executor.committed(inSeconds: commitSeconds) }
    if isDatabaseSuspect, !changes.isEmpty {
      isDatabaseSuspect = false
      logger.notice("the database can be written again")
    }
    // The workers whose results these were are free before anything is launched; unless some results are still to come.
    if rest.isEmpty, !isTakenApart {
      for executor in executors { executor.resultsCommitted() }
    }
    for action in actions { perform(action) }
    for (answer, reply) in replies { answer(.success(reply)) }
    for note in notes { logger.notice("\(note)") }
    if !changes.isEmpty { tell(changes) }
    return rest
  }

  private func perform(_ action: Action) {
    switch action {
    case .launch(let key): launch(key)
    case .stop(let key, _): stop(key)
    }
  }

  private func tell(_ changes: [Change]) {
    followers.tell(changes, by: clock)
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

  /// Nothing of the batch has happened. The scheduler in memory is ahead of the database, so it is thrown away.
  /// Requests are refused; facts wait: what workers have reported they have also journaled, and get nothing more to do
  /// before it is committed.
  func commitFailed(_ error: StoreError, _ batch: [PendingEvent]) {
    let count = failedCommits ?? 0
    failedCommits = count + 1
    isDatabaseSuspect = true
    commitProblem = error.description
    logger.error(
      "the database cannot be written; nothing starts until it can", metadata: ["reason": "\(error)"])
    for item in batch { item.answer?(.failure(ControlError(.unavailable, error.description))) }
    pending = batch.filter { $0.answer == nil } + pending
    let delay = Backoff(firstSeconds: 0.1, longestSeconds: 5).seconds(doublings: count)
    clock.after(delay) { [weak self] in self?.restoreAndRetry() }
  }

  private func restoreAndRetry() {
    guard !isStopped else { return }
    // Requests that came meanwhile are not kept waiting for a disk.
    for item in pending {
      item.answer?(.failure(ControlError(.unavailable, commitProblem ?? "the database cannot be written")))
    }
    pending.removeAll { $0.answer != nil }
    do throws(StoreError) {
      try restoreScheduler()
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

  /// The scheduler in memory is thrown away; what only memory knows of DAGs is told to the new one.
  func restoreScheduler() throws(StoreError) {
    scheduler = Scheduler(restoring: try store.snapshot(plans: knownPlans), limits: scheduler.limits)
    mustRestore = false
    for (dagID, runIDs) in refused.runIDs { scheduler.takeRunIDs(runIDs, of: dagID) }
    for (dagID, reason) in refused.suspensions { scheduler.suspend(dagID, reason: reason) }
  }

  var knownPlans: [DAGPlan] {
    scheduler.unfinishedRuns.compactMap { scheduler.plan(ofRun: $0) }
      + scheduler.dagRecords.compactMap { scheduler.plan(ofDAG: $0.dagID) }
  }

  // MARK: Time

  private func armTimer() {
    let next = scheduler.nextWake
    guard next != timerIsSetFor else { return }
    timerIsSetFor = next
    clock.setAlarm(next)
  }

  func timerFired() {
    timerIsSetFor = nil
    submit(.wake)
  }
}
