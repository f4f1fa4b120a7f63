import Dagrun
import Model
import Testing

@testable import Scheduling

/// A task that is mapped has several instances in a run. What events do with them: `MappingTests`.
@Suite struct MappedInstanceTests {
  private func entry(_ plan: DAGPlan) -> RunEntry {
    RunEntry(RunSnapshot(run: RunEntry.unused.run, tasks: []), plan: plan, dag: 0)
  }

  private func keys(_ entry: RunEntry) -> [String] {
    entry.instances.map { instance in
      let key = entry.key(instance)
      return key.mapIndex == TaskInstanceKey.notMapped ? key.taskID : "\(key.taskID)[\(key.mapIndex)]"
    }
  }

  @Test func `without mapping an instance is at the position of its task`() {
    let entry = entry(dag("a", "b < a", "c"))
    #expect(keys(entry) == ["a", "b", "c"])
    for (position, instance) in entry.instances.enumerated() {
      #expect(entry.planPosition(of: instance) == position)
      #expect(Array(entry.instances(at: position)) == [instance])
      #expect(entry.instance(entry.key(instance)) == instance)
    }
    #expect(entry.instance(TaskInstanceKey(run: 0, taskID: "a", mapIndex: 0)) == nil)
  }

  @Test func `instances of a mapped task come in the order of the plan, and the others stay where they are`() {
    var entry = entry(dag("a", "m < a", "z < m"))
    let before = ["a", "z"].map { entry.instance(TaskInstanceKey(run: 0, taskID: $0))! }
    let range = entry.expand(1, to: 3)
    #expect(keys(entry) == ["a", "m[0]", "m[1]", "m[2]", "z"])
    #expect(range.count == 3 && entry.instances(at: 1) == range)
    #expect(range.map(entry.planPosition) == [1, 1, 1])
    #expect(["a", "z"].map { entry.instance(TaskInstanceKey(run: 0, taskID: $0))! } == before)
    for instance in entry.instances { #expect(entry.instance(entry.key(instance)) == instance) }
    for mapIndex in [-1, 3] as [Int32] {
      #expect(entry.instance(TaskInstanceKey(run: 0, taskID: "m", mapIndex: mapIndex)) == nil)
    }
  }

  @Test func `a task mapped over one element has a map index, and one instance as before`() {
    var entry = entry(dag("m", "z < m"))
    entry.expand(0, to: 1)
    #expect(keys(entry) == ["m[0]", "z"] && entry.unfinished == 2)
  }

  @Test func `two tasks can be mapped`() {
    var entry = entry(dag("a", "b", "z < a b"))
    entry.expand(1, to: 2)
    entry.expand(0, to: 4)
    #expect(keys(entry) == ["a[0]", "a[1]", "a[2]", "a[3]", "b[0]", "b[1]", "z"])
    #expect(entry.unfinished == 7 && entry.counts[.none] == 7)
    let last = Array(entry.instances).last!
    #expect(entry.upstreamCounts(of: last).upstream == 6)
  }

  /// What is counted along is what a recount finds.
  @Test(arguments: 1...4)
  func `counts of upstream instances are those of all of them`(width: Int32) {
    var entry = entry(dag("a", "m < a", "y < m", "z < m a"))
    entry[entry.instances(at: 0).lowerBound].state = .success
    entry.recount()
    entry.expand(1, to: width)
    for instance in entry.instances(at: 1) {
      #expect(entry.upstreamCounts(of: instance) == UpstreamCounts(upstream: 1, succeeded: 1))
      #expect(entry.decide(instance) == .run)
    }
    #expect(entry.upstreamCounts(of: entry.instances(at: 2).lowerBound).upstream == width)
    #expect(
      entry.upstreamCounts(of: entry.instances(at: 3).lowerBound)
        == UpstreamCounts(upstream: width + 1, succeeded: 1))
    let counted = (entry.counts, entry.unfinished, entry.instances.map { entry.upstreamCounts(of: $0) })
    entry.recount()
    #expect(counted.0 == entry.counts && counted.1 == entry.unfinished)
    #expect(counted.2 == entry.instances.map { entry.upstreamCounts(of: $0) })
  }

  @Test func `a task that gets more instances keeps those that it has`() {
    var entry = entry(dag("a", "m < a", "z < m"))
    entry.expand(1, to: 2)
    entry[entry.instances(at: 1).lowerBound].state = .success
    entry.recount()
    let old = entry.grow(1, to: 4)
    #expect(keys(entry) == ["a", "m[0]", "m[1]", "m[2]", "m[3]", "z"])
    #expect(entry.instances(at: 1).map { entry[$0].state } == [.success, .none, .none, .none])
    #expect(old.allSatisfy { entry[$0].state == .removed && entry.key($0).mapIndex == TaskInstanceKey.notMapped })
    let counted = (entry.counts, entry.unfinished, entry.expandedCounts(1), entry.instances.map(entry.upstreamCounts))
    entry.recount()
    #expect(counted.0 == entry.counts && counted.1 == entry.unfinished && counted.2 == entry.expandedCounts(1))
    #expect(counted.3 == entry.instances.map(entry.upstreamCounts))
  }

  @Test func `instances start in the order of the plan`() {
    var bed = TestBed(dag("a", "m < a*", "n < a"), parallelism: 1)
    bed.trigger()
    bed.finish("a", output: .list(count: 2))
    #expect(bed.launched == ["m[0]"])
    bed.finish("m", 0)
    #expect(bed.launched == ["m[1]"])
    bed.finish("m", 1)
    #expect(bed.launched == ["n"])
  }
}
