package import Foundation

/// A moment, in whole microseconds since 1970 (UTC).
///
/// `Date` counts in binary fractions of a second, so that a moment which went through a database or JSON may come back
/// as a different one. A restored scheduler has to equal the one that crashed, hence integers.
package struct Timestamp: Hashable, Comparable, Sendable {
  package var microseconds: Int64

  package init(microseconds: Int64) { self.microseconds = microseconds }

  /// Rounds to the nearest microsecond.
  package init(_ date: Date) {
    microseconds = Int64((date.timeIntervalSince1970 * 1e6).rounded())
  }

  package var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1e6) }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  package func adding(seconds: Double) -> Timestamp {
    Timestamp(microseconds: microseconds + Int64((seconds * 1e6).rounded()))
  }

  /// Seconds from `earlier` to this moment; negative when this one comes first.
  package func seconds(since earlier: Timestamp) -> Double { Double(microseconds - earlier.microseconds) / 1e6 }
}
