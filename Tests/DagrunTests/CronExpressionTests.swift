import Dagrun
import Testing

@Suite struct CronExpressionTests {
  private func members(_ set: UInt64) -> [Int] { (0..<64).filter { set & 1 << UInt64($0) != 0 } }

  @Test(arguments: [
    ("0", [0]), ("*/15", [0, 15, 30, 45]), ("5/20", [5, 25, 45]), ("10-12", [10, 11, 12]), ("1-9/4", [1, 5, 9]),
    ("58-1", [0, 1, 58, 59]), ("1,2,50-51", [1, 2, 50, 51]), ("*", Array(0...59)), ("5,*", Array(0...59)),
    ("59/15", [59]), ("50-10/7", [5, 50, 57]), ("40-3/20", [0, 40]), ("7-7/20", [0, 20, 40]),
  ])
  func `a field lists its ticks`(field: String, expected: [Int]) throws {
    #expect(members(try CronExpression("\(field) * * * *").minutes) == expected)
  }

  @Test(arguments: [
    ("sun", [0]), ("7", [0]), ("mon-fri", [1, 2, 3, 4, 5]), ("fri-mon", [0, 1, 5, 6]), ("fri-sun", [0, 5, 6]),
    ("5-7", [0, 5, 6]), ("SAT,Sun", [0, 6]), ("*/2", [0, 2, 4, 6]), ("0-7", Array(0...6)),
  ])
  func `days of the week have names and two Sundays`(field: String, expected: [Int]) throws {
    let days = try CronExpression("0 0 * * \(field)").days
    // From a Sunday on.
    #expect((0..<7).filter { days.contains(CivilTime(year: 2026, month: 11, day: 1 + $0)) } == expected)
  }

  @Test func `months have names and wrap around`() throws {
    #expect(members(try CronExpression("0 0 1 nov-feb *").months) == [1, 2, 11, 12])
    #expect(members(try CronExpression("0 0 1 */3 *").months) == [1, 4, 7, 10])
  }

  /// Days of February 2026, which begins on a Sunday and ends on a Saturday.
  private func days(_ ofMonth: String, _ ofWeek: String) throws -> [Int] {
    let days = try CronExpression("0 0 \(ofMonth) * \(ofWeek)").days
    return (1...28).filter { days.contains(CivilTime(year: 2026, month: 2, day: $0)) }
  }

  @Test(arguments: [
    ("13", "fri", [6, 13, 20, 27]), ("13", "mon", [2, 9, 13, 16, 23]), ("13", "*", [13]),
    ("*", "fri", [6, 13, 20, 27]),
    // A field that names every day is no `*`, unless the other one has one.
    ("*/1", "5", Array(1...28)), ("1-31", "5", Array(1...28)), ("1", "0-6", Array(1...28)), ("1", "*/1", Array(1...28)),
    ("1-31", "*", Array(1...28)),
    ("*/1", "*/3", [1, 4, 7, 8, 11, 14, 15, 18, 21, 22, 25, 28]), ("?", "fri", [6, 13, 20, 27]),
    ("*,1", "fri", [6, 13, 20, 27]),
    ("1-31", "?", Array(1...28)),
    ("L", "*", [28]), ("1,L", "*", [1, 28]), ("26-L", "*", [26, 27, 28]), ("L", "sun", [1, 8, 15, 22, 28]),
    ("14W", "*", [13]), ("15w", "*", [16]), ("W1", "*", [2]), ("31W", "*", [27]), ("14W", "mon", [13]),
    ("*", "mon#1", [2]), ("*", "1#1,3#2", [2, 11]), ("*", "L5", [27]), ("*", "l0,L7", [22]),
    ("*", "mon-wed#2", [9, 10, 11]),
    ("1", "mon#1", [2]), ("1-7", "mon#1", [2]), ("*/2", "mon#2", [9]),
  ])
  func `the days are those that croniter has`(ofMonth: String, ofWeek: String, expected: [Int]) throws {
    #expect(try days(ofMonth, ofWeek) == expected)
  }

  @Test func `a sixth field has the seconds`() throws {
    let cron = try CronExpression("0 5 * * * */20")
    #expect(members(cron.seconds) == [0, 20, 40] && members(cron.minutes) == [0] && members(cron.hours) == [5])
    #expect(members(try CronExpression("0 5 * * *").seconds) == [0])
  }

  @Test func `presets stand for five fields`() throws {
    let weekly = try CronExpression("@weekly")
    let fields = try CronExpression("0 0 * * 0")
    #expect(weekly.minutes == fields.minutes && weekly.days == fields.days)
    #expect(weekly.text == "@weekly")
  }

  @Test(arguments: [
    ("61 * * * *", "the minute field of the cron expression \"61 * * * *\" is wrong: 61 is out of range, 0 to 59"),
    ("* * *", "5 fields (minute hour day-of-month month day-of-week), or 6 with the seconds last; \"* * *\" has 3"),
    ("0 0 1 1 * 0 2030", "has 7: leave out the years, and give the DAG a startDate and an endDate"),
    ("R 0 * * *", "a value by chance (R) or by a hash (H) is not taken: choose one, and write it"),
    ("H 0 * * *", "choose one, and write it"), ("0 h(1-3) * * *", "choose one, and write it"),
    ("0 0 * * 5L", "\"5l\" is not a day-of-week; write L5 for the last one of a month"),
    ("0 0 * * L", "write L5 for the last Friday of a month"),
    ("0 0 LW * *", "\"lw\" is not a day-of-month; the last weekday"),
    ("0 0 L-3 * *", "L stands alone, in a list, or at the end of a range"),
    ("0 0 1,15W * *", "\"15w\" cannot be part of a list"),
    ("0 0 32W * *", "32 is out of range, 1 to 31"), ("0 0 * * mon#6", "write mon#1 to mon#5"),
    ("0 0 * * mon#1,tue", "either all of its days have a week of the month (mon#1, L5), or none has"),
    ("0 0 31 2 mon#1", "is never due"), ("0 0 * 2 mon#5 60", "60 is out of range, 0 to 59"),
    ("0 L * * *", "L is a day of the month"),
    ("?/2 * * * *", "\"?\" is not a minute"), ("0 0 ?/2 * *", "\"?\" is not a day-of-month"),
    ("0 0 * * 8", "8 is out of range, 0 to 7"),
    ("0 0 30 2 *", "is never due"), ("0 0 * * foo", "\"foo\" is not a day-of-week"),
    ("*/0 * * * *", "the step in \"*/0\" is not a whole number above 0"), ("1-2-3 * * * *", "\"1-2-3\" is not a range"),
    ("1, * * * *", "\"\" is not a minute"), ("-1 * * * *", "\"\" is not a minute"),
    ("+1 * * * *", "\"+1\" is not a minute"),
    ("@once", "write schedule: .once"), ("@dayly", "is not a preset; there are @annually, @daily"), ("", "has 0"),
    ("0 0 0 * *", "0 is out of range, 1 to 31"),
    ("? * * * *", "\"?\" is not a minute"),
  ])
  func `a wrong expression says what is wrong`(text: String, message: String) {
    let error = #expect(throws: CronError.self) { try CronExpression(text) }
    #expect(error?.description.contains(message) == true, "\(error?.description ?? "none")")
  }

  @Test func `the 29th of February is due now and then`() throws { _ = try CronExpression("0 0 29 2 *") }
}
