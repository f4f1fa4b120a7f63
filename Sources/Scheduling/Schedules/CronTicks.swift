import Dagrun
import Foundation

/// The moments of a cron expression in a time zone.
///
/// Ticks are times on the wall clock. One that daylight saving leaps over is moved forward by the length of the leap,
/// one that it makes happen twice is the first of the two. An expression that ticks in every hour goes on doing so: it
/// has both hours when one comes twice, and nothing to make up for one that is leapt over.
struct CronTicks: Sendable {
  private let cron: CronExpression
  private let zone: TimeZone?

  init?(_ expression: String, timeZone: String) {
    guard let cron = try? CronExpression(expression) else { return nil }
    self.cron = cron
    if timeZone == "UTC" || timeZone == "Etc/UTC" {
      zone = nil
    } else {
      guard let zone = TimeZone(identifier: timeZone) else { return nil }
      self.zone = zone
    }
  }

  /// The first tick after `moment`. nil: there is none within the next 50 years.
  func next(after moment: Timestamp) -> Timestamp? {
    guard zone != nil else { return cron.next(afterWallClock: moment) }
    if ticksEveryHour { return nextOfEveryHour(after: moment) }
    // Some wall-clock times map to moments before or at `moment` (a leap), so start a little earlier and pass over them.
    var wall = wallClock(at: moment).adding(seconds: -Self.largestLeapSeconds)
    while let tick = cron.next(afterWallClock: wall) {
      let candidate = self.moment(of: tick)
      if candidate > moment { return candidate }
      wall = tick
    }
    return nil
  }

  /// The newest tick that is not after `moment`. nil: there was none in the 50 years before.
  func last(notAfter moment: Timestamp) -> Timestamp? {
    guard zone != nil else { return cron.last(notAfterWallClock: moment) }
    if ticksEveryHour { return lastOfEveryHour(notAfter: moment) }
    var wall = wallClock(at: moment).adding(seconds: Self.largestLeapSeconds)
    while let tick = cron.last(notAfterWallClock: wall) {
      let candidate = self.moment(of: tick)
      if candidate <= moment { return candidate }
      wall = Timestamp(microseconds: tick.microseconds - 1)
    }
    return nil
  }

  private var ticksEveryHour: Bool { cron.hours & 0xff_ffff == 0xff_ffff }

  private func nextOfEveryHour(after moment: Timestamp) -> Timestamp? {
    var wall = wallClock(at: moment)
    var offset = offset(at: moment)
    while let tick = cron.next(afterWallClock: wall) {
      let candidate = tick.adding(seconds: -offset)
      if self.offset(at: candidate) == offset { return candidate }
      // The clock changes on the way: go on from there, by the new time.
      let change = firstChange(after: wall.adding(seconds: -offset), notAfter: candidate)
      offset = self.offset(at: change)
      wall = Timestamp(microseconds: change.adding(seconds: offset).microseconds - 1)
    }
    return nil
  }

  private func lastOfEveryHour(notAfter moment: Timestamp) -> Timestamp? {
    var wall = wallClock(at: moment)
    var offset = offset(at: moment)
    while let tick = cron.last(notAfterWallClock: wall) {
      let candidate = tick.adding(seconds: -offset)
      if self.offset(at: candidate) == offset { return candidate }
      let change = lastChange(after: candidate, notAfter: wall.adding(seconds: -offset))
      let before = Timestamp(microseconds: change.microseconds - 1)
      offset = self.offset(at: before)
      wall = before.adding(seconds: offset)
    }
    return nil
  }

  /// The moment from which the offset differs from that at `start`, to the second.
  private func firstChange(after start: Timestamp, notAfter end: Timestamp) -> Timestamp {
    let next = zone!.nextDaylightSavingTimeTransition(after: start.date).map(Timestamp.init)
    return next.map { min($0, end) } ?? end
  }

  private func lastChange(after start: Timestamp, notAfter end: Timestamp) -> Timestamp {
    var change = firstChange(after: start, notAfter: end)
    while change < end {
      let next = firstChange(after: change, notAfter: end)
      if next == end, offset(at: change) == offset(at: end) { break }
      change = next
    }
    return change
  }

  private static let largestLeapSeconds = 3 * 3600.0

  /// What the wall clock shows at a moment, written as though it were UTC.
  private func wallClock(at moment: Timestamp) -> Timestamp {
    moment.adding(seconds: offset(at: moment))
  }

  /// The moment at which the wall clock shows `wall`.
  private func moment(of wall: Timestamp) -> Timestamp {
    // The offsets before and after any change that is near.
    let before = offset(at: wall.adding(seconds: -86_400))
    let after = offset(at: wall.adding(seconds: 86_400))
    let early = wall.adding(seconds: -max(before, after))
    if offset(at: early) == max(before, after) { return early }
    let late = wall.adding(seconds: -min(before, after))
    if offset(at: late) == min(before, after) { return late }
    // The clock leapt over it: count on with the offset from before the leap.
    return wall.adding(seconds: -before)
  }

  private func offset(at moment: Timestamp) -> Double {
    Double(zone!.secondsFromGMT(for: moment.date))
  }
}

extension CronExpression {
  private static let searchYears = 50
  /// A search that begins outside of these years would meet the end of the calendar, and stay there.
  private static let latestYear = 9900
  private static let earliestYear = 100

  /// The first tick after a time on the wall clock. Seconds count as part of the minute before.
  func next(afterWallClock moment: Timestamp) -> Timestamp? {
    var time = CivilTime(moment)
    time.second = 0
    time.microsecond = 0
    time = CivilTime(time.timestamp.adding(seconds: 60))
    guard time.year <= Self.latestYear else { return nil }
    let lastYear = time.year + Self.searchYears
    while time.year <= lastYear {
      guard isTick(month: time.month) else {
        time = time.startOfNextMonth
        continue
      }
      guard isTick(day: time) else {
        time = time.startOfNextDay
        continue
      }
      guard let hour = hours.nextBit(from: time.hour) else {
        time = time.startOfNextDay
        continue
      }
      if hour > time.hour {
        time.hour = hour
        time.minute = 0
      }
      if let minute = minutes.nextBit(from: time.minute) {
        time.minute = minute
        return time.timestamp
      }
      time.minute = 0
      time = CivilTime(time.timestamp.adding(seconds: 3600))
    }
    return nil
  }

  /// The newest tick that is not after a time on the wall clock.
  func last(notAfterWallClock moment: Timestamp) -> Timestamp? {
    var time = CivilTime(moment)
    time.second = 0
    time.microsecond = 0
    guard time.year >= Self.earliestYear else { return nil }
    let firstYear = time.year - Self.searchYears
    while time.year >= firstYear {
      guard isTick(month: time.month) else {
        time = time.endOfPreviousMonth
        continue
      }
      guard isTick(day: time) else {
        time = time.endOfPreviousDay
        continue
      }
      guard let hour = hours.previousBit(from: time.hour) else {
        time = time.endOfPreviousDay
        continue
      }
      if hour < time.hour {
        time.hour = hour
        time.minute = 59
      }
      if let minute = minutes.previousBit(from: time.minute) {
        time.minute = minute
        return time.timestamp
      }
      time.minute = 59
      time = CivilTime(time.timestamp.adding(seconds: -3600))
    }
    return nil
  }

  private func isTick(month: Int) -> Bool { months.has(month) }

  private func isTick(day time: CivilTime) -> Bool {
    let inMonth = daysOfMonth.has(time.day)
    let inWeek = daysOfWeek.has(time.dayOfWeek)
    return dayOfMonthIsRestricted && dayOfWeekIsRestricted ? inMonth || inWeek : inMonth && inWeek
  }
}

extension UInt64 {
  fileprivate func has(_ bit: Int) -> Bool { self & 1 << UInt64(bit) != 0 }

  fileprivate func nextBit(from bit: Int) -> Int? {
    let rest = self >> UInt64(bit)
    return rest == 0 ? nil : bit + rest.trailingZeroBitCount
  }

  fileprivate func previousBit(from bit: Int) -> Int? {
    let rest = self << UInt64(63 - bit)
    return rest == 0 ? nil : bit - rest.leadingZeroBitCount
  }
}

extension CivilTime {
  fileprivate var startOfNextMonth: CivilTime {
    month == 12 ? CivilTime(year: year + 1, month: 1, day: 1) : CivilTime(year: year, month: month + 1, day: 1)
  }

  fileprivate var startOfNextDay: CivilTime {
    CivilTime(CivilTime(year: year, month: month, day: day).timestamp.adding(seconds: 86_400))
  }

  fileprivate var endOfPreviousMonth: CivilTime {
    CivilTime(CivilTime(year: year, month: month, day: 1).timestamp.adding(seconds: -60))
  }

  fileprivate var endOfPreviousDay: CivilTime {
    CivilTime(CivilTime(year: year, month: month, day: day).timestamp.adding(seconds: -60))
  }
}
