import Model

/// Which ready task starts next: pools, limits, and what waits for them.
///
/// Ready instances are put in line (`enqueue`); `next` takes the best one that nothing holds back. As instances change
/// their state, they `occupy` and `release` what they need. A limit that has room again is noted, and `next` brings
/// back what waits for it, best first, while it has room.
struct Admission: Sendable {
  /// Task instances that are active.
  private(set) var activeTasks = 0
  /// Those of them that are at work on this machine, of which there may be `parallelism`.
  private(set) var localTasks = 0
  private let parallelism: Int
  private var pools = PoolTable()
  private var taskLimits = TaskLimitTable()
  private var queue = ReadyQueue()
  private var freed: [FreedLimit] = []
  private var waitingForParallelism = WaitingLanes()
  /// By `RunIndex`.
  private var shares: [Share] = []

  /// What one run holds, and has in line.
  private struct Share {
    var number: Int64 = 0
    var dag = 0
    var plan: DAGPlan?
    /// Of `plan.poolNames`.
    var pools: [Int32] = []
    /// They count against `maxActiveTasks`.
    var active: Int32 = 0
    var lanes: [Demand: Int32] = [:]
    /// The lane that was asked for last: mostly there is but one.
    var lastLane: (demand: Demand, lane: Int32)?
    /// Lanes that wait because the run has no room, or nothing of it may start.
    var waiting = WaitingLanes()
  }

  /// What an instance needs of the limits. Those of one run that need the same share a lane.
  struct Demand: Hashable, Sendable {
    /// Index in `PoolTable`.
    var pool: Int32
    var poolSlots: Int32
    /// Index in `TaskLimitTable`; -1: none. A task with a limit of its own has a lane of its own.
    var taskLimit: Int32
    var maxActivePerDAG: Int32
    /// It runs on a machine of its own, and does not count against `parallelism`.
    var isElsewhere: Bool
  }

  private enum FreedLimit: Equatable {
    case run(RunIndex)
    case pool(Int32)
    case taskLimit(Int32)
    case parallelism
  }

  /// What keeps a ready task from starting.
  enum Blocker: Hashable, Sendable {
    case paused
    case runNotRunning
    case maxActiveTasks
    case pool
    case maxActivePerDAG
    case parallelism
  }

  init(parallelism: Int) { self.parallelism = parallelism }

  // MARK: Runs

  /// A run has come into memory, or is on another plan: its instances hold what their states say.
  mutating func insert(_ run: RunIndex, _ entry: RunEntry) {
    while shares.count <= Int(run.value) { shares.append(Share()) }
    shares[run].number = entry.run.number
    shares[run].dag = entry.dag
    shares[run].plan = entry.plan
    shares[run].pools = entry.plan.poolNames.map { pools.index(of: $0) }
    for instance in entry.instances { occupy(entry.planPosition(of: instance), of: run, in: entry[instance].state) }
  }

  /// The run leaves memory, or its plan.
  mutating func remove(_ run: RunIndex, _ entry: RunEntry) {
    if shares[run].active > 0 || entry.counts[.deferred] > 0 {
      for instance in entry.instances { release(entry.planPosition(of: instance), of: run, in: entry[instance].state) }
    }
    for lane in shares[run].lanes.values.sorted() { queue.removeLane(lane) }
    if shares[run].waiting.isFreed { freed.removeAll { $0 == .run(run) } }
    shares[run] = Share()
  }

  func activeTasks(of run: RunIndex) -> Int { Int(shares[run].active) }

  // MARK: Pools

  /// Those that exist, by name.
  var existingPools: [PoolTable.Entry] { pools.existing }

  /// nil: there is no pool of that name.
  func pool(_ name: String) -> Pool? { pools.find(name)?.pool }

  /// The pool of a task, whether or not it exists.
  func pool(of position: Int, of run: RunIndex) -> PoolTable.Entry {
    pools[shares[run].pools[Int(shares[run].plan!.tasks[position].pool)]]
  }

  mutating func setPool(_ pool: Pool) {
    let index = pools.index(of: pool.name)
    pools[index].pool = pool
    notePoolRoom(index)
  }

  mutating func deletePool(_ name: String) { pools[pools.index(of: name)].pool = nil }

  // MARK: What instances hold

  /// An instance of a task is in `state` now.
  mutating func occupy(_ position: Int, of run: RunIndex, in state: TaskState) { count(position, run, state, 1) }

  /// An instance was in `state`. What it held is given back with the change of state, not when its process is gone: a
  /// crash in between would otherwise leak it.
  mutating func release(_ position: Int, of run: RunIndex, in state: TaskState) { count(position, run, state, -1) }

  private mutating func count(_ position: Int, _ run: RunIndex, _ state: TaskState, _ sign: Int32) {
    guard state.isActive || state == .deferred else { return }
    let demand = makeDemand(position, run)
    let slots = Int64(sign * demand.poolSlots)
    if state == .deferred {
      pools[demand.pool].deferredSlots += slots
      if sign < 0 { notePoolRoom(demand.pool) }
      return
    }
    pools[demand.pool].activeSlots += slots
    shares[run].active += sign
    activeTasks += Int(sign)
    if !demand.isElsewhere { localTasks += Int(sign) }
    if demand.taskLimit >= 0 { taskLimits[demand.taskLimit].active += sign }
    if sign < 0 { noteRoom(for: demand, run) }
  }

  private mutating func makeDemand(_ position: Int, _ run: RunIndex) -> Demand {
    let plan = shares[run].plan!
    let limit =
      plan.tasks[position].maxActivePerDAG > 0
      ? taskLimits.index(dag: shares[run].dag, taskID: plan.taskIDs[position]) : -1
    return demand(position, run, taskLimit: limit)
  }

  private func demand(_ position: Int, _ run: RunIndex, taskLimit: Int32) -> Demand {
    let planned = shares[run].plan!.tasks[position]
    return Demand(
      pool: shares[run].pools[Int(planned.pool)], poolSlots: planned.poolSlots, taskLimit: taskLimit,
      maxActivePerDAG: planned.maxActivePerDAG, isElsewhere: planned.isElsewhere)
  }

  // MARK: In line

  /// What keeps a ready task from starting; nil: nothing does. `next` and `explain` ask the same.
  func blocker(_ position: Int, of run: RunIndex, _ runs: RunTable, _ dags: [DAGEntry]) -> Blocker? {
    let plan = shares[run].plan!
    let limit =
      plan.tasks[position].maxActivePerDAG > 0
      ? taskLimits.findIndex(dag: shares[run].dag, taskID: plan.taskIDs[position]) : nil
    return blocker(demand(position, run, taskLimit: limit ?? -1), run, runs, dags)
  }

  private func blocker(_ demand: Demand, _ run: RunIndex, _ runs: RunTable, _ dags: [DAGEntry]) -> Blocker? {
    if let blocker = runBlocker(run, runs, dags) { return blocker }
    if Int64(demand.poolSlots) > pools[demand.pool].room { return .pool }
    if demand.taskLimit >= 0, taskLimits[demand.taskLimit].active >= demand.maxActivePerDAG { return .maxActivePerDAG }
    return demand.isElsewhere || localTasks < parallelism ? nil : .parallelism
  }

  private func runBlocker(_ run: RunIndex, _ runs: RunTable, _ dags: [DAGEntry]) -> Blocker? {
    if dags[shares[run].dag].isHeld { return .paused }
    if runs[run].run.state != .running { return .runNotRunning }
    return Int(shares[run].active) >= shares[run].plan!.maxActiveTasks ? .maxActiveTasks : nil
  }

  /// - Parameter position: of its task, in the plan.
  mutating func enqueue(_ place: InstanceIndex, at position: Int) {
    let lane = lane(of: makeDemand(position, place.run), place.run)
    let task = ReadyTask(
      priority: shares[place.run].plan!.priorities[position], position: Int32(position), instance: place.offset)
    if let reference = queue.insert(task, into: lane) { park(reference, lane) }
  }

  /// Takes the best ready instance that nothing holds back; nil: there is none. What is in line and no longer ready is
  /// passed over.
  mutating func next(_ runs: RunTable, _ dags: [DAGEntry]) -> InstanceIndex? {
    while true {
      promoteFreed(runs, dags)
      guard let (lane, task) = queue.takeBest() else { return nil }
      let place = InstanceIndex(run: queue.lanes[Int(lane)].run, offset: task.instance)
      guard runs[place].isReady else {
        queue.removeBest(of: lane)
        continue
      }
      switch blocker(queue.lanes[Int(lane)].demand, place.run, runs, dags) {
      case nil:
        queue.removeBest(of: lane)
        return place
      case .paused, .runNotRunning, .maxActiveTasks: park(queue.park(lane, at: .run), lane)
      case .pool: park(queue.park(lane, at: .pool), lane)
      case .maxActivePerDAG: park(queue.park(lane, at: .taskLimit), lane)
      case .parallelism: park(queue.park(lane, at: .parallelism), lane)
      }
    }
  }

  private mutating func lane(of demand: Demand, _ run: RunIndex) -> Int32 {
    if let last = shares[run].lastLane, last.demand == demand { return last.lane }
    let lane: Int32
    if let known = shares[run].lanes[demand] {
      lane = known
    } else {
      lane = queue.makeLane(run: run, runNumber: shares[run].number, demand)
      shares[run].lanes[demand] = lane
    }
    shares[run].lastLane = (demand, lane)
    return lane
  }

  private mutating func park(_ reference: LaneReference, _ lane: Int32) {
    let demand = queue.lanes[Int(lane)].demand
    switch queue.lanes[Int(lane)].place {
    case .run: shares[queue.lanes[Int(lane)].run].waiting.park(reference)
    case .pool: pools[demand.pool].waiting.park(reference, need: demand.poolSlots)
    case .taskLimit: taskLimits[demand.taskLimit].waiting.park(reference, need: demand.maxActivePerDAG)
    case .parallelism: waitingForParallelism.park(reference)
    case .idle, .ready: preconditionFailure("lane \(lane) is parked nowhere")
    }
  }

  // MARK: Limits that have room again

  /// A run may have something to start: it has begun, or is no longer held.
  mutating func noteRunRoom(_ run: RunIndex) {
    if shares[run].waiting.markFreed() { freed.append(.run(run)) }
  }

  private mutating func notePoolRoom(_ pool: Int32) {
    if pools[pool].waiting.markFreed() { freed.append(.pool(pool)) }
  }

  private mutating func noteRoom(for demand: Demand, _ run: RunIndex) {
    if !demand.isElsewhere, waitingForParallelism.markFreed() { freed.append(.parallelism) }
    if demand.taskLimit >= 0, taskLimits[demand.taskLimit].waiting.markFreed() {
      freed.append(.taskLimit(demand.taskLimit))
    }
    noteRunRoom(run)
    notePoolRoom(demand.pool)
  }

  private mutating func promoteFreed(_ runs: RunTable, _ dags: [DAGEntry]) {
    var kept = 0
    for index in freed.indices where promote(freed[index], runs, dags) {
      freed[kept] = freed[index]
      kept += 1
    }
    freed.removeSubrange(kept...)
  }

  /// Takes back the best waiting lane of a limit. False: it has no room, or nothing waits for it any more.
  private mutating func promote(_ limit: FreedLimit, _ runs: RunTable, _ dags: [DAGEntry]) -> Bool {
    switch limit {
    case .run(let run):
      let isFree = runBlocker(run, runs, dags) == nil
      return shares[run].waiting.promoteBest(in: &queue, from: .run) { _ in isFree }
    case .pool(let pool):
      let room = pools[pool].room
      return pools[pool].waiting.promoteBest(in: &queue, from: .pool) { Int64($0) <= room }
    case .taskLimit(let limit):
      let active = taskLimits[limit].active
      return taskLimits[limit].waiting.promoteBest(in: &queue, from: .taskLimit) { active < $0 }
    case .parallelism:
      let isFree = localTasks < parallelism
      return waitingForParallelism.promoteBest(in: &queue, from: .parallelism) { _ in isFree }
    }
  }
}

extension Array where Element: Sendable {
  fileprivate subscript(run: RunIndex) -> Element {
    get { self[Int(run.value)] }
    _modify { yield &self[Int(run.value)] }
  }
}
