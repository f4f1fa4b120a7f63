package import Model

/// How many task instances of a run are in each state.
package struct StateCounts: Hashable, Sendable {
  private var counts = [Int32](repeating: 0, count: TaskState.allCases.count)

  package init() {}

  package subscript(state: TaskState) -> Int { Int(counts[state.index]) }

  mutating func add(_ state: TaskState, _ number: Int32 = 1) { counts[state.index] += number }

  mutating func move(from: TaskState, to: TaskState) {
    counts[from.index] -= 1
    counts[to.index] += 1
  }
}

extension TaskState {
  /// Position in `allCases`.
  var index: Int {
    switch self {
    case .none: 0
    case .removed: 1
    case .scheduled: 2
    case .queued: 3
    case .running: 4
    case .success: 5
    case .restarting: 6
    case .failed: 7
    case .upForRetry: 8
    case .upForReschedule: 9
    case .upstreamFailed: 10
    case .skipped: 11
    case .deferred: 12
    case .awaitingInput: 13
    }
  }
}
