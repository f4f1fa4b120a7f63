internal import Dagrun
internal import Dispatch
internal import Logging
internal import Model
internal import Scheduling
internal import Storage

/// A backfill of many dates comes to them step by step, so that others have their turn in between.
extension Engine {
  func continueBackfillsLater() {
    tellOfMadeBackfills()
    guard !isContinuingBackfills, !isStopped, failedCommits == nil, !scheduler.unfinishedBackfills.isEmpty else {
      return
    }
    isContinuingBackfills = true
    clock.after(0) { [weak self] in self?.continueBackfills(pause: 0.1) }
  }

  private func continueBackfills(pause: Double) {
    guard !isStopped else { return }
    if failedCommits == nil {
      do throws(StoreError) {
        for number in scheduler.unfinishedBackfills { pending.append(try nextStep(ofBackfill: number)) }
      } catch {
        logger.error("a backfill cannot continue at the moment", metadata: ["reason": "\(error)"])
        clock.after(pause) { [weak self] in
          self?.continueBackfills(pause: min(5, 2 * pause))
        }
        return
      }
    }
    isContinuingBackfills = false
    handlePending()
  }

  private func nextStep(ofBackfill number: Int64) throws(StoreError) -> PendingEvent {
    let dates = scheduler.nextDates(ofBackfill: number)
    guard let backfill = scheduler.openBackfills.first(where: { $0.number == number }), let first = dates.min(),
      let last = dates.max()
    else { return PendingEvent(.continueBackfill(number: number, existing: [])) }
    let runs = try store.listRuns(RunFilter(dagID: backfill.dagID, fromDate: first, toDate: last))
    let existing = try store.backfillSnapshots(runs) { run in
      run.logicalDate.map { BackfillPlan.row(for: $0, run, backfill.reprocess).verdict == .clear } ?? false
    }
    let cleared = existing.filter { !$0.tasks.isEmpty }
    return PendingEvent(
      .continueBackfill(number: number, existing: existing), plans: try plans(ofFinished: cleared))
  }

  /// Calls back when the backfill has come to all its dates, or cannot continue for now: its DAG's file is gone.
  func whenMade(_ backfill: Int64, _ body: @escaping () -> Void) {
    guard scheduler.unfinishedBackfills.contains(backfill) else { return body() }
    backfillWaiters.append((backfill, body))
  }

  private func tellOfMadeBackfills() {
    guard !backfillWaiters.isEmpty else { return }
    let unfinished = Set(scheduler.unfinishedBackfills)
    let made = backfillWaiters.filter { !unfinished.contains($0.backfill) }
    backfillWaiters.removeAll { waiter in made.contains { $0.backfill == waiter.backfill } }
    for waiter in made { waiter.body() }
  }
}

extension StoreConnection {
  /// Runs as a backfill gets them: those that it clears with their tasks, which it needs, the others without.
  func backfillSnapshots(
    _ runs: [DAGRun], clearing isCleared: (DAGRun) -> Bool
  ) throws(StoreError) -> [RunSnapshot] {
    let cleared = try runSnapshots(numbers: runs.filter(isCleared).map(\.number))
    let known = Set(cleared.map(\.run.number))
    return cleared + runs.filter { !known.contains($0.number) }.map { RunSnapshot(run: $0, tasks: []) }
  }
}
