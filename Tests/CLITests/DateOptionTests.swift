import Dagrun
import Foundation
import Testing

@testable import CLI

/// Every option and argument of every command that takes a date.
@Suite struct DateOptionTests {
  /// What takes a date, and a command line that ends before it.
  private static let lines: [String: String] = [
    "dagrun backfill create --from-date": "backfill create n --to-date 2026-01-31 --from-date",
    "dagrun backfill create --to-date": "backfill n --from-date 2026-01-01 --to-date",
    "dagrun tasks clear --start-date": "tasks clear n -s",
    "dagrun tasks clear --end-date": "tasks clear n --end-date",
    "dagrun dags list-runs --start-date": "dags list-runs n --start-date",
    "dagrun dags list-runs --end-date": "dags list-runs n -e",
    "dagrun trigger --logical-date": "trigger n -l",
    "dagrun dags trigger --logical-date": "dags trigger n --logical-date",
    "dagrun dags test date": "dags test n",
    "dagrun tasks run date": "tasks run n t",
    "dagrun tasks render date": "tasks render n t",
    "dagrun job cost --since": "job cost --since",
  ]

  @Test func `no command has one that is not known here`() throws {
    var found: Set<String> = []
    for command in try ToolDescription.ofThisTool().command.all {
      for argument in command.shownArguments where argument.kind != "flag" {
        let name = argument.preferredName?.name ?? argument.valueName ?? ""
        let words = Set((name + "-" + (argument.valueName ?? "")).split(separator: "-"))
        guard !words.isDisjoint(with: ["date", "since", "until", "day", "from", "before", "after"]) else {
          continue
        }
        found.insert("\(command.path) \(argument.kind == "positional" ? "" : "--")\(name)")
      }
    }
    #expect(found == Set(Self.lines.keys))
  }

  @Test(arguments: lines.values.sorted())
  func `it says which part of a date is impossible`(line: String) async {
    for (text, reason) in [
      ("10000-01-01", "years 0001 to 9999"), ("0000-01-01", "years 0001 to 9999"),
      ("2026-02-29", "2026-02 has 28 days"),
      ("2026-13-01", "there is no month 13"), ("2026-01-31T24:00", "there is no hour 24"),
      ("2026-01-31T23:60", "there is no minute 60"), ("2026-01-31T23:00+25:00", "there is no offset +25:00"),
      ("9999-12-31T23:00-02:00", "outside of the years 0001 to 9999"), ("31.1.2026", "write 2026-01-31"),
      ("2026-02-30 03:00 Europe/Berlin", "2026-02 has 28 days"), ("2026-01-31 Europe/Atlantis", "is not a time zone"),
    ] {
      let test = TestSession()
      let status = await CommandRunner.run(line.split(separator: " ").map(String.init) + [text], in: test.session)
      #expect(status == .wrongUsage && test.errors.contains(reason), "\(line) \(text): \(test.errors)")
    }
  }

  private let now = Timestamp(iso8601: "2026-03-01T03:00:00Z")!

  @Test(arguments: [
    ("2026-01-31", "UTC", "2026-01-31T00:00:00Z", "2026-02-01T00:00:00Z"),
    ("2026-01-31", "Africa/Cairo", "2026-01-30T22:00:00Z", "2026-01-31T22:00:00Z"),
    ("20260131", "America/New_York", "2026-01-31T05:00:00Z", "2026-02-01T05:00:00Z"),
    ("2026-01-31 Europe/Berlin", "Africa/Cairo", "2026-01-30T23:00:00Z", "2026-01-31T23:00:00Z"),
    // There it is still the last day of February.
    ("today", "America/New_York", "2026-02-28T05:00:00Z", "2026-03-01T05:00:00Z"),
    ("yesterday", "Africa/Cairo", "2026-02-27T22:00:00Z", "2026-02-28T22:00:00Z"),
    ("tomorrow", "UTC", "2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"),
  ])
  func `a date without a time is a whole day`(text: String, zone: String, start: String, end: String) throws {
    let (date, zone) = (try DateText.read(text), try #require(TimeZone(identifier: zone)))
    #expect(date.start(in: zone, now: now) == Timestamp(iso8601: start))
    #expect(date.end(in: zone, now: now).microseconds == Timestamp(iso8601: end)!.microseconds - 1)
  }

  @Test(arguments: [
    "2026-01-31T03:00", "2026-01-31T03:00Z", "2026-01-31T04:00+01:00", "2026-01-31 04:00 Europe/Berlin",
  ])
  func `a date with a time is that moment`(text: String) throws {
    let (date, zone) = (try DateText.read(text), try #require(TimeZone(identifier: "Africa/Cairo")))
    #expect(date.start(in: zone, now: now).iso8601 == "2026-01-31T03:00:00+00:00")
    #expect(date.end(in: zone, now: now) == date.start(in: zone, now: now))
  }

  @Test func `a first date after the last is refused, and the same day is a range`() throws {
    func check(_ first: String, _ last: String) throws {
      try DateRange(first: DateText.read(first), last: DateText.read(last)).check("--from-date", "--to-date")
    }
    try check("2026-01-31", "2026-01-31")
    try check("2026-01-31T23:00", "2026-01-31")
    #expect(throws: (any Error).self) { try check("2026-02-01", "2026-01-31") }
    #expect(throws: (any Error).self) { try check("2026-02-04T00:00", "2026-01-31") }
  }
}
