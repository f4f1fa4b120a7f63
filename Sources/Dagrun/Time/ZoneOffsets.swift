package import Foundation

/// How far the wall clock of a time zone is ahead of UTC, and when that changes. All in whole seconds since 1970.
///
/// Foundation reports changes to and from daylight saving time only, and a country may as well move to another zone.
/// So changes are searched for: in steps that are shorter than any time between two changes has ever been.
package struct ZoneOffsets: Sendable {
  private let zone: TimeZone

  package init(_ zone: TimeZone) { self.zone = zone }

  /// No clock has changed by more than a day, when a country moved to the other side of the date line.
  package static let largestChangeSeconds: Int64 = 86_400

  /// Four days was the shortest (Freetown, 1939).
  private static let stepSeconds: Int64 = 3 * 86_400

  /// A change of the clock, at the first second of the new time.
  package struct Change: Hashable, Sendable {
    package var at: Int64
    package var before: Int64
    package var after: Int64
  }

  package func offset(at second: Int64) -> Int64 {
    Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(second))))
  }

  /// The first change after `start`.
  package func change(after start: Int64, notAfter end: Int64) -> Change? {
    let before = offset(at: start)
    var low = start
    while low < end {
      let high = min(low + Self.stepSeconds, end)
      if offset(at: high) != before { return boundary(from: low, through: high) { $0 == before } }
      low = high
    }
    return nil
  }

  /// The last change that is not after `end`.
  package func change(notAfter end: Int64, after start: Int64) -> Change? {
    let after = offset(at: end)
    var high = end
    while high > start {
      let low = max(high - Self.stepSeconds, start)
      if offset(at: low) != after { return boundary(from: low, through: high) { $0 != after } }
      high = low
    }
    return nil
  }

  /// - Parameter isEarly: holds for the offset at `low`, and not for that at `high`.
  private func boundary(from low: Int64, through high: Int64, isEarly: (Int64) -> Bool) -> Change {
    var (low, high) = (low, high)
    while high - low > 1 {
      let middle = low + (high - low) / 2
      if isEarly(offset(at: middle)) { low = middle } else { high = middle }
    }
    return Change(at: high, before: offset(at: low), after: offset(at: high))
  }
}
