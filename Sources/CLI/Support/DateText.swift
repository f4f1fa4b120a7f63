import ArgumentParser
import Dagrun
import Foundation

/// Reads the dates people type: ISO 8601 in all its spellings, with an offset or a time zone's name, and a few words.
/// With a time and without a zone it is UTC, as in Airflow's default; without a time it is a whole day.
enum DateText {
  /// For `@Option(transform:)`: a bad date becomes a usage error that says what is wrong with it.
  static func read(_ text: String) throws -> DateArgument {
    let text = text.trimmingCharacters(in: .whitespaces)
    if let date = word(text) { return date }
    if let day = CalendarDay(iso8601: text) { return .day(day, in: nil) }
    if let moment = Timestamp(iso8601: text) { return .moment(moment) }
    if let date = try withNamedZone(text) { return date }
    throw ValidationError(explanation(of: text))
  }

  /// The moment that a date means where no DAG is meant: days are those of UTC.
  static func parse(_ text: String, now: Timestamp) throws -> Timestamp {
    try read(text).start(in: .gmt, now: now)
  }

  private static func word(_ text: String) -> DateArgument? {
    switch text.lowercased() {
    case "now": .now
    case "today": .daysFromToday(0)
    case "yesterday": .daysFromToday(-1)
    case "tomorrow": .daysFromToday(1)
    default: nil
    }
  }

  /// `2026-01-31T03:00 Europe/Berlin` or `2026-01-31T03:00[Europe/Berlin]`: that wall-clock time in that zone.
  private static func withNamedZone(_ text: String) throws -> DateArgument? {
    guard let (local, name) = split(text) else { return nil }
    let day = CalendarDay(iso8601: local)
    guard day != nil || Timestamp(iso8601: local) != nil else { return nil }
    guard let zone = TimeZone(identifier: name) else {
      throw ValidationError(
        "'\(name)' is not a time zone; write an IANA name such as Europe/Berlin, or an offset such as +01:00")
    }
    if let day { return .day(day, in: zone) }
    guard let wallClock = Timestamp(iso8601: local) else { return nil }
    // The offset at the wall-clock time differs from the one at the same time in UTC near a change of the clocks only.
    let guess = wallClock.adding(seconds: -Double(zone.secondsFromGMT(for: wallClock.date)))
    return .moment(wallClock.adding(seconds: -Double(zone.secondsFromGMT(for: guess.date))))
  }

  /// What stands before the name of a zone, and the name.
  private static func split(_ text: String) -> (local: String, zone: String)? {
    guard let start = text.firstIndex(where: \.isLetterButNotSeparator) else { return nil }
    return (
      text[..<start].trimmingCharacters(in: CharacterSet(charactersIn: "[ ")),
      text[start...].trimmingCharacters(in: CharacterSet(charactersIn: "[] "))
    )
  }

  /// Why it is not a date: the part that is impossible, and the form that is expected.
  private static func explanation(of text: String) -> String {
    let local = split(text).flatMap { $0.zone.lowercased() == "z" ? nil : $0.local } ?? text
    let reason = DateProblem.words(for: local).map { "it is not a date: \($0)" }
    return reason
      ?? "it is not a date; write 2026-01-31, 2026-01-31T03:00, 2026-01-31T03:00+01:00 or '2026-01-31 03:00 Europe/Berlin'"
  }
}

extension Character {
  fileprivate var isLetterButNotSeparator: Bool { isLetter && self != "T" && self != "t" || self == "[" }
}
