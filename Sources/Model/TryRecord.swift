package import Dagrun

/// One try of a task: over, or the one it is on. `state` is how it ended (`failed`, also when a retry follows).
package struct TryRecord: Hashable, Sendable {
  package var tryNumber: Int
  package var state: TaskState
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  /// In words for a person.
  package var reason: String?
  package var exitCode: Int?
  package var signal: Int?
  package var usage: Usage
  /// What of its log, output or journal could not be kept, in words.
  package var loss: String?

  package init(
    tryNumber: Int, state: TaskState, startDate: Timestamp?, endDate: Timestamp?, reason: String? = nil,
    exitCode: Int? = nil, signal: Int? = nil, usage: Usage = .init(), loss: String? = nil
  ) {
    self.tryNumber = tryNumber
    self.state = state
    self.startDate = startDate
    self.endDate = endDate
    self.reason = reason
    self.exitCode = exitCode
    self.signal = signal
    self.usage = usage
    self.loss = loss
  }
}
