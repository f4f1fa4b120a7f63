import Model

/// Which instances the tasks of a run have: one each, at the task's position in the plan, until a task is mapped.
///
/// A mapped task has a range of its own behind all others. No other instance moves, so that what refers to one stays
/// true; the one that the task had is left unused. While no task is mapped, this costs nothing.
struct InstanceLayout: Sendable {
  /// With those that are left unused.
  private(set) var count: Int32
  private var mapping: Mapping?

  private struct Mapping {
    /// By position.
    var ranges: [Range<InstanceOffset>]
    var isMapped: [Bool]
    /// N of the trigger rules, by position: how many instances the tasks right above have.
    var upstreamCounts: [Int32]
    /// By instance.
    var positions: [Int32]

    init(_ plan: DAGPlan) {
      ranges = (0..<Int32(plan.count)).map { InstanceOffset(value: $0)..<InstanceOffset(value: $0 + 1) }
      isMapped = [Bool](repeating: false, count: plan.count)
      upstreamCounts = (0..<plan.count).map { Int32(plan.upstream.degree(of: $0)) }
      positions = Array(0..<Int32(plan.count))
    }
  }

  /// Of an unmapped run of the plan.
  init(_ plan: DAGPlan) { count = Int32(plan.count) }

  @inline(__always)
  func position(of instance: InstanceOffset) -> Int {
    guard let mapping else { return Int(instance.value) }
    return Int(mapping.positions[Int(instance.value)])
  }

  @inline(__always)
  func range(at position: Int) -> Range<InstanceOffset> {
    guard let mapping else {
      let instance = InstanceOffset(value: Int32(position))
      return instance..<instance.advanced(by: 1)
    }
    return mapping.ranges[position]
  }

  @inline(__always)
  func upstreamCount(of position: Int, _ plan: DAGPlan) -> Int {
    guard let mapping else { return plan.upstream.degree(of: position) }
    return Int(mapping.upstreamCounts[position])
  }

  /// `notMapped` for an instance of a task that is not mapped.
  @inline(__always)
  func mapIndex(of instance: InstanceOffset) -> Int32 {
    guard let mapping else { return TaskInstanceKey.notMapped }
    let position = Int(mapping.positions[Int(instance.value)])
    guard mapping.isMapped[position], mapping.ranges[position].contains(instance) else {
      return TaskInstanceKey.notMapped
    }
    return instance.value - mapping.ranges[position].lowerBound.value
  }

  /// nil: the task has no such instance. Those of a mapped task have a map index, and only those.
  @inline(__always)
  func instance(at position: Int, mapIndex: Int32) -> InstanceOffset? {
    let range = range(at: position)
    guard let mapping, mapping.isMapped[position] else {
      return mapIndex == TaskInstanceKey.notMapped ? range.lowerBound : nil
    }
    guard mapIndex >= 0, Int(mapIndex) < range.count else { return nil }
    return range.lowerBound.advanced(by: Int(mapIndex))
  }

  /// In the order of the plan, and within a task by map index.
  var instances: Instances { Instances(mapping.map(\.ranges), count) }

  /// Gives a task that is not mapped `width` instances.
  mutating func expand(_ position: Int, to width: Int32, _ plan: DAGPlan) -> Range<InstanceOffset> {
    precondition(width > 0, "a task mapped over nothing keeps its one instance, which is skipped")
    mapping = mapping ?? Mapping(plan)
    precondition(!mapping!.isMapped[position], "\(plan.taskIDs[position]) is mapped already")
    mapping!.isMapped[position] = true
    if width > 1 {
      let start = InstanceOffset(value: count)
      mapping!.ranges[position] = start..<start.advanced(by: Int(width))
      mapping!.positions += repeatElement(Int32(position), count: Int(width))
      count += width
      for downstream in plan.downstream[position] { mapping!.upstreamCounts[Int(downstream)] += width - 1 }
    }
    return range(at: position)
  }

  struct Instances: Sequence, IteratorProtocol, Sendable {
    /// nil: there is but one range.
    private let ranges: [Range<InstanceOffset>]?
    /// Of the range after the current one.
    private var position = 0
    private var start: Int32 = 0
    private var end: Int32

    fileprivate init(_ ranges: [Range<InstanceOffset>]?, _ count: Int32) {
      self.ranges = ranges
      end = ranges == nil ? count : 0
    }

    /// So that a list of all is made at its size: each task has an instance at least.
    var underestimatedCount: Int { ranges?.count ?? Int(end - start) }

    mutating func next() -> InstanceOffset? {
      while start == end {
        guard let ranges, position < ranges.count else { return nil }
        start = ranges[position].lowerBound.value
        end = ranges[position].upperBound.value
        position += 1
      }
      defer { start += 1 }
      return InstanceOffset(value: start)
    }
  }
}

/// Which instance of its run, not the position of its task in the plan: mapped tasks have several.
struct InstanceOffset: Hashable, Comparable, Strideable, Sendable {
  let value: Int32

  func distance(to other: InstanceOffset) -> Int { Int(other.value) - Int(value) }

  func advanced(by distance: Int) -> InstanceOffset { InstanceOffset(value: value + Int32(distance)) }

  static func < (left: InstanceOffset, right: InstanceOffset) -> Bool { left.value < right.value }
}
