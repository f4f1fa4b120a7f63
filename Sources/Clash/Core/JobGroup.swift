internal import Dagrun

/// Several jobs as one: they begin together, each has its own result, and together they may be cancelled. Pure, as a
/// job is; the group's driver drives the jobs too.
package struct JobGroup: Hashable, Sendable {
  package let names: [String]
  /// Of each job, in the order of `names`; nil while it lives.
  package private(set) var outcomes: [JobOutcome?]
  /// Those that were told to stop: each is told once.
  private var isCancelled: [Bool]

  package init(names: [String]) {
    self.names = names
    outcomes = Array(repeating: nil, count: names.count)
    isCancelled = Array(repeating: false, count: names.count)
  }

  /// A job is at its end. A second word on it changes nothing.
  ///
  /// - Returns: true when it was the last one.
  @discardableResult
  package mutating func ended(_ index: Int, _ outcome: JobOutcome) -> Bool {
    guard outcomes[index] == nil else { return false }
    outcomes[index] = outcome
    return isFinished
  }

  /// - Returns: the jobs to cancel now.
  package mutating func cancel(_ index: Int) -> [Int] {
    guard outcomes[index] == nil, !isCancelled[index] else { return [] }
    isCancelled[index] = true
    return [index]
  }

  package mutating func cancelAll() -> [Int] {
    var indices: [Int] = []
    for index in names.indices { indices += cancel(index) }
    return indices
  }

  package var isFinished: Bool { outcomes.allSatisfy { $0 != nil } }
}
