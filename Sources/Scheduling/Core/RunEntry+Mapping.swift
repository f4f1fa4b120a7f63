import Dagrun
import Model

/// Over how many elements tasks are mapped.
extension RunEntry {
  enum MappedCount: Hashable, Sendable {
    /// Tasks have still to end that hand on the lists.
    case unknown
    /// At least 1.
    case known(Int)
    /// There is nothing to map over: the task ends so, without running.
    case end(TaskState, reason: String)
  }

  /// Of the task at `position`, which is mapped.
  func mappedCount(_ position: Int) -> MappedCount {
    let mapping = plan.mappings[Int32(position)]!
    var lengths: [Int] = []
    for list in mapping.lists {
      switch list {
      case .literal(let count): lengths.append(count)
      case .missing(let taskID):
        return .end(.failed, reason: "its list is the output of \(taskID), which the run lacks")
      case .output(let source):
        switch length(ofOutput: Int(source)) {
        case .known(let length): lengths.append(length)
        case .unknown: continue
        case .end(let state, let reason): return .end(state, reason: reason)
        }
      }
    }
    guard lengths.count == mapping.lists.count else { return .unknown }
    let count = mapping.count(lengths)
    return count > 0 ? .known(count) : .end(.skipped, reason: "the list that it is mapped over is empty")
  }

  /// - Returns: here `known` may be 0.
  private func length(ofOutput position: Int) -> MappedCount {
    if isExpanded(position) {
      let (unfinished, outputs) = expandedCounts(position)
      return unfinished > 0 ? .unknown : .known(outputs)
    }
    let source = self[instances(at: position).lowerBound]
    let taskID = plan.taskIDs[position]
    switch source.state {
    case .success:
      switch source.output {
      case .list(let count): return .known(count)
      case .value: return .end(.failed, reason: "it is mapped over the output of \(taskID), which is not a list")
      case nil: return .end(.failed, reason: missingOutput(of: taskID, state: source.state.rawValue))
      }
    // Of a mapped task that was, for it had no elements itself, there are none.
    case .skipped: return plan.tasks[position].isMapped ? .known(0) : .end(.skipped, reason: "\(taskID) is skipped")
    case .failed, .upstreamFailed, .removed:
      return .end(.upstreamFailed, reason: "its list is the output of \(taskID), which is \(source.state.rawValue)")
    case .none, .scheduled, .queued, .running, .restarting, .upForRetry, .upForReschedule, .deferred, .awaitingInput:
      return .unknown
    }
  }

  /// What the list says to an instance that its rule lets run.
  func decideByList(_ instance: InstanceOffset) -> RuleDecision {
    let position = planPosition(of: instance)
    switch mappedCount(position) {
    case .unknown: return .wait
    case .end(let state, _): return .end(state)
    case .known(let count):
      return isExpanded(position) && mapIndex(of: instance) >= count ? .end(.removed) : .run
    }
  }

  /// Why an instance ends that its rule lets run; nil: its list is no reason.
  func reasonOfList(_ instance: InstanceOffset) -> String? {
    let position = planPosition(of: instance)
    guard plan.tasks[position].isMapped, decideByRule(instance) == .run else { return nil }
    switch mappedCount(position) {
    case .unknown: return nil
    case .end(_, let reason): return reason
    case .known(let count): return Self.whyRemoved(count)
    }
  }

  static func whyRemoved(_ count: Int) -> String {
    "its list has only \(count) \(count == 1 ? "element" : "elements") now"
  }

  /// Tasks that have still to end before it is known how many elements there are.
  func pendingLists(_ position: Int) -> [Int32] {
    (plan.mappings[Int32(position)]?.positions ?? []).filter { !isFinished($0) }
  }
}
