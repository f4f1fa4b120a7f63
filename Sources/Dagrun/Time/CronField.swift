/// One field of a cron expression: its bounds and names, and how its text is read.
struct CronField {
  let name: String
  let range: ClosedRange<Int>
  private let names: [String: Int]

  private init(_ name: String, _ range: ClosedRange<Int>, names: [String] = []) {
    self.name = name
    self.range = range
    self.names = Dictionary(
      uniqueKeysWithValues: names.enumerated().map { ($0.element, range.lowerBound + $0.offset) })
  }

  static let second = CronField("second", 0...59)
  static let minute = CronField("minute", 0...59)
  static let hour = CronField("hour", 0...23)
  static let dayOfMonth = CronField("day-of-month", 1...31)
  static let month = CronField(
    "month", 1...12,
    names: ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"])
  static let dayOfWeek = CronField("day-of-week", 0...6, names: ["sun", "mon", "tue", "wed", "thu", "fri", "sat"])

  private var isDayOfMonth: Bool { name == Self.dayOfMonth.name }
  private var isDayOfWeek: Bool { name == Self.dayOfWeek.name }

  /// What `*` allows.
  var all: UInt64 { range.reduce(0) { $0 | 1 << UInt64($1) } }

  /// What a field says.
  struct Content {
    /// Bit n is set when n is named.
    var values: UInt64 = 0
    /// `*` or `?`, alone or in a list.
    var hasStar = false
    /// Days of the month: `L`.
    var hasLast = false
    /// Days of the month: the 15 of `15W`.
    var nearestTo: Int?
    /// Days of the week: by the day, bit n for its nth in the month (`mon#n`), bit 0 for its last (`Lmon`).
    var ordinals: [Int: UInt8] = [:]
    /// What `*` allows.
    let all: UInt64

    /// Bit n is set when n is a tick.
    var allowed: UInt64 { hasStar ? all : values }
  }

  func parse(_ text: String, of expression: String) throws(CronError) -> Content {
    var content = Content(all: all)
    let text = text.lowercased()
    if text == "?" && (isDayOfMonth || isDayOfWeek) {
      content.hasStar = true
    } else {
      let items = text.split(separator: ",", omittingEmptySubsequences: false)
      for item in items { try read(item, isAlone: items.count == 1, into: &content, of: expression) }
    }
    return content
  }

  private func read(
    _ item: Substring, isAlone: Bool, into content: inout Content, of expression: String
  ) throws(CronError) {
    switch item {
    case "*": content.hasStar = true
    case "l" where isDayOfMonth: content.hasLast = true
    case _
    where isDayOfMonth
      && (item.hasSuffix("w") && item.dropLast().isAllDigits
        || item.hasPrefix("w") && item.dropFirst().isAllDigits):
      let day = try value(item.hasSuffix("w") ? item.dropLast() : item.dropFirst(), of: expression)
      guard isAlone else { throw error("\"\(item)\" cannot be part of a list", of: expression) }
      content.nearestTo = day
      content.values |= 1 << UInt64(day)
    case _ where isDayOfWeek && item.hasPrefix("l") && item.dropFirst().isAllDigits:
      let day = try value(item.dropFirst(), of: expression)
      content.values |= 1 << UInt64(day)
      content.ordinals[day, default: 0] |= 1
    case _ where isDayOfWeek && item.contains("#"):
      let halves = item.split(separator: "#", omittingEmptySubsequences: false)
      guard halves.count == 2, let number = Int(halves[1]), halves[1].isAllDigits, (1...5).contains(number) else {
        throw error("\"\(item)\" names no week of the month; write mon#1 to mon#5, or L1 for the last", of: expression)
      }
      let days = try values(of: halves[0], of: expression)
      content.values |= days
      for day in range where days & 1 << UInt64(day) != 0 { content.ordinals[day, default: 0] |= 1 << UInt8(number) }
    default: content.values |= try values(of: item, of: expression)
    }
  }

  /// `n`, `a-b`, `a/n`, `a-b/n`, `*/n`.
  private func values(of item: Substring, of expression: String) throws(CronError) -> UInt64 {
    let halves = item.split(separator: "/", omittingEmptySubsequences: false)
    guard halves.count <= 2 else { throw error("\"\(item)\" has two steps", of: expression) }
    var step: Int?
    if halves.count == 2 {
      guard let number = Int(halves[1]), number > 0, halves[1].isAllDigits else {
        throw error("the step in \"\(item)\" is not a whole number above 0", of: expression)
      }
      step = number
    }
    let span = halves[0]
    if span == "*", let step { return values(from: range.lowerBound, through: range.upperBound, step: step) }
    let ends = span.split(separator: "-", omittingEmptySubsequences: false)
    guard ends.count <= 2 else { throw error("\"\(span)\" is not a range", of: expression) }
    let first = try value(ends[0], of: expression)
    if ends.count == 2 {
      // `20-L`: to the 31st.
      let last = isDayOfMonth && ends[1] == "l" ? range.upperBound : try value(ends[1], of: expression)
      // `jan-jan` goes around once.
      return first == last
        ? values(from: range.lowerBound, through: range.upperBound, step: step ?? 1)
        : values(from: first, through: last, step: step ?? 1)
    }
    // `5/15` means from 5 on.
    return values(from: first, through: step == nil ? first : range.upperBound, step: step ?? 1)
  }

  private func values(from first: Int, through last: Int, step: Int) -> UInt64 {
    var set: UInt64 = 0
    var reached = first
    for value in stride(from: first, through: last >= first ? last : range.upperBound, by: step) {
      set |= 1 << UInt64(value)
      reached = value
    }
    guard last < first else { return set }
    // Beyond the end it continues at the beginning. Where the step leaps over the end, it lands one further than
    // counting would: so does croniter.
    let left = range.upperBound - reached
    let start = left < step - 1 ? range.lowerBound + step - left : range.lowerBound
    for value in stride(from: start, through: last, by: step) { set |= 1 << UInt64(value) }
    return set
  }

  private func value(_ text: Substring, of expression: String) throws(CronError) -> Int {
    if let value = names[String(text)] { return value }
    guard let value = Int(text), text.isAllDigits else {
      throw error("\"\(text)\" is not a \(name)\(hint(for: text))", of: expression)
    }
    if isDayOfWeek && value == 7 { return 0 }
    guard range.contains(value) else {
      let upper = isDayOfWeek ? 7 : range.upperBound
      throw error("\(value) is out of range, \(range.lowerBound) to \(upper)", of: expression)
    }
    return value
  }

  /// What to write instead of what other programs take.
  private func hint(for text: Substring) -> String {
    switch text {
    case "r", "h",
      _ where text.hasPrefix("h(") || text.hasPrefix("r("):
      "; a value by chance (R) or by a hash (H) is not taken: choose one, and write it"
    case "l" where isDayOfWeek: "; write L5 for the last Friday of a month, and 6 for each Saturday"
    case "lw" where isDayOfMonth, "wl" where isDayOfMonth:
      "; the last weekday of a month cannot be named: write L for its last day, or L5 as the day of the week for its last Friday"
    case "l" where isDayOfMonth: "; L stands alone, in a list, or at the end of a range"
    case "l": "; L is a day of the month"
    case _ where isDayOfWeek && text.hasSuffix("l"): "; write L\(text.dropLast()) for the last one of a month"
    default: ""
    }
  }

  private func error(_ reason: String, of expression: String) -> CronError {
    CronError("the \(name) field of the cron expression \"\(expression)\" is wrong: \(reason)")
  }
}

extension Substring {
  fileprivate var isAllDigits: Bool {
    !isEmpty && utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
  }
}
