import Dagrun
import Foundation

/// The moments of a cron expression in a time zone.
///
/// Ticks are times on the wall clock. The schedule says what becomes of one that the clock leaps over (`gap`), and of
/// one that the clock shows twice (`fold`). An expression that ticks in every hour keeps doing so: it has both hours
/// when one comes twice, and nothing to make up for one that is leapt over.
///
/// Between two changes of the clock its offset from UTC is constant. A search goes from one such stretch of time to the
/// next, and never back; it ends after 50 years.
struct CronTicks: Sendable {
  private let cron: CronExpression
  /// nil: UTC.
  private let zone: ZoneOffsets?
  private let gap: Schedule.Gap
  private let fold: Schedule.Fold

  init?(_ expression: String, timeZone: String, gap: Schedule.Gap = .shift, fold: Schedule.Fold = .second) {
    guard let cron = try? CronExpression(expression) else { return nil }
    self.cron = cron
    self.gap = cron.ticksEveryHour ? .skip : gap
    self.fold = cron.ticksEveryHour ? .both : fold
    if timeZone == "UTC" || timeZone == "Etc/UTC" {
      zone = nil
    } else {
      guard let zone = TimeZone(identifier: timeZone) else { return nil }
      self.zone = ZoneOffsets(zone)
    }
  }

  /// The first tick after `moment`. nil: there is none within the next 50 years.
  func next(after moment: Timestamp) -> Timestamp? {
    let second = Self.wholeSeconds(moment)
    guard second < Self.years.upperBound else { return nil }
    var stretches = 0
    return first(notBefore: max(second + 1, Self.years.lowerBound), stretches: &stretches).flatMap(Self.timestamp)
  }

  /// The newest tick that is not after `moment`. nil: there was none in the 50 years before.
  func last(notAfter moment: Timestamp) -> Timestamp? {
    let second = Self.wholeSeconds(moment)
    guard second >= Self.years.lowerBound else { return nil }
    var stretches = 0
    return last(notAfter: min(second, Self.years.upperBound), stretches: &stretches).flatMap(Self.timestamp)
  }

  /// - Parameter stretches: counts what the search looks at.
  func first(notBefore start: Int64, stretches: inout Int) -> Int64? {
    guard let zone else { return cron.tick(notBefore: start) }
    let end = start + Self.searchSeconds
    var from = start
    while from <= end {
      stretches += 1
      let offset = zone.offset(at: from)
      let begin = zone.change(notAfter: from, after: from - ZoneOffsets.largestChangeSeconds)
      // Of times that the clock shows for the second time, the first may be the one that counts.
      let afterFold = fold == .first ? begin.map { $0.at + $0.before } ?? .min : .min
      var found = cron.tick(notBefore: max(from + offset, afterFold)).map { $0 - offset }
      if gap == .shift, let begin, begin.after > begin.before,
        let shifted = cron.tick(notBefore: from + begin.before), shifted < begin.at + begin.after
      {
        found = min(found ?? .max, shifted - begin.before)
      }
      // What happens just before the clock goes back happens again.
      let reach = min(found ?? end, end) + ZoneOffsets.largestChangeSeconds
      guard let change = zone.change(after: from, notAfter: reach) else { return found }
      if let found, found < countedEnd(before: change) { return found }
      from = change.at
    }
    return nil
  }

  func last(notAfter end: Int64, stretches: inout Int) -> Int64? {
    guard let zone else { return cron.tick(notAfter: end) }
    let start = end - Self.searchSeconds
    var until = end
    while until >= start {
      stretches += 1
      let offset = zone.offset(at: until)
      let change = zone.change(after: until, notAfter: until + ZoneOffsets.largestChangeSeconds)
      let latest = change.map { min(until, countedEnd(before: $0) - 1) } ?? until
      let natural = cron.tick(notAfter: latest + offset).map { $0 - offset }
      let reach = max(natural ?? start, start) - ZoneOffsets.largestChangeSeconds
      guard let begin = zone.change(notAfter: until, after: reach) else { return natural }
      // Of times that the clock showed for the second time, the first may be the one that counts.
      let counted = begin.at + (fold == .first ? max(begin.before - begin.after, 0) : 0)
      var found = natural.flatMap { $0 >= counted ? $0 : nil }
      if gap == .shift, begin.after > begin.before,
        let shifted = cron.tick(notAfter: min(until + begin.before, begin.at + begin.after - 1)),
        shifted >= begin.at + begin.before
      {
        found = max(found ?? .min, shifted - begin.before)
      }
      if let found { return found }
      until = begin.at - 1
    }
    return nil
  }

  /// Where the moments end that count in the stretch before a change. If the second of two counts, those after come
  /// again.
  private func countedEnd(before change: ZoneOffsets.Change) -> Int64 {
    fold == .second ? change.at - max(change.before - change.after, 0) : change.at
  }

  /// The largest whole second that is not after a moment.
  private static func wholeSeconds(_ moment: Timestamp) -> Int64 {
    let (seconds, rest) = moment.microseconds.quotientAndRemainder(dividingBy: 1_000_000)
    return rest < 0 ? seconds - 1 : seconds
  }

  private static func timestamp(_ second: Int64) -> Timestamp? {
    years.contains(second) ? Timestamp(microseconds: second * 1_000_000) : nil
  }

  /// The years 0001 to 9999, which dates can be written of.
  private static let years: ClosedRange<Int64> = -62_135_596_800...253_402_300_799
  private static let searchSeconds: Int64 = 50 * 366 * 86_400
}
