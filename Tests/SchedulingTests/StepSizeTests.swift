import Dagrun
import Model
import Testing

@testable import Scheduling

/// No step does more than so much, whatever there is to do; the rest comes in further steps.
@Suite struct StepSizeTests {
  private static let start = Timestamp(iso8601: "2026-01-01T00:00:00Z")!

  private func hourly(_ change: (inout DAGDescription) -> Void = { _ in }) -> DAGPlan {
    dag("a") {
      $0.schedule = .cron("0 * * * *")
      $0.startDate = Self.start
      $0.tasks[0].work = .empty
      $0.catchup = true
      change(&$0)
    }
  }

  /// Runs made in each step until nothing is left to do.
  private func runsMade(_ bed: inout TestBed) -> [Int] {
    var sizes: [Int] = []
    repeat {
      sizes.append(bed.last.changes.count { if case .runCreated = $0 { true } else { false } })
      if let number = bed.scheduler.unfinishedBackfills.first {
        bed.send(.continueBackfill(number: number, existing: []))
      } else if let wake = bed.scheduler.nextWake, wake <= bed.now {
        bed.send(.wake)
      } else {
        return sizes
      }
    } while sizes.count < 10_000
    return sizes
  }

  @Test(arguments: [false, true])
  func `a backfill of two years of hours is made step by step`(runsBackwards: Bool) {
    var bed = TestBed(hourly { $0.startDate = Timestamp(iso8601: "2030-01-01T00:00:00Z") })
    bed.now = Self.start
    let from = Timestamp(iso8601: "2024-01-01T00:00:00Z")!
    bed.send(
      .backfill(
        BackfillRequest(
          dagID: "dag", fromDate: from, toDate: Self.start.adding(seconds: -3600), runsBackwards: runsBackwards)))
    guard case .backfill(_, let rows)? = bed.last.reply else {
      Issue.record("\(String(describing: bed.last.reply))")
      return
    }
    let sizes = runsMade(&bed)
    #expect(rows.count == 17_544 && sizes.reduce(0, +) == 17_544)
    #expect(sizes.allSatisfy { $0 <= 1000 })
    #expect(bed.scheduler.openBackfills.isEmpty && bed.scheduler.unfinishedRuns.isEmpty)
  }

  @Test(arguments: [1, 16, 1_000_000])
  func `a schedule catches up step by step, also where runs end at once`(maxActiveRuns: Int) {
    var bed = TestBed(hourly { $0.maxActiveRuns = maxActiveRuns })
    let first = runsMade(&bed)
    bed.now = bed.now.adding(seconds: 10_000 * 3600)
    bed.send(.wake)
    let sizes = runsMade(&bed)
    #expect(first.reduce(0, +) + sizes.reduce(0, +) == 10_001)
    #expect(sizes.allSatisfy { $0 <= 1000 } && sizes.count >= 10)
    #expect(bed.scheduler.unfinishedRuns.isEmpty && !bed.scheduler.hasMoreToDo)
  }

  @Test func `queued runs that end at once start step by step`() {
    var bed = TestBed(hourly { $0.schedule = .none })
    bed.send(.setPaused(dagID: "dag", true))
    for number in 0..<2500 { bed.trigger(runID: "r\(number)") }
    bed.send(.setPaused(dagID: "dag", false))
    var ended: [Int] = []
    while !bed.scheduler.unfinishedRuns.isEmpty, ended.count < 100 {
      ended.append(bed.last.changes.count { if case .runChanged = $0 { true } else { false } })
      bed.send(.wake)
    }
    #expect(ended.allSatisfy { $0 <= 1000 } && bed.scheduler.unfinishedRuns.isEmpty)
  }

  @Test func `runs of many tasks count by their tasks`() {
    var bed = TestBed()
    bed.now = bed.now.adding(seconds: 9 * 86_400)
    bed.send(
      .dagsLoaded([
        hourly { description in
          description.schedule = .cron("0 0 * * *")
          description.maxActiveRuns = 1000
          description.tasks = (0..<30_000).map {
            TaskDescription(id: "t\($0)", work: .swift, location: SourceLocation(file: "", line: 0))
          }
        }
      ]))
    let sizes = runsMade(&bed)
    #expect(sizes.count > 1 && sizes.allSatisfy { $0 <= 4 })
  }

  @Test func `a backfill continues after a restart where it was, and a run made meanwhile keeps its date`() {
    let plan = hourly {
      $0.startDate = Timestamp(iso8601: "2030-01-01T00:00:00Z")
      $0.tasks[0].work = .swift
    }
    var bed = TestBed(plan)
    let from = Self.start.adding(seconds: -2499 * 3600)
    bed.send(.backfill(BackfillRequest(dagID: "dag", fromDate: from, toDate: Self.start)))
    let backfill = bed.scheduler.openBackfills[0]
    #expect(backfill.nextDate == from.adding(seconds: 1000 * 3600))
    // Somebody runs one of the dates to come by hand.
    bed.trigger(runID: "mine", logicalDate: from.adding(seconds: 1500 * 3600).iso8601)
    let snapshot = Snapshot(
      plans: [plan], dags: bed.scheduler.dagRecords, backfills: [backfill],
      runs: bed.scheduler.unfinishedRuns.map { bed.scheduler.snapshot(ofRun: $0)! },
      lastRunNumber: bed.scheduler.lastRunNumber, lastBackfillNumber: 1)
    bed.scheduler = Scheduler(restoring: snapshot)
    bed.send(.wake)
    #expect(runsMade(&bed).reduce(0, +) == 1499)
    #expect(bed.scheduler.openBackfills[0].nextDate == nil)
    let dates = bed.scheduler.unfinishedRuns.compactMap { bed.scheduler.run($0)?.logicalDate }
    #expect(Set(dates).count == 2500 && dates.count == 2500)
    bed.send(.cancelBackfill(number: 1))
    #expect(bed.scheduler.openBackfills.isEmpty)
  }

  @Test func `a range that is a typing mistake is refused`() {
    var bed = TestBed(hourly())
    bed.send(
      .backfill(
        BackfillRequest(dagID: "dag", fromDate: Timestamp(iso8601: "1900-01-01T00:00:00Z")!, toDate: Self.start)))
    guard case .refused(.invalid(let reason))? = bed.last.reply else {
      Issue.record("\(String(describing: bed.last.reply))")
      return
    }
    #expect(reason.contains("more than 100000 runs"))
  }

  @Test(arguments: 0..<20)
  func `an ascending list is what a sorted set is`(seed: UInt64) {
    var random = SplitMix(seed)
    var list = AscendingList<Int>()
    var set: Set<Int> = []
    for _ in 0..<2000 {
      let value = Int(random.next() % 200)
      switch random.next() % 8 {
      case 0...3:
        list.insert(value)
        set.insert(value)
      case 4...6:
        list.remove(value)
        set.remove(value)
      default:
        list.removeAll(upTo: value / 4)
        set = set.filter { $0 > value / 4 }
      }
      let sorted = set.sorted()
      guard Array(list) == sorted, list.count == sorted.count, list.first == sorted.first,
        list.contains(value) == set.contains(value),
        list.last(where: { $0 % 3 == 0 }) == sorted.last(where: { $0 % 3 == 0 })
      else {
        Issue.record("seed \(seed): \(Array(list)) is not \(sorted)")
        return
      }
    }
  }

  private struct SplitMix {
    var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
      state &+= 0x9e37_79b9_7f4a_7c15
      var mixed = state
      mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
      return mixed ^ (mixed >> 31)
    }
  }
}
