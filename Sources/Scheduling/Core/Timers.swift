import Dagrun
import Model

/// What is due when. A timer whose reason has gone is found stale when it comes up; nothing is ever searched.
struct Timer: Comparable, Sendable {
  let at: Timestamp
  /// The run's number; the DAG's index for `schedule` and `promotion`.
  let subject: Int64
  /// Where the kind is about an instance: its task's position in the plan, and which instance it is.
  private let position: Int32
  let instance: InstanceOffset
  /// The try, where the kind is about one.
  let tryNumber: Int32
  let kind: Kind

  enum Kind: UInt8, Sendable {
    /// A try's `executionTimeout` has passed.
    case executionTimeout
    /// An instance in `up_for_retry` or `up_for_reschedule` is due.
    case retry
    case dagrunTimeout
    /// A queued run's `runAfter` has come.
    case promotion
    /// A DAG's source has a run to make.
    case schedule
  }

  init(at moment: Timestamp, _ kind: Kind, subject: Int64) {
    at = moment
    self.kind = kind
    self.subject = subject
    position = 0
    instance = InstanceOffset(value: 0)
    tryNumber = 0
  }

  @inline(__always)
  init(at moment: Timestamp, _ kind: Kind, _ instance: InstanceOffset, of entry: RunEntry, tryNumber: Int32 = 0) {
    at = moment
    self.kind = kind
    subject = entry.run.number
    position = Int32(entry.planPosition(of: instance))
    self.instance = instance
    self.tryNumber = tryNumber
  }

  static func < (left: Timer, right: Timer) -> Bool {
    if left.at != right.at { return left.at < right.at }
    return (left.kind.rawValue, left.subject, left.position, left.instance.value, left.tryNumber)
      < (right.kind.rawValue, right.subject, right.position, right.instance.value, right.tryNumber)
  }
}
