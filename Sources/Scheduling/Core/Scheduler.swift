package import Dagrun
import HeapModule
internal import Model

/// Decides what happens next. No clock, no I/O, no randomness: the same state and event always give the same step.
///
/// The caller commits the changes of a step, and only then performs its actions; when a commit fails, it throws the
/// scheduler away and restores one from the database. A restored scheduler starts nothing over: the caller reports
/// what became of the tries that were active (`activeTries`), and then `.wake`.
///
/// Work is O(what changes): each instance counts how its upstream tasks have ended, ready ones wait in heaps, due
/// moments too. Nothing is scanned but the tasks of a run that starts, is cleared or moves to another version.
package struct Scheduler: Sendable {
  package let limits: Limits
  package internal(set) var lastBackfillNumber: Int64

  var dags: [DAGEntry] = []
  var dagIndices: [String: Int] = [:]
  var backfills: [Int64: BackfillEntry] = [:]
  var runs: RunTable
  var admission: Admission
  var timers = Heap<Timer>()

  var step = StepBuilder()
  /// Was restored and has not looked around since.
  var needsInitialScan = true

  package init(restoring snapshot: Snapshot, limits: Limits = .init()) {
    self.limits = limits
    admission = Admission(parallelism: limits.parallelism)
    runs = RunTable(lastNumber: snapshot.lastRunNumber)
    lastBackfillNumber = snapshot.lastBackfillNumber
    restore(snapshot)
  }

  /// One event. Facts about a try that is not the current one, or no longer active, do nothing.
  package mutating func handle(_ event: Event, at now: Timestamp) -> Step {
    if case .plansLoaded(let plans) = event {
      step.lend(plans)
      return Step()
    }
    defer { step.returnPlans() }
    step.begin(at: now)
    switch event {
    case .taskStarted(let key):
      guard let place = find(key.instance) else { return Step() }
      taskStarted(place, tryNumber: key.number)
    case .taskFinished(let key, let result):
      guard let place = find(key.instance), isCurrent(place, key.number) else { return Step() }
      runs.expect(place.run)
      taskFinished(place, result)
    case .triggerFired(let key):
      guard let place = find(key.instance), isCurrent(place, key.number) else { return Step() }
      triggerFired(place)
    case .dagsLoaded(let plans): dagsLoaded(plans)
    case .plansLoaded: break
    case .wake: if needsInitialScan { scanAfterRestore() }
    case .trigger(let request): trigger(request)
    case .backfill(let request): startBackfill(request)
    case .continueBackfill(let number, let existing): continueBackfill(number, existing)
    case .cancelBackfill(let number): cancelBackfill(number)
    case .clear(let request): clear(request)
    case .setTaskState(let key, let state, let loaded): setTaskState(key, state, loaded)
    case .setRunState(let run, let state, let loaded): setRunState(run, state, loaded)
    case .endStuckRun(let run, let loaded): endStuckRun(run, loaded)
    case .setPaused(let dagID, let isPaused): setPaused(dagID, isPaused)
    case .setPool(let pool): setPool(pool)
    case .deletePool(let name): deletePool(name)
    case .deleteDAG(let dagID): deleteDAG(dagID)
    }
    // Without the history that is not in memory nobody can say what may start.
    if !step.needsRestoring {
      step.takeUpPostponed()
      runToFixpoint()
    }
    return finishStep()
  }

  /// When to be called with `.wake` if nothing else happens before; a moment that has passed: at once.
  package var nextWake: Timestamp? { step.hasPostponed ? now : timers.min?.at }

  /// Of the event that is being handled, or was handled last.
  var now: Timestamp { step.now }

  /// Would do more by itself now.
  package var hasMoreToDo: Bool { step.hasPostponed || !unfinishedBackfills.isEmpty }

  /// Lets everything that the event set off happen, until nothing moves any more.
  private mutating func runToFixpoint() {
    repeat {
      fireTimers()
      evaluatePast()
      evaluateAll()
      checkRuns()
      scheduleRuns()
      promoteRuns()
      if step.isSettled { dispatch() }
    } while !step.isSettled
    pruneTimers()
  }
}
