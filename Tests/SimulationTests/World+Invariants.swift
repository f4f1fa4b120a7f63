import Dagrun
import Model

@testable import Scheduling

/// What must hold after every step.
extension World {
  func check(_ step: Step) throws {
    let restored = Scheduler(restoring: try store.snapshot(), limits: limits)
    if let difference = scheduler.difference(from: restored) {
      throw Violation(description: "not restored: \(difference)")
    }
    for action in step.actions {
      if case .launch(let key) = action { try checkLaunch(key) }
    }
    try checkUsage()
    // A restored scheduler looks around at its first `wake`.
    if scheduler.isUnreviewed { return }
    for slot in scheduler.slots.indices { try checkRun(slot) }
  }

  private func require(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw Violation(description: message()) }
  }

  private func checkLaunch(_ tryKey: TryKey) throws {
    let key = tryKey.instance
    guard let place = scheduler.find(key) else { throw Violation(description: "\(key) is launched, and unknown") }
    let entry = scheduler.slots[Int(place.slot)]
    let position = Int(place.position)
    let planned = entry.plan.tasks[position]
    let goesOn = launched.contains(tryKey)
    if goesOn {
      let wasLetGo = pastFacts.contains {
        guard case .taskFinished(tryKey, let result) = $0, case .deferred = result.outcome else { return false }
        return true
      }
      try require(wasLetGo, "\(tryKey) is launched twice")
    }
    try require(entry.decide(position) == .run || goesOn, "\(key) is launched against its rule")
    if planned.dependsOnPast, !goesOn {
      try require(scheduler.blockingPast(of: place) == nil, "\(key) is launched against its past")
    }
    try require(!scheduler.dags[entry.dag].record.isPaused, "\(key) is launched while its DAG is paused")
    try require(Int(entry.active) <= entry.plan.maxActiveTasks, "\(key): too many active tasks")
    let pool = scheduler.pools[entry.pools[Int(planned.pool)]]
    try require(
      pool.pool.map { $0.slots < 0 || pool.usedSlots <= $0.slots } ?? false, "\(key): pool \(pool.name) is overfull")
    try require(scheduler.localTasks <= limits.parallelism || planned.isElsewhere, "\(key): over parallelism")
    if planned.maxActivePerDAG > 0 {
      let limit = scheduler.taskLimits.findIndex(dag: entry.dag, taskID: key.taskID)!
      try require(
        scheduler.taskLimits[limit].active <= max(2, planned.maxActivePerDAG), "\(key): over max_active_tis_per_dag")
    }
  }

  /// Counts are what a recount gives.
  private func checkUsage() throws {
    var active = 0
    for entry in scheduler.slots where entry.run.number > 0 {
      var recounted = entry
      recounted.recount()
      try require(recounted.counts == entry.counts, "run \(entry.run.number): counts")
      try require(recounted.active == entry.active, "run \(entry.run.number): active tasks")
      active += Int(entry.active)
    }
    try require(active == scheduler.activeTasks, "active tasks")
    for dag in scheduler.dags where !dag.isDeleted {
      for number in dag.runs { try require(!scheduler.run(number)!.state.isFinished, "run \(number) has finished") }
    }
  }

  /// Whoever may go on, has gone on; whoever waits can say for what.
  private func checkRun(_ slot: Int) throws {
    let entry = scheduler.slots[slot]
    if entry.run.number == 0 { return }
    try require(!entry.run.state.isFinished, "run \(entry.run.number) has finished and is held")
    if entry.run.state == .running {
      try require(entry.unfinished > 0, "run \(entry.run.number) should be over")
    }
    for position in entry.tasks.indices {
      let place = TaskPlace(slot: Int32(slot), position: Int32(position))
      let task = entry.tasks[position]
      let reasons = scheduler.explain(entry.key(position), at: now)
      try require(task.touch == 0, "\(entry.key(position)) is still touched")
      switch task.state {
      case .none where entry.run.state == .running:
        switch entry.decide(position) {
        case .wait: break
        case .run, .end:
          try require(
            entry.plan.tasks[position].dependsOnPast && scheduler.blockingPast(of: place) != nil,
            "\(entry.key(position)) should go on")
        }
        try require(!reasons.isEmpty, "\(entry.key(position)) waits for nothing")
      case .none, .scheduled:
        try require(
          !reasons.isEmpty && (task.state == .none || !reasons.contains(.nextInLine)),
          "\(entry.key(position)) should have started: \(reasons)")
      default: try require(!reasons.isEmpty, "\(entry.key(position)): nothing to say")
      }
    }
  }

  /// With people and power cuts gone, everything that can end, ends.
  func drain() throws {
    for record in scheduler.dagRecords { try deliver(.setPaused(dagID: record.dagID, true)) }
    for name in ["small", "nowhere", "default_pool"] { try deliver(.setPool(Pool(name: name, slots: -1))) }
    // Schedules go on for ever; without their DAG files there are no new runs.
    try deliver(.dagsLoaded([]))
    for record in scheduler.dagRecords { try deliver(.setPaused(dagID: record.dagID, false)) }
    var steps = 0
    while !(processes.isEmpty && deferred.isEmpty && scheduler.nextWake == nil) {
      try quietFact()
      steps += 1
      if steps > 20_000 { throw Violation(description: "it never ends") }
    }
    for number in scheduler.unfinishedRuns {
      let entry = scheduler.slots[Int(scheduler.slotsByRun[number]!)]
      if entry.run.state == .queued { continue }
      let isExplained = entry.tasks.indices.contains { position in
        entry.tasks[position].state == .none
          && scheduler.blockingPast(
            of: TaskPlace(slot: scheduler.slotsByRun[number]!, position: Int32(position))) != nil
      }
      try require(isExplained, "run \(number) is stuck: \(entry.snapshot())")
    }
  }
}
