/// The days of a cron expression: what its day-of-month and its day-of-week field say together, as in croniter.
///
/// When both fields are restricted, a day that is in *either* is a tick; else it has to be in both. A field counts as
/// unrestricted when it has a `*`. One that names every day (`*/1`, `0-6`) does so only beside a field with a `*` in
/// it: `0 0 */1 * 5` is due every day. `#`, `L5` and `W` hold in any case: what stands in the other field does not add
/// days to them.
package struct CronDays: Hashable, Sendable {
  private let daysOfMonth: UInt64
  private let hasLastDayOfMonth: Bool
  private let nearestTo: Int?
  private let daysOfWeek: UInt64
  /// By the day of the week, bit n for the nth of the month, bit 0 for the last one. Empty: all of `daysOfWeek`.
  private let ordinals: [UInt8]
  /// Whether a day in either field will do.
  private let isEither: Bool

  init(ofMonth month: String, ofWeek week: String, of expression: String) throws(CronError) {
    let inMonth = try CronField.dayOfMonth.parse(month, of: expression)
    let inWeek = try CronField.dayOfWeek.parse(week, of: expression)
    daysOfMonth = inMonth.allowed
    hasLastDayOfMonth = inMonth.hasLast
    nearestTo = inMonth.nearestTo
    daysOfWeek = inWeek.allowed
    ordinals = inWeek.ordinals.isEmpty ? [] : (0..<7).map { inWeek.ordinals[$0] ?? 0 }
    // `L` counts as one of the 31.
    let namesWholeMonth = inMonth.values.nonzeroBitCount + (inMonth.hasLast ? 1 : 0) == 31
    let namesWholeWeek = inWeek.values.nonzeroBitCount == 7
    let isAnyOfMonth = inMonth.hasStar || namesWholeMonth && week.contains("*")
    let isAnyOfWeek = inWeek.hasStar || namesWholeWeek && month.contains("*")
    isEither = !isAnyOfMonth && !isAnyOfWeek
    let isMixed = (0..<7).contains { inWeek.values & 1 << UInt64($0) != 0 && inWeek.ordinals[$0] == nil }
    guard inWeek.ordinals.isEmpty || !isMixed || namesWholeWeek else {
      throw CronError(
        "the day-of-week field of the cron expression \"\(expression)\" is wrong: either all of its days have a week of "
          + "the month (mon#1, L5), or none has")
    }
  }

  /// Whether a day is a tick. The time of day does not count.
  package func contains(_ day: CivilTime) -> Bool {
    let sides = sides(day)
    return isEither ? sides.month || sides.week : sides.month && sides.week
  }

  /// What each field says of a day. Where either will do, `#`, `L5` and `W` are part of both.
  private func sides(_ day: CivilTime) -> (month: Bool, week: Bool) {
    let length = CivilTime.daysInMonth(day.month, year: day.year)
    let weekday = day.dayOfWeek
    let inMonth =
      if let nearestTo {
        day.day == Self.nearestWeekday(to: nearestTo, day, length: length)
      } else {
        daysOfMonth & 1 << UInt64(day.day) != 0 || hasLastDayOfMonth && day.day == length
      }
    let inWeek =
      if ordinals.isEmpty {
        daysOfWeek & 1 << UInt64(weekday) != 0
      } else {
        ordinals[weekday] & 1 << UInt8((day.day + 6) / 7) != 0 || ordinals[weekday] & 1 != 0 && day.day + 7 > length
      }
    guard isEither else { return (inMonth, inWeek) }
    return (inMonth && (ordinals.isEmpty || inWeek), inWeek && (nearestTo == nil || inMonth))
  }

  /// The Monday to Friday that is nearest to a day, in the same month.
  private static func nearestWeekday(to day: Int, _ month: CivilTime, length: Int) -> Int {
    let day = min(day, length)
    switch CivilTime(year: month.year, month: month.month, day: day).dayOfWeek {
    case 6: return day > 1 ? day - 1 : day + 2
    case 0: return day < length ? day + 1 : day - 2
    default: return day
    }
  }

  /// Whether there is such a day in such a month. The calendar repeats itself after 400 years.
  func areEverDue(inMonths months: UInt64) -> Bool {
    if ordinals.isEmpty && nearestTo == nil {
      // Where either will do the week has such a day, and where it is restricted the month is not.
      if isEither || daysOfWeek.nonzeroBitCount < 7 { return true }
      return (1...12).contains { month in
        guard months & 1 << UInt64(month) != 0 else { return false }
        return hasLastDayOfMonth || daysOfMonth & (2 << UInt64(CivilTime.daysInMonth(month, year: 2000)) - 2) != 0
      }
    }
    var found = (month: false, week: false)
    for year in 2000..<2400 {
      for month in 1...12 where months & 1 << UInt64(month) != 0 {
        for day in 1...CivilTime.daysInMonth(month, year: year) {
          let sides = sides(CivilTime(year: year, month: month, day: day))
          if !isEither, sides.month && sides.week { return true }
          // Airflow refuses to run an expression of which one side is never due, although the other one is.
          found = (found.month || sides.month, found.week || sides.week)
          if isEither, found.month && found.week { return true }
        }
      }
    }
    return false
  }
}
