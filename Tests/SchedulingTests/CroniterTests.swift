import Dagrun
import Foundation
import Processes
import Testing

@testable import Scheduling

/// The same questions to croniter, by which Airflow schedules, and to us.
@Suite struct CroniterTests {
  /// Where we want to differ from Airflow. Every other difference is a defect.
  enum WantedDifference: String, CaseIterable {
    /// Airflow adds the distance on the wall clock to the moment, and is an hour off when the clock changes on the way.
    case `hourly schedules over a change of the clock`
    /// Airflow continues from the wall clock's time after the leap, which lies behind the other ticks in it.
    case `several ticks that the clock leaps over`
    /// In the first of two hours Airflow takes the wall clock's time for that in the second, and passes over its ticks.
    case `the first of two hours`
  }

  /// What we refuse, though croniter takes it.
  enum WantedRefusal: String, CaseIterable {
    /// It would be another time at each look.
    case `values by chance`
    /// There is no year after which a schedule has no ticks: a DAG has an end date.
    case `years`
    /// `5-0` as days or months: croniter reads it as 5 to the end.
    case `a range that ends at a 0 that is not there`
  }

  private struct Answer: Decodable {
    var refused: String?
    var unanswered: String?
    var airflowNext: Int64?
    var airflowLast: Int64?
    var idealNext: Int64?
    var idealLast: Int64?
    var offsets: [[Int64]]?
  }

  @Test func `schedules are those of croniter, but for what is listed`() throws {
    try #require(!(CronJudge.isMissing && CronJudge.isCI), "\(CronJudge.absence)")
    guard !CronJudge.isMissing else { return print("skipped: \(CronJudge.absence)") }
    let (seed, count) = (CronJudge.seed, CronJudge.count)
    print("croniter: DAGRUN_CRON_SEED=\(seed) DAGRUN_CRON_COUNT=\(count)")
    var generator = CronQuestions(seed: seed)
    let questions = (0..<count).map { _ in generator.next() }
    let lines = try CronJudge.ask(questions.map(\.line).joined())
    try #require(lines.count == count)
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase

    var tally: [String: Int] = [:]
    var compared = 0
    for (question, line) in zip(questions, lines) {
      let answer = try decoder.decode(Answer.self, from: Data(line.utf8))
      let outcome = compare(question, answer)
      switch outcome {
      case .equal: compared += 1
      case .wanted(let word):
        tally[word, default: 0] += 1
        compared += 1
      case .unasked(let word): tally[word, default: 0] += 1
      case .wrong(let words):
        tally["WRONG", default: 0] += 1
        if tally["WRONG"]! <= 20 { Issue.record("seed \(seed): \(words)\n\(question.line)\(line)") }
      }
    }
    for (word, number) in tally.sorted(by: { $0.key < $1.key }) { print("croniter: \(number) \(word)") }
    // The generator, the judge and the two time zone databases fit each other.
    #expect(compared > count * 3 / 4)
  }

  private enum Outcome {
    case equal
    case wanted(String)
    case unasked(String)
    case wrong(String)
  }

  private func compare(_ question: CronQuestions.Question, _ answer: Answer) -> Outcome {
    let cron: CronExpression
    do {
      cron = try CronExpression(question.expression)
    } catch {
      if answer.refused != nil { return .unasked("refused by both") }
      guard let reason = wantedRefusal(question.expression, answer) else { return .wrong("refused: \(error)") }
      return .wanted("refused: \(reason.rawValue)")
    }
    if let refused = answer.refused { return .wrong("taken, though croniter refuses it: \(refused)") }
    if let unanswered = answer.unanswered { return .unasked(unanswered) }
    guard let zone = TimeZone(identifier: question.zone), let offsets = answer.offsets,
      let idealNext = answer.idealNext, let idealLast = answer.idealLast
    else { return .wrong("no answer") }
    let own = ZoneOffsets(zone)
    guard offsets.allSatisfy({ own.offset(at: $0[0]) == $0[1] }) else { return .unasked("other time zone database") }

    let ticks = CronTicks(
      question.expression, timeZone: question.zone, gap: question.gap, fold: question.fold)!
    let moment = Timestamp(microseconds: question.moment * 1_000_000)
    let next = ticks.next(after: moment).map { $0.microseconds / 1_000_000 }
    let last = ticks.last(notAfter: Timestamp(microseconds: moment.microseconds - 1)).map {
      $0.microseconds / 1_000_000
    }
    if next != idealNext { return .wrong("next is \(next ?? 0), and should be \(idealNext)") }
    if last != idealLast { return .wrong("last is \(last ?? 0), and should be \(idealLast)") }
    guard question.gap == .shift && question.fold == .second else { return .equal }
    if next == answer.airflowNext && last == answer.airflowLast { return .equal }
    // The clock has to change somewhere near, or on the way.
    let reach = 2 * ZoneOffsets.largestChangeSeconds
    guard let change = own.change(after: idealLast - reach, notAfter: idealNext + reach) else {
      return .wrong("Airflow says \(answer.airflowLast ?? 0) and \(answer.airflowNext ?? 0)")
    }
    if cron.ticksEveryHour { return .wanted(WantedDifference.`hourly schedules over a change of the clock`.rawValue) }
    return .wanted(
      (change.after > change.before
        ? WantedDifference.`several ticks that the clock leaps over` : .`the first of two hours`).rawValue)
  }

  private func wantedRefusal(_ expression: String, _ answer: Answer) -> WantedRefusal? {
    if answer.unanswered == "years" { return .`years` }
    let withoutNames = expression.lowercased().replacing(/mar|apr|fri/, with: "")
    if withoutNames.contains("r") { return .`values by chance` }
    if expression.split(separator: " ").dropFirst(2).contains(where: { $0.contains(/-0+(\/|,|$)/) }) {
      return .`a range that ends at a 0 that is not there`
    }
    return nil
  }

  /// The search for a tick looks at each stretch between two changes of the clock once: it cannot go around in circles.
  @Test func `every search over time ends, in every zone`() {
    let (seed, perZone) = (CronJudge.seed, max(10, CronJudge.count / 500))
    print("every search ends: DAGRUN_CRON_SEED=\(seed)")
    var generator = CronQuestions(seed: seed)
    // Those by which a search once went around in circles.
    let known = [
      "0 * 5 9 *", "0 * * 9 0", "*/15 3 * * *", "*/30 1,2,3 * * *", "0 0 29 2 *", "0 * 29 2 *", "47,46 0 * * *",
    ]
    for name in CronQuestions.zones {
      for number in 0..<perZone {
        let gap: Schedule.Gap = number % 2 == 0 ? .shift : .skip
        let fold = [Schedule.Fold.second, .first, .both][number % 3]
        let expression = number < known.count ? known[number] : generator.expression()
        guard let ticks = CronTicks(expression, timeZone: name, gap: gap, fold: fold) else { continue }
        let moment = generator.moment(in: name)
        let place = "\(expression) \(name) \(gap) \(fold) at \(moment)"
        // Two changes a year are usual, and eight were the most (Ramadan and daylight saving).
        let most = 50 * 8
        var (ahead, back) = (0, 0)
        guard let next = ticks.first(notBefore: moment, stretches: &ahead),
          let last = ticks.last(notAfter: moment, stretches: &back)
        else {
          Issue.record("\(place): no tick")
          continue
        }
        #expect(ahead <= most && back <= most, "\(place)")
        // The two searches see the same ticks.
        #expect(
          last <= moment && moment <= next && ticks.last(notAfter: next, stretches: &back) == next
            && ticks.first(notBefore: last, stretches: &ahead) == last
            && (last == next || ticks.first(notBefore: last + 1, stretches: &ahead) == next),
          "\(place): \(last), \(next)")
      }
    }
  }
}

/// croniter, in the Python environment that scripts/install-python makes.
private enum CronJudge {
  static let isCI = environment["CI"] == "true"
  static let absence =
    "croniter is not there: run scripts/install-python, or let DAGRUN_PYTHON name a python that has it"

  /// Another one each time with `random`.
  static let seed: UInt64 =
    switch environment["DAGRUN_CRON_SEED"] {
    case nil, "": 20_261
    case "random": .random(in: .min ... .max)
    case let text?: UInt64(text) ?? 20_261
    }

  static let count = environment["DAGRUN_CRON_COUNT"].flatMap(Int.init).map { max($0, 1) } ?? 3_000

  static var isMissing: Bool { (try? run(["-c", "import croniter"])) == nil }

  /// - Returns: a line for each question.
  static func ask(_ questions: String) throws -> [Substring] {
    let folder = FileManager.default.temporaryDirectory.appending(path: "cron-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let (asked, answered) = (folder.appending(path: "questions"), folder.appending(path: "answers"))
    try Data(questions.utf8).write(to: asked)
    try run([tests.appending(path: "Judges/cron.py").path, asked.path, answered.path])
    return String(decoding: try Data(contentsOf: answered), as: UTF8.self).split(separator: "\n")
  }

  private static let environment = ProcessInfo.processInfo.environment
  private static let tests = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()

  private static func run(_ arguments: [String]) throws {
    let named = environment["DAGRUN_PYTHON"] ?? ""
    let python =
      named.isEmpty ? tests.deletingLastPathComponent().appending(path: ".build/python/bin/python3").path : named
    let ended = try Spawn(python, arguments).run(timeout: 900)
    try #require(ended.status == .exited(0), "\(ended.text(2))")
  }
}
