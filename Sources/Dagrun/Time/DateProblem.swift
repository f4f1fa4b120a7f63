/// Why a text that looks like an ISO 8601 date is none, in words for the person who wrote it.
package enum DateProblem {
  /// - Returns: the part that is impossible, and what is possible. nil: it does not look like a date.
  package static func words(for text: String) -> String? {
    let separator = text.firstIndex { $0 == "T" || $0 == "t" || $0 == " " }
    let date = text[..<(separator ?? text.endIndex)]
    var parts = date.split(separator: "-", omittingEmptySubsequences: false)
    if parts.count == 1, date.utf8.count == 8 {
      parts = [date.prefix(4), date.dropFirst(4).prefix(2), date.dropFirst(6)]
    }
    guard parts.count == 3, parts.allSatisfy(\.isDigits) else { return nil }
    guard parts[0].utf8.count == 4, let year = Int(parts[0]), year >= 1 else {
      return "its year is \(parts[0]); write years 0001 to 9999, with four digits"
    }
    guard parts[1].utf8.count == 2, parts[2].utf8.count == 2, let month = Int(parts[1]), let day = Int(parts[2]) else {
      return "write the month and the day with two digits, as in \(parts[0])-01-31"
    }
    guard (1...12).contains(month) else { return "there is no month \(month)" }
    guard day >= 1 else { return "there is no day 0" }
    let length = CivilTime.daysInMonth(month, year: year)
    guard day <= length else { return "\(parts[0])-\(parts[1]) has \(length) days" }
    guard let separator else { return nil }
    return wordsForTime(text[text.index(after: separator)...])
  }

  private static func wordsForTime(_ text: Substring) -> String? {
    let end = text.firstIndex { !$0.isASCIIDigit && $0 != ":" } ?? text.endIndex
    let time = text[..<end]
    var parts = time.split(separator: ":", omittingEmptySubsequences: false)
    if parts.count == 1 {
      parts = stride(from: 0, to: time.utf8.count, by: 2).map { time.dropFirst($0).prefix(2) }
    }
    guard (2...3).contains(parts.count), parts.allSatisfy({ $0.utf8.count == 2 }) else {
      return "write hours and minutes with two digits, as in 03:00 or 03:00:59"
    }
    for (part, (name, limit)) in zip(parts, [("hour", 24), ("minute", 60), ("second", 60)]) {
      guard let number = Int(part), number < limit else { return "there is no \(name) \(part)" }
    }
    return wordsForOffset(text[end...])
  }

  private static func wordsForOffset(_ text: Substring) -> String? {
    var rest = text
    if let point = rest.first, point == "." || point == "," {
      rest = rest.dropFirst()
      guard rest.first?.isASCIIDigit == true else { return "there are no digits after the \"\(point)\"" }
      rest = rest.drop(while: \.isASCIIDigit)
    }
    if rest.isEmpty || rest == "Z" || rest == "z" { return outside }
    guard rest.first == "+" || rest.first == "-" else { return nil }
    let digits = rest.dropFirst().filter { $0 != ":" }
    guard digits.isDigits, digits.utf8.count == 2 || digits.utf8.count == 4 else {
      return "write the offset from UTC as +01:00"
    }
    guard let hours = Int(digits.prefix(2)), hours < 24, Int(digits.dropFirst(2)) ?? 0 < 60 else {
      return "there is no offset \(rest) from UTC"
    }
    return outside
  }

  /// All parts are possible, and yet it is not a date.
  private static let outside = "in UTC it lies outside of the years 0001 to 9999"
}

extension StringProtocol {
  fileprivate var isDigits: Bool { !isEmpty && allSatisfy(\.isASCIIDigit) }
}

extension Character {
  fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
