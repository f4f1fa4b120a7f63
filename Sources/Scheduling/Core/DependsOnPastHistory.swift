import Dagrun
import Model

/// How the tasks that depend on their past ended in the finished runs of one DAG: 32 bytes each.
///
/// A run counts as the past of a task only if the task depended on its past in the version which that run was on. So
/// the history starts with the version that asks for it, and is the same whether it was lived through or restored.
struct DependsOnPastHistory: Equatable, Sendable {
  private var instances: [String: [Instance]] = [:]

  struct Instance: Equatable, Sendable {
    var logicalDate: Timestamp
    var run: Int64
    /// It succeeded or was skipped; all of it, where the task is mapped.
    var isPassed: Bool
    var isManual: Bool
  }

  mutating func add(_ entry: RunEntry) {
    guard let date = entry.run.logicalDate else { return }
    for taskID in entry.plan.pastTaskIDs {
      guard let position = entry.plan.position(of: taskID) else { continue }
      let instance = Instance(entry, logicalDate: date, position: position)
      let index = firstIndex(of: taskID, notBefore: date)
      instances[taskID, default: []].insert(instance, at: index)
    }
  }

  /// Forgets a run that has come back into memory.
  mutating func remove(run: Int64) {
    for taskID in instances.keys.sorted() {
      guard let index = instances[taskID]!.firstIndex(where: { $0.run == run }) else { continue }
      instances[taskID]!.remove(at: index)
      if instances[taskID]!.isEmpty { instances[taskID] = nil }
    }
  }

  /// The newest instance of the task before `date`, of those that `isCounted`.
  func newest(_ taskID: String, before date: Timestamp, where isCounted: (Instance) -> Bool) -> Instance? {
    guard let known = instances[taskID] else { return nil }
    return known[..<firstIndex(of: taskID, notBefore: date)].last(where: isCounted)
  }

  private func firstIndex(of taskID: String, notBefore date: Timestamp) -> Int {
    guard let known = instances[taskID] else { return 0 }
    var (low, high) = (0, known.count)
    while low < high {
      let middle = (low + high) / 2
      if known[middle].logicalDate < date { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

extension DependsOnPastHistory.Instance {
  @inline(__always)
  init(_ entry: RunEntry, logicalDate: Timestamp, position: Int) {
    self.logicalDate = logicalDate
    run = entry.run.number
    isPassed = entry.instances(at: position).allSatisfy { entry[$0].state.isPassed }
    isManual = entry.run.type == .manual
  }
}

extension TaskState {
  /// A later instance that depends on its past may start.
  var isPassed: Bool { self == .success || self == .skipped }
}
