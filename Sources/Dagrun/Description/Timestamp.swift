package import Foundation

/// A moment, in whole microseconds since 1970 (UTC).
///
/// `Date` counts in binary fractions of a second, so that a moment which went through a database or JSON may come back
/// as a different one. A restored scheduler has to equal the one that crashed, hence integers.
///
/// Always within the years 1 to 9999, wherever it comes from: neither the sum nor the difference of two can overflow,
/// and each can be written as a date.
package struct Timestamp: Hashable, Comparable, Sendable {
  package let microseconds: Int64

  package static let lowest = Timestamp(microseconds: -62_135_596_800_000_000)
  package static let highest = Timestamp(microseconds: 253_402_300_799_999_999)

  /// The nearest moment that there is.
  package init(microseconds: Int64) {
    self.microseconds = min(max(microseconds, -62_135_596_800_000_000), 253_402_300_799_999_999)
  }

  /// Rounds to the nearest microsecond.
  package init(_ date: Date) {
    self.init(microseconds: Int64(saturating: date.timeIntervalSince1970 * 1e6))
  }

  package var date: Date { Date(timeIntervalSince1970: Double(microseconds) / 1e6) }

  package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

  package func adding(seconds: Double) -> Timestamp { adding(microseconds: Int64(saturating: seconds * 1e6)) }

  package func adding(microseconds: Int64) -> Timestamp {
    Timestamp(microseconds: self.microseconds.addingSaturating(microseconds))
  }

  /// Seconds from `earlier` to this moment; negative when this one comes first.
  package func seconds(since earlier: Timestamp) -> Double {
    let (difference, isTooLarge) = microseconds.subtractingReportingOverflow(earlier.microseconds)
    return (isTooLarge ? Double(microseconds) - Double(earlier.microseconds) : Double(difference)) / 1e6
  }
}
