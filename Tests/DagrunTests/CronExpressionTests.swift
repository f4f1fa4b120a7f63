import Dagrun
import Testing

@Suite struct CronExpressionTests {
  private func members(_ set: UInt64) -> [Int] { (0..<64).filter { set & 1 << UInt64($0) != 0 } }

  @Test(arguments: [
    ("0", [0]), ("*/15", [0, 15, 30, 45]), ("5/20", [5, 25, 45]), ("10-12", [10, 11, 12]), ("1-9/4", [1, 5, 9]),
    ("58-1", [0, 1, 58, 59]), ("1,2,50-51", [1, 2, 50, 51]), ("*", Array(0...59)),
  ])
  func `a field lists its ticks`(field: String, expected: [Int]) throws {
    #expect(members(try CronExpression("\(field) * * * *").minutes) == expected)
  }

  @Test(arguments: [
    ("sun", [0]), ("7", [0]), ("mon-fri", [1, 2, 3, 4, 5]), ("fri-mon", [0, 1, 5, 6]), ("fri-sun", [0, 5, 6]),
    ("5-7", [0, 5, 6]), ("SAT,Sun", [0, 6]), ("*/2", [0, 2, 4, 6]), ("0-7", Array(0...6)),
  ])
  func `days of the week have names and two Sundays`(field: String, expected: [Int]) throws {
    #expect(members(try CronExpression("0 0 * * \(field)").daysOfWeek) == expected)
  }

  @Test func `months have names and wrap around`() throws {
    #expect(members(try CronExpression("0 0 1 nov-feb *").months) == [1, 2, 11, 12])
    #expect(members(try CronExpression("0 0 1 */3 *").months) == [1, 4, 7, 10])
  }

  @Test func `a day field is restricted when it leaves days out, however it is written`() throws {
    let every = try CronExpression("0 0 */1 * 0-6")
    #expect(!every.dayOfMonthIsRestricted && !every.dayOfWeekIsRestricted)
    let both = try CronExpression("0 0 13 * fri")
    #expect(both.dayOfMonthIsRestricted && both.dayOfWeekIsRestricted)
  }

  @Test func `presets stand for five fields`() throws {
    let weekly = try CronExpression("@weekly")
    let fields = try CronExpression("0 0 * * 0")
    #expect(weekly.minutes == fields.minutes && weekly.daysOfWeek == fields.daysOfWeek)
    #expect(weekly.text == "@weekly")
  }

  @Test(arguments: [
    ("61 * * * *", "the minute field of the cron expression \"61 * * * *\" is wrong: 61 is out of range, 0 to 59"),
    ("* * *", "5 fields (minute hour day-of-month month day-of-week), \"* * *\" has 3"),
    ("0 0 30 2 *", "is never due"), ("0 0 * * foo", "\"foo\" is no day-of-week"),
    ("*/0 * * * *", "the step in \"*/0\" is not a whole number above 0"), ("1-2-3 * * * *", "\"1-2-3\" is no range"),
    ("1, * * * *", "\"\" is no minute"), ("-1 * * * *", "\"\" is no minute"), ("+1 * * * *", "\"+1\" is no minute"),
    ("@once", "write schedule: .once"), ("@dayly", "is no preset; there are @annually, @daily"), ("", "has 0"),
    ("0 0 L * *", "\"L\" is no day-of-month"), ("0 0 0 * *", "0 is out of range, 1 to 31"),
    ("? * * * *", "\"?\" is no minute"),
  ])
  func `a wrong expression says what is wrong`(text: String, message: String) {
    let error = #expect(throws: CronError.self) { try CronExpression(text) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "none")")
  }

  @Test func `the 29th of February is due now and then`() throws { _ = try CronExpression("0 0 29 2 *") }
}
