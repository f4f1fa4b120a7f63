package import Foundation

/// A day by the calendar, in no time zone yet.
package struct CalendarDay: Hashable, Comparable, Sendable {
  package var year: Int
  package var month: Int
  package var day: Int

  package init(year: Int, month: Int, day: Int) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// `2026-01-31` or `20260131`. nil when it is anything else, or no such day.
  package init?(iso8601 text: String) {
    guard text.utf8.count <= 10, let start = Timestamp(iso8601: text) else { return nil }
    self.init(CivilTime(start))
  }

  /// The day that it is in a zone.
  package init(of moment: Timestamp, in zone: TimeZone) {
    let offset = ZoneOffsets(zone).offset(at: moment.microseconds / 1_000_000)
    self.init(CivilTime(moment.adding(seconds: Double(offset))))
  }

  private init(_ civil: CivilTime) {
    self.init(year: civil.year, month: civil.month, day: civil.day)
  }

  package func adding(days: Int) -> CalendarDay {
    CalendarDay(CivilTime(midnight.adding(seconds: Double(days) * 86_400)))
  }

  /// The first moment of the day. Where the clock leaps over midnight, it is that of the leap.
  package func start(in zone: TimeZone) -> Timestamp {
    let offsets = ZoneOffsets(zone)
    let midnight = midnight.microseconds / 1_000_000
    // The offsets before and after any change that is near.
    let before = offsets.offset(at: midnight - 2 * ZoneOffsets.largestChangeSeconds)
    let after = offsets.offset(at: midnight + 2 * ZoneOffsets.largestChangeSeconds)
    // The wall clock is before midnight until `early`, and not any more from `late` on.
    let early = midnight - max(before, after)
    let late = midnight - min(before, after)
    if early + offsets.offset(at: early) == midnight { return Timestamp(microseconds: early * 1_000_000) }
    if let change = offsets.change(after: early, notAfter: late), change.at + change.after > midnight {
      return Timestamp(microseconds: change.at * 1_000_000)
    }
    return Timestamp(microseconds: late * 1_000_000)
  }

  /// The last microsecond of the day.
  package func end(in zone: TimeZone) -> Timestamp {
    Timestamp(microseconds: adding(days: 1).start(in: zone).microseconds - 1)
  }

  package static func < (left: CalendarDay, right: CalendarDay) -> Bool {
    (left.year, left.month, left.day) < (right.year, right.month, right.day)
  }

  private var midnight: Timestamp { CivilTime(year: year, month: month, day: day).timestamp }
}
