import Dagrun

/// The ticks of a cron expression on a wall clock that never changes, in whole seconds since 1970 by that clock.
///
/// Both searches end: they look at each day once, and at no more than 50 years of them.
extension CronExpression {
  /// The first tick that is not before a second. nil: there is none within 50 years.
  func tick(notBefore second: Int64) -> Int64? {
    var (day, time) = WallClock.split(second)
    var civil = WallClock.date(of: day)
    let lastDay = day + Self.searchDays
    while day <= lastDay {
      if months.has(civil.month) {
        if days.contains(civil), let found = firstTime(notBefore: time) { return day * 86_400 + Int64(found) }
        day += 1
        civil.day += 1
        if civil.day > CivilTime.daysInMonth(civil.month, year: civil.year) { civil = WallClock.date(of: day) }
      } else {
        // To the first of the next month.
        day += Int64(CivilTime.daysInMonth(civil.month, year: civil.year) - civil.day + 1)
        civil = WallClock.date(of: day)
      }
      time = 0
    }
    return nil
  }

  /// The newest tick that is not after a second. nil: there was none in the 50 years before.
  func tick(notAfter second: Int64) -> Int64? {
    var (day, time) = WallClock.split(second)
    var civil = WallClock.date(of: day)
    let firstDay = day - Self.searchDays
    while day >= firstDay {
      if months.has(civil.month) {
        if days.contains(civil), let found = lastTime(notAfter: time) { return day * 86_400 + Int64(found) }
        day -= 1
        civil.day -= 1
        if civil.day < 1 { civil = WallClock.date(of: day) }
      } else {
        day -= Int64(civil.day)
        civil = WallClock.date(of: day)
      }
      time = 86_399
    }
    return nil
  }

  /// A second of the day.
  private func firstTime(notBefore time: Int) -> Int? {
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    if hours.has(hour) {
      if minutes.has(minute), let second = seconds.nextBit(from: second) {
        return hour * 3600 + minute * 60 + second
      }
      if minute < 59, let minute = minutes.nextBit(from: minute + 1) {
        return hour * 3600 + minute * 60 + seconds.trailingZeroBitCount
      }
    }
    guard hour < 23, let hour = hours.nextBit(from: hour + 1) else { return nil }
    return hour * 3600 + minutes.trailingZeroBitCount * 60 + seconds.trailingZeroBitCount
  }

  private func lastTime(notAfter time: Int) -> Int? {
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60)
    if hours.has(hour) {
      if minutes.has(minute), let second = seconds.previousBit(from: second) {
        return hour * 3600 + minute * 60 + second
      }
      if minute > 0, let minute = minutes.previousBit(from: minute - 1) {
        return hour * 3600 + minute * 60 + seconds.highestBit
      }
    }
    guard hour > 0, let hour = hours.previousBit(from: hour - 1) else { return nil }
    return hour * 3600 + minutes.highestBit * 60 + seconds.highestBit
  }

  private static let searchDays: Int64 = 50 * 366
}

enum WallClock {
  /// The days since 1970, and the second of that day.
  static func split(_ second: Int64) -> (day: Int64, time: Int) {
    let (day, time) = second.quotientAndRemainder(dividingBy: 86_400)
    return time < 0 ? (day - 1, Int(time) + 86_400) : (day, Int(time))
  }

  static func date(of day: Int64) -> CivilTime { CivilTime(Timestamp(microseconds: day * 86_400_000_000)) }
}

extension UInt64 {
  fileprivate var highestBit: Int { 63 - leadingZeroBitCount }

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
