import Dagrun

/// What is due when. A timer whose reason has gone is found stale when it comes up; nothing is ever searched.
struct Timer: Comparable, Sendable {
  var at: Timestamp
  var kind: Kind
  /// The run's number; the DAG's index for `schedule` and `promotion`.
  var subject: Int64
  /// The task's position, where the kind is about a task.
  var position: Int32 = 0
  /// The try, where the kind is about one.
  var tryNumber: Int32 = 0

  enum Kind: UInt8, Sendable {
    /// A try's `executionTimeout` has passed.
    case executionTimeout
    /// An instance in `up_for_retry` or `up_for_reschedule` is due.
    case retry
    case dagrunTimeout
    /// A queued run's `runAfter` has come.
    case promotion
    /// A DAG's schedule has a tick.
    case schedule
  }

  static func < (left: Timer, right: Timer) -> Bool {
    (left.at.microseconds, left.kind.rawValue, left.subject, left.position, left.tryNumber)
      < (right.at.microseconds, right.kind.rawValue, right.subject, right.position, right.tryNumber)
  }
}
