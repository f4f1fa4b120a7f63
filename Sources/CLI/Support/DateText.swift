import ArgumentParser
import Dagrun
import Foundation

/// Reads the dates people type: ISO 8601 in all its spellings, with an offset or a time zone's name, and a few words.
/// Without a zone a date is UTC, as in Airflow's default.
enum DateText {
  /// For `@Option(transform:)`: a bad date becomes a usage error that says what is wrong with it.
  static func parse(_ text: String) throws -> Timestamp {
    try parse(text, now: Timestamp(Date()))
  }

  static func parse(_ text: String, now: Timestamp) throws -> Timestamp {
    let text = text.trimmingCharacters(in: .whitespaces)
    if let moment = word(text, now: now) ?? Timestamp(iso8601: text) { return moment }
    if let moment = try withNamedZone(text) { return moment }
    throw ValidationError(explanation(of: text))
  }

  private static func word(_ text: String, now: Timestamp) -> Timestamp? {
    let day: Int64 = 86_400_000_000
    let midnight = Timestamp(microseconds: now.microseconds - ((now.microseconds % day) + day) % day)
    switch text.lowercased() {
    case "now": return now
    case "today": return midnight
    case "yesterday": return Timestamp(microseconds: midnight.microseconds - day)
    case "tomorrow": return Timestamp(microseconds: midnight.microseconds + day)
    default: return nil
    }
  }

  /// `2026-01-31T03:00 Europe/Berlin` or `2026-01-31T03:00[Europe/Berlin]`: that wall-clock time in that zone.
  private static func withNamedZone(_ text: String) throws -> Timestamp? {
    guard let start = text.firstIndex(where: \.isLetterButNotSeparator) else { return nil }
    let name = text[start...].trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
    let local = text[..<start].trimmingCharacters(in: CharacterSet(charactersIn: "[ "))
    guard let wallClock = Timestamp(iso8601: local) else { return nil }
    guard let zone = TimeZone(identifier: name) else {
      throw ValidationError(
        "'\(name)' is no time zone; write an IANA name such as Europe/Berlin, or an offset such as +01:00")
    }
    // The offset at the wall-clock time differs from the one at the same time in UTC near a change of the clocks only.
    let guess = wallClock.adding(seconds: -Double(zone.secondsFromGMT(for: wallClock.date)))
    return wallClock.adding(seconds: -Double(zone.secondsFromGMT(for: guess.date)))
  }

  /// Why it is no date: the day that does not exist, or the form that is expected.
  private static func explanation(of text: String) -> String {
    let numbers = text.prefix(10).split(separator: "-").compactMap { Int($0) }
    if text.prefix(10).count == 10, numbers.count == 3 {
      let (year, month, day) = (numbers[0], numbers[1], numbers[2])
      if !(1...12).contains(month) { return "there is no month \(month)" }
      if !(1...CivilTime.daysInMonth(month, year: year)).contains(day) {
        return "\(year)-\(month < 10 ? "0" : "")\(month) has \(CivilTime.daysInMonth(month, year: year)) days"
      }
    }
    return
      "it is no date; write 2026-01-31, 2026-01-31T03:00, 2026-01-31T03:00+01:00 or '2026-01-31 03:00 Europe/Berlin'"
  }
}

extension Character {
  fileprivate var isLetterButNotSeparator: Bool { isLetter && self != "T" && self != "t" || self == "[" }
}
