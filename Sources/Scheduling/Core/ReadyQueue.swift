import HeapModule

/// Tasks that their rules let run, in the order in which they get slots: by priority (highest first), then by run
/// (oldest first), then by their order in the run.
///
/// Tasks which the same limits hold back share a *lane*: those of one run, one pool, one number of slots. When a limit
/// is exhausted, lanes that meet it are parked with it, not their tasks; when it has room again, its best lane comes
/// back, one at a time. So a full pool with 100,000 waiting tasks costs nothing, and a slot that frees costs O(log n).
struct ReadyQueue: Sendable {
  private(set) var lanes: [Lane] = []
  private var unusedLanes: [Int32] = []
  private var ready = Heap<LaneReference>()

  /// What lanes wait for.
  enum Place: Equatable, Sendable {
    /// Nothing in it.
    case idle
    case ready
    case run, pool, taskLimit, parallelism
  }

  struct Lane: Sendable {
    var run: RunIndex
    var runNumber: Int64
    /// What each of its tasks needs.
    var demand: Admission.Demand
    var tasks = Heap<ReadyTask>()
    var place = Place.idle
    /// Only the newest reference to a lane counts; those from before are stale.
    var generation: UInt32 = 0
  }

  /// A new lane without tasks.
  mutating func makeLane(run: RunIndex, runNumber: Int64, _ demand: Admission.Demand) -> Int32 {
    var lane = Lane(run: run, runNumber: runNumber, demand: demand)
    if let unused = unusedLanes.popLast() {
      lane.generation = lanes[Int(unused)].generation &+ 1
      lanes[Int(unused)] = lane
      return unused
    }
    lanes.append(lane)
    return Int32(lanes.count - 1)
  }

  mutating func removeLane(_ lane: Int32) {
    lanes[Int(lane)].tasks = Heap()
    lanes[Int(lane)].place = .idle
    lanes[Int(lane)].generation &+= 1
    unusedLanes.append(lane)
  }

  /// Returns a reference when the caller has to put one where the lane waits: the lane has a new best task.
  mutating func insert(_ task: ReadyTask, into lane: Int32) -> LaneReference? {
    let index = Int(lane)
    let isBest = lanes[index].tasks.min.map { task < $0 } ?? true
    lanes[index].tasks.insert(task)
    guard isBest else { return nil }
    switch lanes[index].place {
    case .idle, .ready:
      lanes[index].place = .ready
      ready.insert(reference(to: lane, best: task))
      return nil
    case .run, .pool, .taskLimit, .parallelism:
      return reference(to: lane, best: task)
    }
  }

  /// Takes the best task out of a lane that `takeBest` gave; the lane is ready again if it has more.
  mutating func removeBest(of lane: Int32) {
    lanes[Int(lane)].tasks.removeMin()
    makeReady(lane)
  }

  /// The lane whose best task is next. It is nowhere until `removeBest` or `park`.
  mutating func takeBest() -> (lane: Int32, task: ReadyTask)? {
    while let reference = ready.popMin() {
      guard isCurrent(reference, at: .ready) else { continue }
      if let best = lanes[Int(reference.lane)].tasks.min { return (reference.lane, best) }
      lanes[Int(reference.lane)].place = .idle
    }
    return nil
  }

  /// Marks a lane as parked, and gives the reference to park.
  mutating func park(_ lane: Int32, at place: Place) -> LaneReference {
    lanes[Int(lane)].place = place
    return reference(to: lane, best: lanes[Int(lane)].tasks.min!)
  }

  /// Brings back the best of the lanes that wait in `waiting`. False: none is left there.
  mutating func promoteBest(of waiting: inout Heap<LaneReference>, at place: Place) -> Bool {
    while let reference = waiting.popMin() {
      guard isCurrent(reference, at: place) else { continue }
      makeReady(reference.lane)
      return true
    }
    return false
  }

  /// The best of the lanes in `waiting`, without the stale references before it.
  mutating func best(of waiting: inout Heap<LaneReference>, at place: Place) -> LaneReference? {
    while let reference = waiting.min {
      if isCurrent(reference, at: place) { return reference }
      waiting.removeMin()
    }
    return nil
  }

  private mutating func makeReady(_ lane: Int32) {
    guard let best = lanes[Int(lane)].tasks.min else {
      lanes[Int(lane)].place = .idle
      return
    }
    lanes[Int(lane)].place = .ready
    ready.insert(reference(to: lane, best: best))
  }

  private func isCurrent(_ reference: LaneReference, at place: Place) -> Bool {
    lanes[Int(reference.lane)].generation == reference.generation && lanes[Int(reference.lane)].place == place
  }

  private mutating func reference(to lane: Int32, best: ReadyTask) -> LaneReference {
    lanes[Int(lane)].generation &+= 1
    return LaneReference(
      priority: best.priority, run: lanes[Int(lane)].runNumber, position: best.position, instance: best.instance,
      lane: lane,
      generation: lanes[Int(lane)].generation)
  }
}

struct ReadyTask: Comparable, Sendable {
  var priority: Int64
  /// In the plan: instances of mapped tasks are not in its order.
  var position: Int32
  var instance: InstanceOffset

  /// Less is sooner.
  static func < (left: ReadyTask, right: ReadyTask) -> Bool {
    if left.priority != right.priority { return left.priority > right.priority }
    return (left.position, left.instance.value) < (right.position, right.instance.value)
  }
}

/// A lane, by the task that was its best when it was put where it waits.
struct LaneReference: Comparable, Sendable {
  var priority: Int64
  var run: Int64
  var position: Int32
  var instance: InstanceOffset
  var lane: Int32
  var generation: UInt32

  /// Less is sooner.
  static func < (left: LaneReference, right: LaneReference) -> Bool {
    if left.priority != right.priority { return left.priority > right.priority }
    if left.run != right.run { return left.run < right.run }
    return (left.position, left.instance.value) < (right.position, right.instance.value)
  }
}
