import Control
import Dagrun
import EngineSupport
import Model
import ModelDatabase
import Storage

@testable import Engine
@testable import Scheduling

/// What must hold after every step.
extension World {
  func check() throws {
    if let violation { throw violation }
    // Until the disk is well again, memory is ahead of it.
    guard engine.failedCommits == nil, !engine.mustRestore else { return }
    checks += 1
    // Reads it all: not each time.
    if checks.isMultiple(of: 8) { try checkRestoring() }
    try checkUsage()
    try checkListeners()
    // A restored scheduler looks around at its first `wake`.
    if scheduler.needsInitialScan { return }
    for run in scheduler.runs.all { try checkRun(run) }
  }

  func checkRestoring() throws {
    let restored = Scheduler(restoring: try database.store.snapshot(plans: engine.knownPlans), limits: limits)
    if let difference = scheduler.difference(from: restored) {
      throw Violation(description: "not restored: \(difference)")
    }
  }

  /// Everyone who follows a run gets its end, and what they got is so.
  private func checkListeners() throws {
    for listener in listeners where !listener.isGone {
      guard let run = database.model.run(listener.run) else { continue }
      guard let last = listener.last else { throw Violation(description: "nothing is said of run \(listener.run)") }
      guard run.run.state.isFinished || last.isFinal else { continue }
      // It may have been cleared since.
      if last.isFinal {
        listener.isGone = true
        continue
      }
      throw Violation(description: "run \(listener.run) has ended, and its follower heard \(last.run.state)")
    }
    listeners.removeAll(where: \.isGone)
  }

  private func require(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw Violation(description: message()) }
  }

  func checkLaunch(_ tryKey: TryKey) throws {
    let key = tryKey.instance
    guard let place = scheduler.find(key) else { throw Violation(description: "\(key) is launched, and unknown") }
    let entry = scheduler.runs[place.run]
    let instance = entry[place.offset]
    let planned = entry.planned(place.offset)
    let isContinued = launched.contains(tryKey)
    if isContinued { try require(deferrals.contains(tryKey), "\(tryKey) is launched twice") }
    // Several events in one transaction: it was stopped by one of them, and will get its stop.
    guard instance.state.isActive, Int(instance.tryNumber) == tryKey.number else { return }
    try require(
      entry.decide(place.offset) == .run || isContinued,
      "\(key) is launched against its rule: \(scheduler.explain(key, at: now))")
    if planned.dependsOnPast, !isContinued {
      try require(scheduler.blockingPast(of: place) == nil, "\(key) is launched against its past")
    }
    try require(!scheduler.dags[entry.dag].record.isPaused, "\(key) is launched while its DAG is paused")
    try require(
      scheduler.admission.activeTasks(of: place.run) <= entry.plan.maxActiveTasks, "\(key): too many active tasks")
    let pool = scheduler.admission.pool(of: entry.planPosition(of: place.offset), of: place.run)
    try require(
      pool.pool.map { $0.slots < 0 || pool.usedSlots <= $0.slots } ?? false, "\(key): pool \(pool.name) is overfull")
    try require(scheduler.admission.localTasks <= limits.parallelism || planned.isElsewhere, "\(key): over parallelism")
    if planned.maxActivePerDAG > 0 {
      try require(
        activeInstances(key.taskID, ofDAG: entry.plan.dagID) <= largestTaskLimit(key.taskID, ofDAG: entry.plan.dagID),
        "\(key): over max_active_tis_per_dag")
    }
    if planned.maxActivePerRun > 0 {
      let active = entry.instances(at: entry.planPosition(of: place.offset)).count { entry[$0].state.isActive }
      try require(active <= planned.maxActivePerRun, "\(key): over max_active_tis_per_dagrun")
    }
  }

  private func activeInstances(_ taskID: String, ofDAG dagID: String) -> Int32 {
    let entries = scheduler.runs.all.map { scheduler.runs[$0] }.filter { $0.plan.dagID == dagID }
    return Int32(
      entries.flatMap { entry in entry.instances.map { (entry, $0) } }.count { entry, instance in
        entry.taskID(of: instance) == taskID && entry[instance].state.isActive
          && entry.planned(instance).maxActivePerDAG > 0
      })
  }

  /// Versions may have different limits, and their runs count together.
  private func largestTaskLimit(_ taskID: String, ofDAG dagID: String) -> Int32 {
    scheduler.runs.all.map { scheduler.runs[$0] }.filter { $0.plan.dagID == dagID }
      .compactMap { entry in entry.plan.position(of: taskID).map { entry.plan.tasks[$0].maxActivePerDAG } }
      .max() ?? 0
  }

  /// Counts are what a recount gives.
  private func checkUsage() throws {
    var active = 0
    for run in scheduler.runs.all {
      let entry = scheduler.runs[run]
      var recounted = entry
      recounted.recount()
      try require(recounted.counts == entry.counts, "run \(entry.run.number): counts")
      try require(recounted.unfinished == entry.unfinished, "run \(entry.run.number): unfinished")
      for position in entry.plan.tasks.indices where entry.isExpanded(position) {
        try require(
          recounted.expandedCounts(position) == entry.expandedCounts(position),
          "run \(entry.run.number): instances of \(entry.plan.taskIDs[position])")
      }
      let activeInRun = entry.instances.count { entry[$0].state.isActive }
      try require(
        scheduler.admission.activeTasks(of: run) == activeInRun, "run \(entry.run.number): active tasks")
      active += activeInRun
    }
    try require(active == scheduler.activeTasks, "active tasks")
    for dag in scheduler.dags where !dag.isDeleted {
      for number in dag.runs { try require(!scheduler.run(number)!.state.isFinished, "run \(number) has finished") }
    }
  }

  /// Each instance that can move has moved; each that waits can say for what.
  private func checkRun(_ run: RunIndex) throws {
    let entry = scheduler.runs[run]
    try require(!entry.run.state.isFinished, "run \(entry.run.number) has finished and is held")
    if entry.run.state == .running {
      try require(entry.unfinished > 0, "run \(entry.run.number) should be over")
    }
    for instance in entry.instances {
      let place = InstanceIndex(run: run, offset: instance)
      let task = entry[instance]
      let reasons = scheduler.explain(entry.key(instance), at: now)
      try require(task.transition == 0, "\(entry.key(instance)) still has a transition")
      switch task.state {
      case .none where entry.run.state == .running:
        switch entry.decide(instance) {
        case .wait: break
        case .run, .end:
          try require(
            entry.planned(instance).dependsOnPast && scheduler.blockingPast(of: place) != nil,
            "\(entry.key(instance)) should continue")
        }
        try require(!reasons.isEmpty, "\(entry.key(instance)) waits for nothing")
      case .none, .scheduled:
        try require(
          !reasons.isEmpty && (task.state == .none || !reasons.contains(.nextInLine)),
          "\(entry.key(instance)) should have started: \(reasons)")
      default: try require(!reasons.isEmpty, "\(entry.key(instance)): nothing to say")
      }
    }
  }

  /// With people and power cuts gone, everything that can end, ends.
  func drain() throws {
    failsNever = true
    // Until then requests are refused.
    while engine.failedCommits != nil { nextFact() }
    while clock.next.map({ $0 <= now }) ?? false { clock.fire() }
    for record in scheduler.dagRecords { request(.setPaused(dagID: record.dagID, true)) }
    for name in ["small", "nowhere", "default_pool"] {
      request(.setPool(name: name, slots: -1, documentation: "", includeDeferred: false))
    }
    // Schedules continue for ever; without their DAG files there are no new runs.
    removeDAGs()
    while clock.next.map({ $0 <= now }) ?? false { clock.fire() }
    for record in scheduler.dagRecords { request(.setPaused(dagID: record.dagID, false)) }
    var steps = 0
    while nextFact() {
      try check()
      steps += 1
      if steps > 20_000 { throw Violation(description: "it never ends") }
    }
    try checkRestoring()
    for machine in machines { try require(machine.running.isEmpty, "\(machine.running.keys) still run") }
    try require(
      engine.isIdle,
      "not idle: active \(scheduler.activeTasks), pending \(engine.pending.count), loading \(engine.dagFiles.isLoading), "
        + "retry \(scheduler.awaitsRetry), more to do \(scheduler.hasMoreToDo), deferred \(scheduler.deferredTries)")
    for number in scheduler.unfinishedRuns {
      let run = scheduler.runs.index(of: number)!
      let entry = scheduler.runs[run]
      if entry.run.state == .queued { continue }
      let isExplained = entry.instances.contains { instance in
        entry[instance].state == .none
          && scheduler.blockingPast(of: InstanceIndex(run: run, offset: instance)) != nil
      }
      let waits = entry.instances.filter { !entry[$0].state.isFinished }
        .map { "\(entry.key($0).name) \(entry[$0].state): \(scheduler.explain(entry.key($0), at: now))" }
      try require(isExplained, "run \(number) of \(entry.run.dagID) is stuck: \(waits)")
    }
  }
}
