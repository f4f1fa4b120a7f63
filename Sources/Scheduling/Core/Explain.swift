package import Dagrun
package import Model

/// Why a task instance is in its state; while it waits: for what. `description` is for a person.
package enum Reason: Hashable, Sendable, CustomStringConvertible {
  case runIsQueued(RunWait)
  case dagIsPaused(String)
  case dagIsSuspended(String, reason: String)
  /// `pending`: upstream tasks that have not ended, at most ten of `count`.
  case rule(TriggerRule, pending: [String], count: Int)
  /// The tasks that have still to hand on the lists that it is mapped over.
  case list(of: [String])
  case setups([String])
  case teardownScope([String])
  case past(taskID: String, logicalDate: Timestamp)
  case pool(name: String, slots: Int?, used: Int, needed: Int)
  case maxActiveTasks(Int)
  case maxActivePerDAG(Int)
  case maxActivePerRun(Int)
  case parallelism(Int)
  case offline
  case nextInLine
  case retry(at: Timestamp, tryNumber: Int, maxTries: Int)
  case rescheduled(until: Timestamp)
  case active(TaskState, tryNumber: Int, since: Timestamp?)
  /// Of a job: its container does not run yet.
  case waitsForMachine(tryNumber: Int, since: Timestamp?)
  case timedOut(seconds: Double)
  case ended(TaskState, because: String?)

  package enum RunWait: Hashable, Sendable {
    case maxActiveRuns(Int)
    case backfill(maxActiveRuns: Int)
    case until(Timestamp)
    case nothing
  }

  package var description: String {
    switch self {
    case .runIsQueued(.maxActiveRuns(let most)):
      "its run is queued: the DAG has \(Self.count(most, "active run")), as many as max_active_runs lets it have"
    case .runIsQueued(.backfill(let most)):
      "its run is queued: the backfill has \(Self.count(most, "active run")), as many as it may have"
    case .runIsQueued(.until(let date)): "its run is not due before \(date.iso8601)"
    case .runIsQueued(.nothing): "its run is queued and starts next"
    case .dagIsPaused(let dagID): "the DAG \(dagID) is paused"
    case .dagIsSuspended(let dagID, let reason):
      "the DAG \(dagID) is suspended until the scheduler is started again: \(reason)"
    case .rule(let rule, let pending, let count):
      count == 0
        ? "\(rule.rawValue) waits for \(rule.requirement), which can no longer be: all upstream tasks have ended"
        : "\(rule.rawValue) waits for \(rule.requirement); not ended: \(Self.list(pending, of: count))"
    case .list(let tasks): "it is mapped over the output of \(tasks.joined(separator: ", ")), which has not ended"
    case .setups(let setups): "waits for setups to succeed: \(setups.joined(separator: ", "))"
    case .teardownScope(let tasks):
      "a teardown waits for all tasks between it and its setups; not ended: \(tasks.joined(separator: ", "))"
    case .past(let taskID, let date):
      "depends on its past: \(taskID) of \(date.iso8601) has not succeeded"
    case .pool(let name, nil, _, _): "there is no pool \(name)"
    case .pool(let name, let slots?, _, let needed) where slots >= 0 && needed > slots:
      "pool \(name) is too small: it has \(Self.count(slots, "slot")), and the task needs \(needed)"
    case .pool(let name, let slots?, let used, let needed):
      "pool \(name) has no room: \(used) of \(slots) slots are in use, \(needed) needed"
    case .maxActiveTasks(let most):
      "its run has \(Self.count(most, "active task")), as many as max_active_tasks lets it have"
    case .maxActivePerDAG(let most):
      "all runs have \(Self.count(most, "active instance")) of the task, as many as there may be"
    case .maxActivePerRun(let most):
      "its run has \(Self.count(most, "active instance")) of the task, as many as there may be"
    case .parallelism(let most): "there are \(Self.count(most, "active task")), as many as parallelism allows"
    case .offline: "no scheduler is running"
    case .nextInLine: "it is next in line"
    case .retry(let date, let tryNumber, let maxTries):
      "try \(tryNumber) failed; the next of \(maxTries + 1) is due at \(date.iso8601)"
    case .rescheduled(let date): "it looks again at \(date.iso8601)"
    case .active(let state, let tryNumber, let since):
      "try \(tryNumber) is \(state.rawValue)\(since.map { " since \($0.iso8601)" } ?? "")"
    case .waitsForMachine(let tryNumber, let since):
      "try \(tryNumber) is queued: waiting for a machine\(since.map { " since \($0.iso8601)" } ?? "")"
    case .timedOut(let seconds): "it is being stopped: it has run longer than \(formatSeconds(seconds))"
    case .ended(let state, let because): "it is \(state.rawValue)\(because.map { ": \($0)" } ?? "")"
    }
  }

  private static func count(_ number: Int, _ noun: String) -> String {
    "\(number) \(noun)\(number == 1 ? "" : "s")"
  }

  private static func list(_ names: [String], of count: Int) -> String {
    names.joined(separator: ", ") + (count > names.count ? " and \(count - names.count) more" : "")
  }
}

extension Scheduler {
  /// Why an instance of an unfinished run is in its state, by the same predicates as `handle`. Empty: the scheduler
  /// does not hold it.
  package func explain(_ key: TaskInstanceKey, at now: Timestamp) -> [Reason] {
    guard let place = find(key) else { return [] }
    let entry = runs[place.run]
    let instance = place.offset
    let task = entry[instance]
    switch task.state {
    case .none:
      // Its own first: that no scheduler is running says nothing about the task.
      return ruleReasons(place, entry) + runReasons(entry, at: now)
    case .scheduled: return readyReasons(place, entry, at: now)
    case .upForReschedule:
      if let until = task.retryAt, !task.isReady { return [.rescheduled(until: until)] }
      return readyReasons(place, entry, at: now)
    case .upForRetry:
      return [.retry(at: task.retryAt ?? now, tryNumber: Int(task.tryNumber), maxTries: Int(task.maxTries))]
    case .running:
      let active = Reason.active(.running, tryNumber: Int(task.tryNumber), since: task.startDate)
      let timeout = entry.planned(instance).executionTimeoutMicroseconds
      guard timeout > 0, let start = task.startDate, start.adding(microseconds: timeout) <= now else {
        return [active]
      }
      return [active, .timedOut(seconds: Double(timeout) / 1e6)]
    case .queued:
      return [.waitsForMachine(tryNumber: Int(task.tryNumber), since: task.startDate)]
    case .restarting, .deferred, .awaitingInput:
      return [.active(task.state, tryNumber: Int(task.tryNumber), since: task.startDate)]
    case .upstreamFailed, .skipped:
      let isByRule = entry.decide(instance) == .end(task.state)
      return [.ended(task.state, because: isByRule ? entry.reason(instance, for: task.state) : nil)]
    case .removed:
      return [.ended(.removed, because: entry.reasonOfList(instance) ?? Self.whyRemoved(dagID: entry.run.dagID))]
    case .success, .failed:
      return [.ended(task.state, because: nil)]
    }
  }

  /// Of a task that its run has no longer.
  package static func whyRemoved(dagID: String) -> String {
    "the run moved to a version of \(dagID) without this task"
  }

  func runReasons(_ entry: RunEntry, at now: Timestamp) -> [Reason] {
    let offline: [Reason] = limits.isOffline ? [.offline] : []
    if dags[entry.dag].record.isPaused { return [.dagIsPaused(entry.run.dagID)] + offline }
    if let reason = dags[entry.dag].suspension { return [.dagIsSuspended(entry.run.dagID, reason: reason)] + offline }
    guard entry.run.state == .queued else { return offline }
    return queueReasons(entry, at: now) + offline
  }

  private func queueReasons(_ entry: RunEntry, at now: Timestamp) -> [Reason] {
    if let number = openBackfill(of: entry.run), let backfill = backfills[number] {
      let most = backfill.backfill.maxActiveRuns
      return [.runIsQueued(backfill.running >= most ? .backfill(maxActiveRuns: most) : .nothing)]
    }
    if entry.run.runAfter > now { return [.runIsQueued(.until(entry.run.runAfter))] }
    let most = (dags[entry.dag].plan ?? entry.plan).description.maxActiveRuns
    return [.runIsQueued(dags[entry.dag].runningLive >= most ? .maxActiveRuns(most) : .nothing)]
  }

  private func ruleReasons(_ place: InstanceIndex, _ entry: RunEntry) -> [Reason] {
    let position = entry.planPosition(of: place.offset)
    var reasons: [Reason] = []
    if entry.decideByRule(place.offset) == .run {
      let pending = entry.pendingLists(position)
      if !pending.isEmpty { reasons.append(.list(of: pending.map { entry.plan.taskIDs[Int($0)] })) }
    } else if entry.decide(place.offset) == .wait {
      let pending = entry.plan.upstream[position].filter { !entry.isFinished($0) }
      if !pending.isEmpty || entry.plan.constraints[Int32(position)] == nil {
        reasons.append(
          .rule(
            entry.plan.tasks[position].rule, pending: pending.prefix(10).map { entry.plan.taskIDs[Int($0)] },
            count: pending.count))
      }
      if let constraint = entry.plan.constraints[Int32(position)] {
        let setups = constraint.indirectSetups.filter { setup in
          entry.instances(at: Int(setup)).contains { entry[$0].state != .success }
        }
        if !setups.isEmpty { reasons.append(.setups(setups.map { entry.plan.taskIDs[Int($0)] })) }
        let scope = constraint.scope.filter { !entry.isFinished($0) }
        if !scope.isEmpty { reasons.append(.teardownScope(scope.map { entry.plan.taskIDs[Int($0)] })) }
      }
    }
    if entry.plan.tasks[position].dependsOnPast, let past = blockingPast(of: place) {
      reasons.append(.past(taskID: entry.plan.taskIDs[position], logicalDate: past.logicalDate))
    }
    return reasons
  }

  private func readyReasons(_ place: InstanceIndex, _ entry: RunEntry, at now: Timestamp) -> [Reason] {
    if entry.planned(place.offset).isEmpty {
      let reasons = runReasons(entry, at: now)
      return reasons.isEmpty ? [.nextInLine] : reasons
    }
    let blocker = admission.blocker(entry.planPosition(of: place.offset), of: place.run, runs, dags)
    if limits.isOffline, let blocker {
      switch blocker {
      // Where no scheduler is running, nothing is in line.
      case .parallelism, .paused, .runNotRunning: return runReasons(entry, at: now)
      case .maxActiveTasks, .pool, .maxActivePerDAG, .maxActivePerRun: break
      }
    }
    let own = reason(blocker, place, entry, at: now)
    return limits.isOffline && blocker != nil ? own + [.offline] : own
  }

  private func reason(_ blocker: Admission.Blocker?, _ place: InstanceIndex, _ entry: RunEntry, at now: Timestamp)
    -> [Reason]
  {
    let planned = entry.planned(place.offset)
    switch blocker {
    case nil: return limits.isOffline ? [.offline] : [.nextInLine]
    case .paused, .runNotRunning: return runReasons(entry, at: now)
    case .maxActiveTasks: return [.maxActiveTasks(entry.plan.maxActiveTasks)]
    case .pool:
      let pool = admission.pool(of: entry.planPosition(of: place.offset), of: place.run)
      return [
        .pool(
          name: pool.name, slots: pool.pool?.slots, used: Int(pool.usedSlots), needed: Int(planned.poolSlots))
      ]
    case .maxActivePerDAG: return [.maxActivePerDAG(Int(planned.maxActivePerDAG))]
    case .maxActivePerRun: return [.maxActivePerRun(Int(planned.maxActivePerRun))]
    case .parallelism: return [.parallelism(limits.parallelism)]
    }
  }
}
