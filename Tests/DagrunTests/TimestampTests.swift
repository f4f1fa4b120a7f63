import Dagrun
import Foundation
import Testing

@Suite struct TimestampTests {
  @Test(arguments: [
    ("1970-01-01", "1970-01-01T00:00:00+00:00"), ("2026-01-31", "2026-01-31T00:00:00+00:00"),
    ("2026-01-31T03:00", "2026-01-31T03:00:00+00:00"), ("2026-01-31 03:00:07", "2026-01-31T03:00:07+00:00"),
    ("2026-01-31T03:00:00Z", "2026-01-31T03:00:00+00:00"), ("2026-01-31T03:00:00+01:00", "2026-01-31T02:00:00+00:00"),
    ("2026-01-31T00:30:00-0130", "2026-01-31T02:00:00+00:00"), ("2026-01-31T03:00:00+02", "2026-01-31T01:00:00+00:00"),
    ("2026-01-31T03:00:00.25", "2026-01-31T03:00:00.250000+00:00"),
    ("2026-01-31T03:00:00.1234567Z", "2026-01-31T03:00:00.123456+00:00"),
    ("20260131T030000Z", "2026-01-31T03:00:00+00:00"), ("20260131", "2026-01-31T00:00:00+00:00"),
    ("2024-02-29", "2024-02-29T00:00:00+00:00"), ("1969-12-31T23:59:59.999999", "1969-12-31T23:59:59.999999+00:00"),
    ("0001-01-01", "0001-01-01T00:00:00+00:00"), ("9999-12-31T23:59:59", "9999-12-31T23:59:59+00:00"),
  ])
  func `reads what ISO 8601 allows, and writes what Airflow writes`(text: String, written: String) {
    #expect(Timestamp(iso8601: text)?.iso8601 == written)
  }

  @Test(arguments: [
    "", "2026", "2026-1-1", "2026-02-30", "2026-13-01", "2026-01-00", "2025-02-29", "2026-01-31T", "2026-01-31T25:00",
    "2026-01-31T03:60", "2026-01-31T03:00:00.", "2026-01-31T03:00:00 Berlin", "2026-01-31x", "yesterday", "0000-01-01",
    "2026-01-31T03:00:00+1", "２０２６-01-31", "2026-01-31T03:00:00ZZ",
  ])
  func `refuses what is no date`(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }

  @Test func `agrees with Foundation on days from 1583 to 2370`() throws {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = try #require(TimeZone(identifier: "UTC"))
    for day in stride(from: -141_000, through: 146_097, by: 17) {
      let timestamp = Timestamp(microseconds: Int64(day) * 86_400_000_000 + 12_345_678_901)
      let civil = CivilTime(timestamp)
      let parts = calendar.dateComponents([.year, .month, .day, .hour, .minute, .weekday], from: timestamp.date)
      #expect([civil.year, civil.month, civil.day] == [parts.year, parts.month, parts.day])
      #expect([civil.hour, civil.minute, civil.dayOfWeek + 1] == [parts.hour, parts.minute, parts.weekday])
      #expect(civil.timestamp == timestamp)
    }
  }

  @Test func `has Airflow's short forms`() throws {
    let timestamp = try #require(Timestamp(iso8601: "2026-01-31T03:04:05.5"))
    #expect(timestamp.isoDate == "2026-01-31")
    #expect(timestamp.compactDate == "20260131")
    #expect(timestamp.compactDateTime == "20260131T030405")
  }
}
