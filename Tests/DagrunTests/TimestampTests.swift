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
  func `refuses what is not a date`(text: String) {
    #expect(Timestamp(iso8601: text) == nil)
  }

  @Test(arguments: [
    ("10000-01-01", "its year is 10000; write years 0001 to 9999, with four digits"),
    ("206-01-01", "its year is 206; write years 0001 to 9999"), ("0000-01-01", "write years 0001 to 9999"),
    ("99999999999999999999-01-01", "write years 0001 to 9999"), ("00000101", "write years 0001 to 9999"),
    ("2026-1-5", "with two digits, as in 2026-01-31"), ("2026-00-01", "there is no month 0"),
    ("2026-13-01", "there is no month 13"), ("20261301", "there is no month 13"), ("2026-01-00", "there is no day 0"),
    ("2026-02-30", "2026-02 has 28 days"), ("2024-02-30T03:00", "2024-02 has 29 days"),
    ("2026-01-31T", "write hours and minutes"), ("2026-01-31T03", "write hours and minutes"),
    ("2026-01-31T3:00", "write hours and minutes"), ("2026-01-31T24:00", "there is no hour 24"),
    ("2026-01-31 03:60", "there is no minute 60"), ("2026-01-31T030061", "there is no second 61"),
    ("2026-01-31T03:00:00.", "no digits after the \".\""),
    ("2026-01-31T03:00+1", "write the offset from UTC as +01:00"),
    ("2026-01-31T03:00+24:00", "there is no offset +24:00 from UTC"),
    ("2026-01-31T03:00+01:60", "there is no offset +01:60 from UTC"),
    ("0001-01-01T00:00+00:01", "in UTC it lies outside of the years 0001 to 9999"),
    ("9999-12-31T23:59:00.5-00:01", "in UTC it lies outside of the years 0001 to 9999"),
  ])
  func `says which part of a date is impossible`(text: String, words: String) {
    #expect(Timestamp(iso8601: text) == nil)
    #expect(DateProblem.words(for: text)?.contains(words) == true, "\(DateProblem.words(for: text) ?? "nothing")")
  }

  @Test(arguments: ["", "yesterday", "-", "2026", "a-b-c", "2026-01-31x", "2026-01-31T03:00x", "２０２６-01-31"])
  func `says nothing of what does not look like a date`(text: String) {
    #expect(Timestamp(iso8601: text) == nil && DateProblem.words(for: text) == nil)
  }

  @Test(arguments: [
    ("2026-01-31", "UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"),
    ("20260131", "Africa/Cairo", "2026-01-30T22:00:00Z", "2026-01-31T22:00:00Z"),
    ("2026-03-29", "Europe/Berlin", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z"),
    // The clock leaps over midnight, goes back to before it, or over the whole day.
    ("2027-09-05", "America/Santiago", "2027-09-05T04:00:00Z", "2027-09-06T03:00:00Z"),
    ("2026-11-01", "America/Havana", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z"),
    ("2011-12-30", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-30T10:00:00Z"),
    ("2011-12-31", "Pacific/Apia", "2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"),
  ])
  func `a day begins and ends by the clock of its zone`(day: String, zone: String, start: String, end: String) throws {
    let day = try #require(CalendarDay(iso8601: day))
    let zone = try #require(TimeZone(identifier: zone))
    #expect(day.start(in: zone) == Timestamp(iso8601: start))
    #expect(day.end(in: zone).microseconds == Timestamp(iso8601: end)!.microseconds - 1)
  }

  @Test func `the days of every zone follow each other without a gap`() throws {
    for name in TimeZone.knownTimeZoneIdentifiers {
      let zone = try #require(TimeZone(identifier: name))
      var day = CalendarDay(year: 2010, month: 1, day: 1)
      let last = CalendarDay(year: 2012, month: 1, day: 1)
      while day < last {
        let next = day.adding(days: 1)
        let (start, end) = (day.start(in: zone), next.start(in: zone))
        let isDay = start < end && CalendarDay(of: start, in: zone) == day
        // One that a country has left out.
        let isNoDay = start == end && CalendarDay(of: start, in: zone) == next
        if !isDay && !isNoDay { Issue.record("\(name): \(day) from \(start.iso8601) to \(end.iso8601)") }
        day = next
      }
    }
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
