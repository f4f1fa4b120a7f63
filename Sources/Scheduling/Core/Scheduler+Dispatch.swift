import Dagrun
import HeapModule
import Model

/// Slots: who gets them, and in what order.
extension Scheduler {
  /// What keeps a ready task from starting.
  enum Blocker: Hashable, Sendable {
    case offline
    case paused
    case runNotRunning
    case maxActiveTasks
    case pool
    case maxActivePerDAG
    case parallelism
  }

  /// The first thing that keeps a ready task from starting; nil: nothing does. `explain` asks the same.
  func blocker(run: RunIndex, pool: Int32, taskLimit: Int32, _ planned: PlannedTask) -> Blocker? {
    limits.isOffline ? .offline : ownBlocker(run: run, pool: pool, taskLimit: taskLimit, planned)
  }

  /// The same, whether or not a scheduler is running.
  func ownBlocker(run: RunIndex, pool: Int32, taskLimit: Int32, _ planned: PlannedTask) -> Blocker? {
    if let blocker = runBlocker(run) { return blocker }
    if !pools[pool].hasRoom(for: planned.poolSlots) { return .pool }
    if taskLimit >= 0, taskLimits[taskLimit].active >= planned.maxActivePerDAG { return .maxActivePerDAG }
    return planned.isElsewhere || localTasks < limits.parallelism ? nil : .parallelism
  }

  private func runBlocker(_ run: RunIndex) -> Blocker? {
    if dags[runs[run].dag].isHeld { return .paused }
    if runs[run].run.state != .running { return .runNotRunning }
    if Int(runs[run].active) >= runs[run].plan.maxActiveTasks { return .maxActiveTasks }
    return nil
  }

  /// Puts a ready instance in line for a slot.
  mutating func enqueue(_ place: InstanceIndex) {
    let position = Int(place.position)
    runs[place].isReady = true
    let lane = lane(of: place)
    let task = ReadyTask(priority: runs[place.run].plan.priorities[position], position: place.position)
    guard let reference = queue.insert(task, into: lane) else { return }
    park(reference, lane)
  }

  /// Gives slots to the best ready tasks while there are any.
  mutating func dispatch() {
    if limits.isOffline { return }
    while true {
      promoteFreed()
      guard let (lane, task) = queue.takeBest() else { return }
      let run = queue.lanes[Int(lane)].run
      guard runs[run].tasks[Int(task.position)].isReady else {
        queue.removeBest(of: lane)
        continue
      }
      let planned = runs[run].plan.tasks[Int(task.position)]
      let blocker = blocker(
        run: run, pool: queue.lanes[Int(lane)].pool, taskLimit: queue.lanes[Int(lane)].taskLimit, planned)
      switch blocker {
      case nil:
        queue.removeBest(of: lane)
        let place = InstanceIndex(run: run, position: task.position)
        if planned.dependsOnPast, runs[run].tasks[Int(task.position)].state == .scheduled,
          blockingPast(of: place) != nil
        {
          // Its past was cleared since it became ready.
          move(place, to: .none)
          continue
        }
        start(place)
      case .paused, .runNotRunning, .maxActiveTasks: park(queue.park(lane, at: .run), lane)
      case .pool: park(queue.park(lane, at: .pool), lane)
      case .maxActivePerDAG: park(queue.park(lane, at: .taskLimit), lane)
      case .parallelism: park(queue.park(lane, at: .parallelism), lane)
      case .offline: preconditionFailure("\(lane): offline, and starts tasks")
      }
    }
  }

  private mutating func start(_ place: InstanceIndex) {
    let position = Int(place.position)
    touch(place)
    // What was rescheduled or deferred goes on, as the same try.
    let goesOn = runs[place].state == .upForReschedule
    if !goesOn {
      runs[place].tryNumber = runs[place].tryNumber.addingSaturating(1)
      runs[place].startDate = now
    }
    runs[place].endDate = nil
    runs[place].retryAt = nil
    runs[place].isTimedOut = false
    let isElsewhere = runs[place.run].plan.tasks[position].isElsewhere
    move(place, to: isElsewhere ? .queued : .running)
    work.actions.append(.launch(runs[place.run].tryKey(position)))
    if !isElsewhere { armExecutionTimeout(place) }
  }

  /// The lane of an instance: of its run, its pool, its slots, and its own limit if it has one.
  private mutating func lane(of place: InstanceIndex) -> Int32 {
    let planned = runs[place.run].plan.tasks[Int(place.position)]
    let taskLimit =
      planned.maxActivePerDAG > 0
      ? taskLimits.index(dag: runs[place.run].dag, taskID: runs[place.run].plan.taskIDs[Int(place.position)]) : -1
    let key = RunEntry.LaneKey(
      pool: runs[place.run].pools[Int(planned.pool)], poolSlots: planned.poolSlots, taskLimit: taskLimit,
      isElsewhere: planned.isElsewhere)
    if let last = runs[place.run].lastLane, last.key == key { return last.lane }
    if let lane = runs[place.run].lanes[key] {
      runs[place.run].lastLane = (key, lane)
      return lane
    }
    let lane = queue.makeLane(
      run: place.run, runNumber: runs[place.run].run.number, pool: key.pool, poolSlots: key.poolSlots,
      taskLimit: taskLimit,
      isElsewhere: key.isElsewhere)
    runs[place.run].lanes[key] = lane
    runs[place.run].lastLane = (key, lane)
    return lane
  }

  private mutating func park(_ reference: LaneReference, _ lane: Int32) {
    switch queue.lanes[Int(lane)].place {
    case .run: runs[queue.lanes[Int(lane)].run].waiting.insert(reference)
    case .pool: pools[queue.lanes[Int(lane)].pool].park(reference, poolSlots: queue.lanes[Int(lane)].poolSlots)
    case .taskLimit:
      let run = queue.lanes[Int(lane)].run
      let limit = runs[run].plan.tasks[Int(reference.position)].maxActivePerDAG
      taskLimits[queue.lanes[Int(lane)].taskLimit].park(reference, limit: limit)
    case .parallelism: waitingForParallelism.insert(reference)
    case .idle, .ready: preconditionFailure("lane \(lane) is parked nowhere")
    }
  }

  // A limit that has room again is noted; `dispatch` takes back what waits for it, best first, while it has room.

  mutating func freeRun(_ run: RunIndex) {
    guard !runs[run].isFreed, !runs[run].waiting.isEmpty else { return }
    runs[run].isFreed = true
    freedLimits.append(.run(run))
  }

  mutating func freePool(_ pool: Int32) {
    guard !pools[pool].isFreed, !pools[pool].waiting.isEmpty else { return }
    pools[pool].isFreed = true
    freedLimits.append(.pool(pool))
  }

  mutating func freeTaskLimit(_ limit: Int32) {
    guard !taskLimits[limit].isFreed, !taskLimits[limit].waiting.isEmpty else { return }
    taskLimits[limit].isFreed = true
    freedLimits.append(.taskLimit(limit))
  }

  mutating func freeParallelism() {
    guard !isParallelismFreed, !waitingForParallelism.isEmpty else { return }
    isParallelismFreed = true
    freedLimits.append(.parallelism)
  }

  /// Takes back the best waiting lane of each limit that has room.
  private mutating func promoteFreed() {
    var index = 0
    while index < freedLimits.count {
      let isStillFree =
        switch freedLimits[index] {
        case .run(let run): promote(run: run)
        case .pool(let pool): promote(pool: pool)
        case .taskLimit(let limit): promote(taskLimit: limit)
        case .parallelism: promoteWaitingForParallelism()
        }
      if isStillFree { index += 1 } else { freedLimits.remove(at: index) }
    }
  }

  private mutating func promote(run: RunIndex) -> Bool {
    if runBlocker(run) == nil, queue.promoteBest(of: &runs[run].waiting, at: .run) { return true }
    runs[run].isFreed = false
    return false
  }

  private mutating func promoteWaitingForParallelism() -> Bool {
    if localTasks < limits.parallelism, queue.promoteBest(of: &waitingForParallelism, at: .parallelism) { return true }
    isParallelismFreed = false
    return false
  }

  private mutating func promote(pool: Int32) -> Bool {
    var best: (index: Int, reference: LaneReference)?
    for index in pools[pool].waiting.indices where pools[pool].hasRoom(for: pools[pool].waiting[index].poolSlots) {
      guard let reference = queue.best(of: &pools[pool].waiting[index].lanes, at: .pool) else { continue }
      if best.map({ reference < $0.reference }) ?? true { best = (index, reference) }
    }
    if let best, queue.promoteBest(of: &pools[pool].waiting[best.index].lanes, at: .pool) { return true }
    pools[pool].isFreed = false
    return false
  }

  private mutating func promote(taskLimit limit: Int32) -> Bool {
    var best: (index: Int, reference: LaneReference)?
    for index in taskLimits[limit].waiting.indices
    where taskLimits[limit].active < taskLimits[limit].waiting[index].limit {
      guard let reference = queue.best(of: &taskLimits[limit].waiting[index].lanes, at: .taskLimit) else { continue }
      if best.map({ reference < $0.reference }) ?? true { best = (index, reference) }
    }
    if let best, queue.promoteBest(of: &taskLimits[limit].waiting[best.index].lanes, at: .taskLimit) { return true }
    taskLimits[limit].isFreed = false
    return false
  }
}
