package import Dagrun

/// Several jobs as one: they begin together, each has its own result, and together they may be cancelled or run out of
/// time. Pure, as a job is; whoever drives it drives the jobs too.
package struct JobGroup: Hashable, Sendable {
  package let names: [String]
  /// Of each job, in the order of `names`; nil while it lives.
  package private(set) var outcomes: [JobOutcome?]
  /// For all of them together: what is not done then is cancelled.
  package let deadline: Timestamp?
  package private(set) var isTimedOut = false
  /// Which were told to stop: nobody is told twice.
  private var isCancelled: [Bool]

  package init(names: [String], timeoutSeconds: Double? = nil, at now: Timestamp) {
    self.names = names
    outcomes = Array(repeating: nil, count: names.count)
    isCancelled = Array(repeating: false, count: names.count)
    deadline = timeoutSeconds.map { now.adding(seconds: $0) }
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

  /// `nextWake` has come.
  package mutating func wake(at now: Timestamp) -> [Int] {
    guard let deadline, deadline <= now, !isFinished, !isTimedOut else { return [] }
    isTimedOut = true
    return cancelAll()
  }

  package var nextWake: Timestamp? { isFinished || isTimedOut ? nil : deadline }
  package var isFinished: Bool { outcomes.allSatisfy { $0 != nil } }
  package var remaining: Int { outcomes.count { $0 == nil } }
  package var hasAllSucceeded: Bool { outcomes.allSatisfy { $0?.ending == .exited(status: 0) } }
}
