package import Dagrun
internal import Model

/// What unfinished runs wait for, and whether it can come.
package struct Waiting: Hashable, Sendable {
  /// At most so many of `count`: those that wait for something other than tasks of their own run.
  package var tasks: [TaskWait] = []
  package var count = 0
  /// Those of the runs that have not ended.
  package var unfinishedRuns: [Int64] = []
  /// Nothing of the runs moves, and nothing will before a person does something about `tasks`.
  package var isStuck = false
}

package struct TaskWait: Hashable, Sendable {
  package var runID: String
  /// nil: the run as a whole waits.
  package var taskID: String?
  package var reasons: [Reason]
  /// What it waits for cannot come by itself.
  package var isForever: Bool
}

extension Scheduler {
  /// By the same predicates as `explain`.
  ///
  /// - Parameters:
  ///   - numbers: of runs; those that have ended wait for nothing.
  ///   - limit: of tasks that are listed.
  package func waiting(ofRuns numbers: [Int64], at now: Timestamp, limit: Int = 20) -> Waiting {
    var waiting = Waiting()
    var canMove = false
    var isAnyStuck = false
    for number in numbers {
      guard let run = runs.index(of: number) else { continue }
      waiting.unfinishedRuns.append(number)
      if let wait = runWait(run, at: now) {
        waiting.add(wait, limit: limit)
        // It starts when others of the runs have ended, which they may never.
        if !wait.reasons.allSatisfy(\.isForOtherRuns) { canMove = true }
        continue
      }
      let entry = runs[run]
      for instance in entry.instances where !entry[instance].state.isFinished {
        let place = InstanceIndex(run: run, offset: instance)
        guard !waitsForItsRun(place, entry) else { continue }
        let never = whatNeverComes(place, entry)
        if never == nil { canMove = true } else { isAnyStuck = true }
        waiting.add(
          TaskWait(
            runID: entry.run.runID, taskID: entry.taskID(of: instance),
            reasons: never.map { [$0] } ?? explain(entry.key(instance), at: now), isForever: never != nil),
          limit: limit)
      }
    }
    waiting.isStuck = isAnyStuck && !canMove
    return waiting
  }

  /// Of a run that starts no task at all.
  private func runWait(_ run: RunIndex, at now: Timestamp) -> TaskWait? {
    let entry = runs[run]
    // Tasks that are at work are listed each by itself.
    guard admission.activeTasks(of: run) == 0 else { return nil }
    let reasons = runReasons(entry, at: now)
    return reasons.isEmpty
      ? nil : TaskWait(runID: entry.run.runID, taskID: nil, reasons: reasons, isForever: false)
  }

  /// Other tasks of its run have to end first, and they say what they wait for.
  private func waitsForItsRun(_ place: InstanceIndex, _ entry: RunEntry) -> Bool {
    guard entry[place.offset].state == .none, entry.decide(place.offset) == .wait else { return false }
    return pendingTasks(place, entry).contains { !entry.isFinished($0) }
  }

  private func pendingTasks(_ place: InstanceIndex, _ entry: RunEntry) -> [Int32] {
    let position = entry.planPosition(of: place.offset)
    let constraint = entry.plan.constraints[Int32(position)]
    return Array(entry.plan.upstream[position]) + Array(constraint?.indirectSetups ?? [])
      + Array(constraint?.scope ?? [])
  }

  /// The reason, when what the task waits for cannot come by itself; nil: it can.
  private func whatNeverComes(_ place: InstanceIndex, _ entry: RunEntry) -> Reason? {
    let planned = entry.planned(place.offset)
    switch entry[place.offset].state {
    case .none:
      if entry.decide(place.offset) == .wait {
        return .rule(planned.rule, pending: [], count: 0)
      }
      guard planned.dependsOnPast, let past = blockingPast(of: place), isPastDead(of: place) else { return nil }
      return .past(taskID: entry.taskID(of: place.offset), logicalDate: past.logicalDate)
    case .scheduled, .upForReschedule:
      guard !planned.isEmpty else { return nil }
      let pool = admission.pool(of: entry.planPosition(of: place.offset), of: place.run)
      // A pool without any slot is one that somebody has closed for a while.
      if let slots = pool.pool?.slots, slots <= 0 || Int(planned.poolSlots) <= slots { return nil }
      return .pool(
        name: pool.name, slots: pool.pool?.slots, used: Int(pool.usedSlots), needed: Int(planned.poolSlots))
    case .queued, .running, .restarting, .upForRetry, .deferred, .awaitingInput, .success, .failed, .skipped,
      .upstreamFailed, .removed:
      return nil
    }
  }

  /// An earlier instance has ended without success and has no further try; perhaps behind others that wait for it too.
  func isPastDead(of place: InstanceIndex) -> Bool {
    let taskID = runs[place.run].taskID(of: place.offset)
    var place = place
    // Each is of an earlier date than the one before.
    while let past = blockingPast(of: place) {
      guard let run = runs.index(of: past.run) else { return true }
      let entry = runs[run]
      guard let position = entry.plan.position(of: taskID) else { return false }
      let instances = entry.instances(at: position)
      if instances.contains(where: { entry[$0].state.isFinished && !entry[$0].state.isPassed }) { return true }
      guard let instance = instances.first(where: { !entry[$0].state.isFinished }), entry[instance].state == .none,
        entry.run.state == .running, entry.decide(instance) != .wait
      else { return false }
      place = InstanceIndex(run: run, offset: instance)
    }
    return false
  }
}

extension Waiting {
  fileprivate mutating func add(_ wait: TaskWait, limit: Int) {
    count += 1
    // What can never come is listed in any case.
    if tasks.count < limit || (wait.isForever && !tasks.contains(where: \.isForever)) { tasks.append(wait) }
  }
}

extension Reason {
  /// The run waits for a place among the active ones.
  fileprivate var isForOtherRuns: Bool {
    switch self {
    case .runIsQueued(.maxActiveRuns), .runIsQueued(.backfill): true
    default: false
    }
  }

  /// Which reason it is, whatever the numbers and names in it: a reason is said once.
  package enum Kind: String, CaseIterable, Sendable {
    case runIsQueued, dagIsPaused, dagIsSuspended, rule, setups, teardownScope, past, pool, maxActiveTasks,
      maxActivePerDAG,
      parallelism,
      offline, nextInLine, retry, rescheduled, active, waitsForMachine, timedOut, ended
  }

  package var kind: Kind {
    switch self {
    case .runIsQueued: .runIsQueued
    case .dagIsPaused: .dagIsPaused
    case .dagIsSuspended: .dagIsSuspended
    case .rule: .rule
    case .setups: .setups
    case .teardownScope: .teardownScope
    case .past: .past
    case .pool: .pool
    case .maxActiveTasks: .maxActiveTasks
    case .maxActivePerDAG: .maxActivePerDAG
    case .parallelism: .parallelism
    case .offline: .offline
    case .nextInLine: .nextInLine
    case .retry: .retry
    case .rescheduled: .rescheduled
    case .active: .active
    case .waitsForMachine: .waitsForMachine
    case .timedOut: .timedOut
    case .ended: .ended
    }
  }
}
