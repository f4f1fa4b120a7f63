import Control
import Engine
import Foundation
import Testing

@testable import CLI
@testable import Scheduling

@Suite struct WaitingNoticeTests {
  private static func waiting(_ words: String, kind: Reason.Kind = .pool, task: String = "t") -> WaitingRuns {
    var runs = WaitingRuns(Waiting())
    runs.tasks = [
      .init(runID: "r", taskID: task, words: words, kind: kind.rawValue, isActive: kind == .active, isForever: false)
    ]
    runs.count = 1
    return runs
  }

  @Test func `asks when nothing has happened for some seconds, and not twice at once`() {
    var notice = WaitingNotice(showsActive: true)
    let start = Date()
    let before = [4.0, 6, 12].map { notice.isDue(start.addingTimeInterval($0)) }
    #expect(before == [false, true, false])
    _ = notice.lines(nil, now: start.addingTimeInterval(12))
    let after = [16.0, 18].map { notice.isDue(start.addingTimeInterval($0)) }
    #expect(after == [false, true])
  }

  @Test func `says each reason once, whatever the numbers in it`() {
    var notice = WaitingNotice(showsActive: true)
    let first = notice.lines(Self.waiting("pool gpu has no room: 2 of 2 slots are in use, 1 needed"))
    #expect(first == ["t in r waits: pool gpu has no room: 2 of 2 slots are in use, 1 needed"])
    let counts = [
      Self.waiting("pool gpu has no room: 1 of 2 slots are in use, 2 needed"),
      Self.waiting("it looks again at noon", kind: .rescheduled), Self.waiting("there is no pool gpu", task: "u"),
    ].map { notice.lines($0).count }
    #expect(counts == [0, 1, 1])
  }

  @Test func `says the first of many, and of those that are at work only where they are not seen`() {
    var runs = WaitingRuns(Waiting())
    runs.tasks = (1...8).map {
      .init(runID: "r", taskID: "t\($0)", words: "waits", kind: "pool", isActive: false, isForever: false)
    }
    var notice = WaitingNotice(showsActive: false)
    let lines = notice.lines(runs)
    #expect(lines.count == 6 && lines.last == "and 3 more; 'dagrun explain' says what each waits for")
    let rest = [runs, Self.waiting("try 1 is running", kind: .active)].flatMap { waiting -> [String] in
      notice.lines(waiting)
    }
    #expect(rest.isEmpty)
  }

  @Test func `what can never come is in the words of the end`() {
    var runs = Self.waiting("pool gpu is too small")
    runs.tasks[0].isForever = true
    let userError = runs.userError(about: "run r of d", hint: "do something")
    #expect(userError.status == .runFailed)
    #expect(userError.message == "run r of d cannot continue, and was ended: t in r: pool gpu is too small")
  }
}
