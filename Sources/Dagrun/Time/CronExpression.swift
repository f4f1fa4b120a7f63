/// A cron expression, parsed: which seconds, minutes, hours, days and months are ticks. Next times are Scheduling's
/// business.
///
/// It means what it means to croniter 7.0.0, by which Airflow schedules. Five fields (minute, hour, day of month,
/// month, day of week), or six with the seconds last. Each is a list of `*`, `n`, `a-b`, each with an optional step
/// `/n`; months and days of the week also by their English names. Days of the week are 0…7, Sunday is 0 and 7. Besides,
/// the day of the month may be `L` (the last), or `15W` (the weekday next to the 15th); a day of the week `mon#2` (the
/// second Monday of the month) or `L5` (the last Friday). The presets `@hourly`, `@daily`, `@midnight`, `@weekly`,
/// `@monthly`, `@quarterly`, `@yearly` and `@annually` stand for five fields.
package struct CronExpression: Hashable, Sendable {
  /// As it was written.
  package let text: String
  /// Bit n is set when n is a tick: 0…59. With five fields, second 0 only.
  package let seconds: UInt64
  /// 0…59
  package let minutes: UInt64
  /// 0…23
  package let hours: UInt64
  /// 1…12
  package let months: UInt64
  package let days: CronDays

  package init(_ text: String) throws(CronError) {
    var fields = text.split { " \t\n\r\u{0b}\u{0c}".contains($0) || $0 == "\r\n" }.map(String.init)
    if let first = fields.first, first.hasPrefix("@") {
      guard fields.count == 1, let preset = Self.presets[first.lowercased()] else {
        throw CronError(Self.hint(forUnknownPreset: text))
      }
      fields = preset.split(separator: " ").map(String.init)
    }
    guard fields.count == 5 || fields.count == 6 else { throw CronError(Self.reason(text, count: fields.count)) }
    self.text = text
    minutes = try CronField.minute.parse(fields[0], of: text).allowed
    hours = try CronField.hour.parse(fields[1], of: text).allowed
    months = try CronField.month.parse(fields[3], of: text).allowed
    days = try CronDays(ofMonth: fields[2], ofWeek: fields[4], of: text)
    seconds = fields.count == 6 ? try CronField.second.parse(fields[5], of: text).allowed : 1
    guard days.areEverDue(inMonths: months) else {
      throw CronError("the cron expression \"\(text)\" is never due: no such day in such a month")
    }
  }

  /// Whether it ticks in each hour of a day that it ticks on.
  package var ticksEveryHour: Bool { hours == CronField.hour.all }

  /// The fields that a preset stands for; any other text as it is.
  package static func fields(of text: String) -> String { presets[text.lowercased()] ?? text }

  private static let presets = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@quarterly": "0 0 1 */3 *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
  ]

  private static func hint(forUnknownPreset text: String) -> String {
    switch text.lowercased() {
    case "@once": "\"@once\" is not a cron expression; write schedule: .once"
    case "@continuous": "\"@continuous\" is not a cron expression; write schedule: .continuous"
    default: "\"\(text)\" is not a preset; there are \(presets.keys.sorted().joined(separator: ", "))"
    }
  }

  private static func reason(_ text: String, count: Int) -> String {
    let expected =
      "a cron expression has 5 fields (minute hour day-of-month month day-of-week), or 6 with the seconds last"
    return count == 7
      ? "\(expected); \"\(text)\" has 7: leave out the years, and give the DAG a startDate and an endDate"
      : "\(expected); \"\(text)\" has \(count)"
  }
}

/// Why a text is not a cron expression, in words for its author.
package struct CronError: Error, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}
