import ArgumentParser
import Dagrun
import Testing

@testable import CLI

@Suite struct DateTextTests {
  private let now = Timestamp(iso8601: "2026-03-29T12:34:56Z")!

  @Test(arguments: [
    ("2026-01-31", "2026-01-31T00:00:00+00:00"), ("2026-01-31T03:00", "2026-01-31T03:00:00+00:00"),
    (" 2026-01-31 03:00:00 ", "2026-01-31T03:00:00+00:00"), ("20260131", "2026-01-31T00:00:00+00:00"),
    ("2026-01-31T03:00+01:00", "2026-01-31T02:00:00+00:00"), ("2026-01-31T03:00:00Z", "2026-01-31T03:00:00+00:00"),
    ("2026-01-31 03:00 Europe/Berlin", "2026-01-31T02:00:00+00:00"),
    ("2026-07-31T03:00[Europe/Berlin]", "2026-07-31T01:00:00+00:00"),
    ("2026-01-31 America/New_York", "2026-01-31T05:00:00+00:00"), ("now", "2026-03-29T12:34:56+00:00"),
    ("today", "2026-03-29T00:00:00+00:00"), ("Yesterday", "2026-03-28T00:00:00+00:00"),
    ("tomorrow", "2026-03-30T00:00:00+00:00"),
  ])
  func `reads what people type`(text: String, expected: String) throws {
    #expect(try DateText.parse(text, now: now).iso8601 == expected)
  }

  @Test(arguments: [
    ("2026-02-30", "2026-02 has 28 days"), ("2024-02-30", "2024-02 has 29 days"),
    ("2026-13-01", "there is no month 13"),
    ("31.01.2026", "it is not a date"), ("", "it is not a date"),
    ("2026-01-31 03:00 Europe/Atlantis", "'Europe/Atlantis' is not a time zone"),
    ("2026-01-31T25:00", "it is not a date"),
  ])
  func `says what is wrong with anything else`(text: String, reason: String) throws {
    let error = #expect(throws: ValidationError.self) { try DateText.parse(text, now: now) }
    #expect(error?.message.contains(reason) == true, "\(error?.message ?? "")")
  }
}
