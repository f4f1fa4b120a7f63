/// A cron expression, parsed: which minutes, hours, days and months are ticks. Next times are Scheduling's business.
///
/// Five fields (minute, hour, day of month, month, day of week), each a list of `*`, `n`, `a-b`, each with an optional
/// step `/n`; months and days of the week also by their English names. Days of the week are 0…7, Sunday is 0 and 7. A
/// range may wrap around (`fri-mon`, `22-2`), as in croniter, which Airflow uses. The presets `@hourly`, `@daily`,
/// `@midnight`, `@weekly`, `@monthly`, `@quarterly`, `@yearly` and `@annually` stand for five fields.
package struct CronExpression: Hashable, Sendable {
  /// As it was written.
  package let text: String
  /// Bit n is set when n is a tick: 0…59.
  package let minutes: UInt64
  /// 0…23
  package let hours: UInt64
  /// 1…31
  package let daysOfMonth: UInt64
  /// 1…12
  package let months: UInt64
  /// 0…6, 0 is Sunday.
  package let daysOfWeek: UInt64

  /// When both are restricted, a day that is in *either* is a tick. A field which allows every day is not restricted,
  /// however it is written (`*/1`, `0-6`), as in croniter.
  package var dayOfMonthIsRestricted: Bool { daysOfMonth != Field.dayOfMonth.all }
  package var dayOfWeekIsRestricted: Bool { daysOfWeek != Field.dayOfWeek.all }

  package init(_ text: String) throws(CronError) {
    var fields = text.split { $0 == " " || $0 == "\t" }.map(String.init)
    if let first = fields.first, first.hasPrefix("@") {
      guard fields.count == 1, let preset = Self.presets[first.lowercased()] else {
        throw CronError(Self.hint(forUnknownPreset: text))
      }
      fields = preset.split(separator: " ").map(String.init)
    }
    guard fields.count == 5 else {
      throw CronError(
        "a cron expression has 5 fields (minute hour day-of-month month day-of-week), \"\(text)\" has \(fields.count)")
    }
    self.text = text
    minutes = try Field.minute.parse(fields[0], of: text)
    hours = try Field.hour.parse(fields[1], of: text)
    daysOfMonth = try Field.dayOfMonth.parse(fields[2], of: text)
    months = try Field.month.parse(fields[3], of: text)
    // 7 is Sunday too.
    let week = try Field.dayOfWeek.parse(fields[4], of: text)
    daysOfWeek = (week | week >> 7) & Field.dayOfWeek.all
    guard dayOfWeekIsRestricted || someDayExists else {
      throw CronError("the cron expression \"\(text)\" is never due: no such day in such a month")
    }
  }

  private var someDayExists: Bool {
    (1...12).contains { month in
      months & 1 << UInt64(month) != 0
        && daysOfMonth & (2 << UInt64(CivilTime.daysInMonth(month, year: 2000)) - 2) != 0
    }
  }

  /// The five fields that a preset stands for; any other text as it is.
  package static func fields(of text: String) -> String { presets[text.lowercased()] ?? text }

  private static let presets = [
    "@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *", "@quarterly": "0 0 1 */3 *", "@yearly": "0 0 1 1 *", "@annually": "0 0 1 1 *",
  ]

  private static func hint(forUnknownPreset text: String) -> String {
    switch text.lowercased() {
    case "@once": "\"@once\" is not a cron expression; write schedule: .once"
    case "@continuous": "\"@continuous\" is not a cron expression; write schedule: .continuous"
    default: "\"\(text)\" is no preset; there are \(presets.keys.sorted().joined(separator: ", "))"
    }
  }
}

/// Why a text is no cron expression, in words for its author.
package struct CronError: Error, Hashable, CustomStringConvertible {
  package let description: String

  init(_ description: String) { self.description = description }
}

private struct Field {
  let name: String
  let range: ClosedRange<Int>
  /// What `*` means, and what an unrestricted field allows.
  let all: UInt64
  let names: [String: Int]

  init(_ name: String, _ range: ClosedRange<Int>, all: ClosedRange<Int>? = nil, names: [String: Int] = [:]) {
    self.name = name
    self.range = range
    self.all = (all ?? range).reduce(0) { $0 | 1 << UInt64($1) }
    self.names = names
  }

  static let minute = Field("minute", 0...59)
  static let hour = Field("hour", 0...23)
  static let dayOfMonth = Field("day-of-month", 1...31)
  static let month = Field(
    "month", 1...12,
    names: [
      "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
      "dec": 12,
    ])
  static let dayOfWeek = Field(
    "day-of-week", 0...7, all: 0...6,
    names: ["sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6])

  func parse(_ text: String, of expression: String) throws(CronError) -> UInt64 {
    var set: UInt64 = 0
    for item in text.split(separator: ",", omittingEmptySubsequences: false) {
      set |= try parse(item: item, of: expression)
    }
    return set
  }

  private func parse(item: Substring, of expression: String) throws(CronError) -> UInt64 {
    let halves = item.split(separator: "/", omittingEmptySubsequences: false)
    var step = 1
    if halves.count > 1 {
      guard halves.count == 2, let number = Int(halves[1]), number > 0, halves[1].allSatisfy(\.isNumber) else {
        throw error("the step in \"\(item)\" is not a whole number above 0", of: expression)
      }
      step = number
    }
    let span = halves[0]
    if span == "*" || span == "?" && (name == Self.dayOfMonth.name || name == Self.dayOfWeek.name) {
      return values(from: range.lowerBound, through: all.highestBit, step: step)
    }
    let ends = span.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2 else { throw error("\"\(span)\" is no range", of: expression) }
    let first = try value(ends[0], of: expression)
    if ends.count == 2 {
      let last = try value(ends[1], of: expression)
      // `fri-sun`: Sunday ends the week here.
      let end = name == Self.dayOfWeek.name && last == 0 && first > 0 ? 7 : last
      return values(from: first, through: end, step: step)
    }
    // `5/15` means from 5 on.
    return values(from: first, through: halves.count > 1 ? all.highestBit : first, step: step)
  }

  private func values(from first: Int, through last: Int, step: Int) -> UInt64 {
    let size = all.highestBit - range.lowerBound + 1
    let length = last >= first ? last - first : last - first + size
    var set: UInt64 = 0
    for offset in stride(from: 0, through: length, by: step) {
      let value = first + offset
      set |= 1 << UInt64(value > range.upperBound ? value - size : value)
    }
    return set
  }

  private func value(_ text: Substring, of expression: String) throws(CronError) -> Int {
    if let value = names[text.lowercased()] { return value }
    guard let value = Int(text), text.allSatisfy(\.isNumber) else {
      throw error("\"\(text)\" is no \(name)", of: expression)
    }
    guard range.contains(value) else {
      throw error("\(value) is out of range, \(range.lowerBound) to \(range.upperBound)", of: expression)
    }
    return value
  }

  private func error(_ reason: String, of expression: String) -> CronError {
    CronError("the \(name) field of the cron expression \"\(expression)\" is wrong: \(reason)")
  }
}

extension UInt64 {
  fileprivate var highestBit: Int { 63 - leadingZeroBitCount }
}
