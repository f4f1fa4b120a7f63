internal import Control
internal import Logging
internal import Model
internal import Scheduling
internal import Storage

/// What the database has refused for good, as far as it was found out. Forgotten with the process: the next scheduler
/// tries again.
struct RefusedChanges {
  /// By DAG: ids that runs have, and that were to be given again.
  var runIDs: [String: Set<String>] = [:]
  /// DAGs that nothing moves in by itself any more, and why.
  var suspensions: [String: String] = [:]
}

/// When the database refuses a change that it will refuse each time: a rule of the schema forbids it, or it is not
/// about what is there. That is a defect of dagrun, and must stay one of a single request or DAG: the batch is taken
/// apart, the event at fault is refused, everything else continues.
extension Engine {
  /// Each event of a batch by itself. False when the database cannot be written at all.
  func handleApart(_ batch: [PendingEvent], after error: StoreError) -> Bool {
    logger.error("the database refuses a change; continuing one by one", metadata: ["reason": "\(error)"])
    var next = 0
    isTakenApart = true
    defer { isTakenApart = false }
    do throws(StoreError) {
      try restoreScheduler()
      try handleAlone(PendingEvent(.wake))
      while next < batch.count {
        try handleAlone(batch[next])
        next += 1
      }
    } catch {
      // What they set off comes after them.
      let later = pending
      pending = []
      commitFailed(error, Array(batch[next...]))
      pending += later
      return false
    }
    return true
  }

  /// One event in a transaction of its own, by a scheduler that is fresh from the database if that was refused.
  ///
  /// - Throws: when the database cannot be written, or read.
  private func handleAlone(_ item: PendingEvent) throws(StoreError) {
    var item = item
    var remedies = Remedies()
    while true {
      do throws(StoreError) {
        pending = try handle([item]) + pending
        return
      } catch {
        guard error.isPermanent else { throw error }
        let isCured = try cure(&item, &remedies, error)
        try restoreScheduler()
        if !item.isWake { try handleAlone(PendingEvent(.wake)) }
        guard isCured else { return refuse(item, error) }
      }
    }
  }

  /// What has been tried for one event.
  private struct Remedies {
    var count = 0
    var isRepeated = false
    var isResultGone = false
  }

  /// Whether to try once more, with what was changed for it.
  private func cure(
    _ item: inout PendingEvent, _ remedies: inout Remedies, _ error: StoreError
  ) throws(StoreError) -> Bool {
    remedies.count += 1
    if case .runCreated(let snapshot)? = error.change, remedies.count < 100 {
      let run = snapshot.run
      let isNew = refused.runIDs[run.dagID]?.contains(run.runID) != true
      if isNew, try store.run(dagID: run.dagID, runID: run.runID) != nil {
        refused.runIDs[run.dagID, default: []].insert(run.runID)
        return true
      }
    }
    // The scheduler in memory may not have been what the database holds.
    if !remedies.isRepeated {
      remedies.isRepeated = true
      return true
    }
    if case .taskFinished(let key, let result) = item.event, !remedies.isResultGone {
      remedies.isResultGone = true
      let reason = "its result could not be stored: \(error.problem)"
      item.event = .taskFinished(key, TaskResult(.failed(reason: reason, isRetryable: result.outcome.isRetryable)))
      return true
    }
    guard item.answer == nil, let dagID = try dagID(of: error.change), refused.suspensions[dagID] == nil else {
      return false
    }
    refused.suspensions[dagID] = error.problem
    logger.error(
      "a DAG is suspended until the scheduler is started again; this is a defect of dagrun: please report it",
      metadata: ["dag": "\(dagID)", "reason": "\(error)"])
    return true
  }

  private func refuse(_ item: PendingEvent, _ error: StoreError) {
    logger.error(
      "an event is dropped, because the database refuses it; this is a defect of dagrun: please report it",
      metadata: ["event": "\(item.event.name)", "reason": "\(error)"])
    item.answer?(
      .failure(
        ControlError(
          .unavailable,
          "the database refuses this: \(error.problem)\nNothing was changed, and everything else continues. "
            + "This is a defect of dagrun: please report it.")))
  }

  private func dagID(of change: Change?) throws(StoreError) -> String? {
    switch change {
    case .runCreated(let snapshot), .runReplanned(let snapshot): return snapshot.run.dagID
    case .runChanged(let transition): return transition.to.dagID
    case .taskChanged(let transition): return try store.run(number: transition.key.run)?.dagID
    case .outputStored(let key, _), .outputRemoved(let key), .choiceStored(let key, _):
      return try store.run(number: key.run)?.dagID
    case .dagStored(let record): return record.dagID
    case .dagDeleted(let dagID): return dagID
    case .backfillCreated(let backfill): return backfill.dagID
    case .backfillContinued(let number, _), .backfillCompleted(let number, _):
      return scheduler.openBackfills.first { $0.number == number }?.dagID
    case .poolStored, .poolDeleted, nil: return nil
    }
  }
}

extension PendingEvent {
  fileprivate var isWake: Bool { if case .wake = event { true } else { false } }
}

extension TaskResult.Outcome {
  fileprivate var isRetryable: Bool {
    switch self {
    case .failed(_, let isRetryable): isRetryable
    case .stopped, .lost: true
    case .success, .skipped, .deferred: false
    }
  }
}

extension Event {
  /// For the log, where what it carries may be long.
  fileprivate var name: String { "\(self)".prefix { $0 != "(" }.description }
}
