import Dagrun
import Foundation
import FuzzSupport
import Model
import Testing

@testable import Scheduling

/// A version that was stored before there were bounds, or a database that was changed by hand, may have any numbers.
struct NumberTests {
  /// Lives through all that a task can: runs, fails, waits, is cleared, times out; restored between.
  private func live(_ plan: DAGPlan) {
    var bed = TestBed(plan)
    let run = bed.trigger(plan.dagID)
    for _ in 0..<3 {
      let key = TaskInstanceKey(run: run, taskID: "a")
      if let task = bed.scheduler.taskInstance(key), task.state.isActive { bed.fail("a", run: run) }
      _ = bed.reasons("a", run: run)
      if let wake = bed.scheduler.nextWake { bed.now = max(bed.now, wake) }
      bed.send(.wake)
      if let snapshot = bed.scheduler.snapshot(ofRun: run) {
        bed.send(.clear(ClearRequest(keys: [key], loaded: [snapshot])))
        let restored = Scheduler(
          restoring: Snapshot(
            plans: [plan], dags: bed.scheduler.dagRecords, runs: [snapshot], lastRunNumber: bed.scheduler.lastRunNumber),
          limits: Limits(parallelism: 32))
        #expect(restored.snapshot(ofRun: run) == snapshot)
      }
      bed.wait(1)
    }
  }

  private func coded(_ description: DAGDescription) throws -> DAGDescription {
    // JSON has no NaN and no infinity; all other numbers go the way of a stored version.
    guard let json = try? JSONEncoder().encode(description) else { return description }
    return try JSONDecoder().decode(DAGDescription.self, from: json)
  }

  @Test(arguments: TaskDescription.numbers.map(\.bound.place))
  func `no number of a task stops the scheduler`(place: String) throws {
    let number = try #require(TaskDescription.numbers.first { $0.bound.place == place })
    for value in FuzzSource.doubles + edges(of: number.bound) {
      var description = dag("a", "b <- a").description
      number.set(&description.tasks[0], value)
      // A number that matters only with another one.
      for others in [false, true] {
        if others {
          description.tasks[0].retries = max(description.tasks[0].retries, 2)
          description.tasks[0].executionTimeoutSeconds = description.tasks[0].executionTimeoutSeconds ?? 5
          description.tasks[0].retryBackoffMultiplier = description.tasks[0].retryBackoffMultiplier ?? 2
        }
        live(DAGPlan(try coded(description), version: "1"))
      }
    }
  }

  @Test(arguments: DAGDescription.numbers.map(\.bound.place))
  func `no number of a DAG stops the scheduler`(place: String) throws {
    let number = try #require(DAGDescription.numbers.first { $0.bound.place == place })
    for value in FuzzSource.doubles + edges(of: number.bound) {
      var description = dag("a", "b <- a").description
      number.set(&description, value)
      live(DAGPlan(try coded(description), version: "1"))
    }
  }

  @Test func `random descriptions stop nobody`() throws {
    var fuzz = FuzzSource("descriptions")
    let plan = dag("a", "b <- a", "c <- a b", "d") { description in
      description.schedule = .cron("*/5 3 * * 1", timeZone: "Europe/Berlin")
      description.startDate = Timestamp(iso8601: "2025-12-01")
      description.dagrunTimeoutSeconds = 100
      description.task("a") {
        $0.retries = 2
        $0.executionTimeoutSeconds = 5
        $0.retryBackoffMultiplier = 2
        $0.work = .bash(script: "echo \(.ds) \(.param("x"))")
      }
      description.task("b") { $0.role = .setup }
      description.task("c") { $0.role = .teardown(setups: ["b"], failsRun: false) }
      description.task("d") { $0.maxActivePerDAG = 1 }
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let json = Array(try encoder.encode(plan.description))
    let text = String(decoding: json, as: UTF8.self)
    let numbers = text.matches(of: /-?[0-9]+(\.[0-9]+)?/).map(\.range)
    var read = 0
    for round in 0..<FuzzSource.rounds(usual: 600) {
      var bytes = json
      if round.isMultiple(of: 2) {
        bytes = fuzz.mutate(json)
      } else {
        var changed = text
        changed.replaceSubrange(
          numbers.randomElement(using: &fuzz)!, with: "\(FuzzSource.integers.randomElement(using: &fuzz)!)")
        bytes = Array(changed.utf8)
      }
      guard let description = try? JSONDecoder().decode(DAGDescription.self, from: Data(bytes)) else { continue }
      read += 1
      live(DAGPlan(description, version: "1"))
    }
    #expect(read > 0)
  }

  @Test func `priorities of any size add up without end`() {
    for weight in [Int.max, .min, 1 << 62, 0] {
      let layers = (0..<4).map { layer in (0..<40).map { "t\(layer)_\($0)" } }
      let plan = DAGPlan(
        {
          var description = DAGDescription(id: "mesh", location: SourceLocation(file: "", line: 0))
          for (index, layer) in layers.enumerated() {
            for id in layer {
              var task = TaskDescription(id: id, work: .empty, location: SourceLocation(file: "", line: 0))
              task.priorityWeight = weight
              task.upstream = index == 0 ? [] : layers[index - 1]
              description.tasks.append(task)
            }
          }
          return description
        }(), version: "1")
      #expect(plan.priorities.count == 160)
    }
  }

  @Test func `no moment of a restored row stops the scheduler`() {
    let plan = dag("a", "b <- a") { description in
      description.task("a") {
        $0.executionTimeoutSeconds = 60
        $0.retries = 2
      }
      description.dagrunTimeoutSeconds = 3600
      description.schedule = .cron("0 0 * * *", timeZone: "Europe/Berlin")
    }
    for number in FuzzSource.integers {
      let moment = Timestamp(microseconds: Int64(number))
      for state in [TaskState.running, .upForRetry, .restarting, .scheduled, .success] {
        let run = DAGRun(
          number: 1, dagID: "dag", runID: "r", type: .manual, state: .running, logicalDate: moment,
          dataInterval: DataInterval(start: moment, end: moment), runAfter: moment, queuedAt: moment, startDate: moment,
          conf: "{}", version: "1")
        let task = TaskInstance(
          taskID: "a", state: state, tryNumber: number, maxTries: number, startDate: moment, endDate: moment,
          retryAt: moment)
        var bed = TestBed(plan)
        bed.scheduler = Scheduler(
          restoring: Snapshot(
            plans: [plan], dags: [DAGRecord(dagID: "dag", version: "1", lastScheduled: moment)],
            pools: [Pool(name: "default_pool", slots: max(-1, number))],
            runs: [RunSnapshot(run: run, tasks: [task, TaskInstance(taskID: "b", maxTries: number)])],
            lastRunNumber: 1, usedLogicalDates: ["dag": [moment]]),
          limits: Limits(parallelism: 32))
        bed.send(.dagsLoaded([plan]))
        bed.wait(1)
        _ = bed.reasons("a")
        if let task = bed.scheduler.taskInstance(TaskInstanceKey(run: 1, taskID: "a")), task.state.isActive {
          bed.fail("a")
        }
        if let snapshot = bed.scheduler.snapshot(ofRun: 1) {
          bed.send(.clear(ClearRequest(keys: [TaskInstanceKey(run: 1, taskID: "a")], loaded: [snapshot])))
        }
      }
    }
  }

  @Test func `cron searches from both ends of the calendar end`() {
    for expression in ["0 3 * * *", "*/5 * * * *", "0 0 29 2 *", "0 * 5 9 *"] {
      for zone in ["UTC", "Europe/Berlin", "America/Santiago"] {
        let timetable = Timetable(.cron(expression, timeZone: zone))!
        for moment in [
          Timestamp.lowest, .highest, Timestamp(iso8601: "9950-01-01")!, Timestamp(iso8601: "0050-01-01")!,
        ] {
          _ = timetable.next(after: moment)
          _ = timetable.newest(dueAt: moment)
        }
        #expect(timetable.next(after: .lowest) != nil)
      }
    }
  }

  private func edges(of bound: NumberBound) -> [Double] {
    [bound.lowest, bound.highest].flatMap { [$0 - 1, $0, $0 + 1] }
  }
}
