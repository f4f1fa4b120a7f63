import Dagrun
import Foundation
import Model
import Scheduling

// The scheduler alone, without storage. One JSON line a figure.

func report(_ name: String, _ value: Double, unit: String, bound: String) {
  let rounded = value >= 100 ? value.rounded() : (value * 1000).rounded() / 1000
  print(#"{"figure": "\#(name)", "value": \#(rounded), "unit": "\#(unit)", "bound": "\#(bound)"}"#)
}

func seconds(_ work: () -> Void) -> Double {
  let duration = ContinuousClock().measure(work)
  return Double(duration.components.seconds) + Double(duration.components.attoseconds) * 1e-18
}

func residentBytes() -> Int {
  let statm = (try? String(contentsOfFile: "/proc/self/statm", encoding: .utf8)) ?? ""
  return (statm.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0) * 4096
}

/// Runs a DAG to its end, each task finishing in the order of its launch. Returns the number of events.
func run(_ plan: DAGPlan, parallelism: Int) -> (events: Int, seconds: Double) {
  var scheduler = Scheduler(
    restoring: Snapshot(pools: [Pool(name: TaskDescription.defaultPool, slots: -1)]),
    limits: Limits(parallelism: parallelism))
  var now = Timestamp(microseconds: 1_700_000_000_000_000)
  _ = scheduler.handle(.dagsLoaded([plan]), at: now)
  var events = 0
  var launched: [TryKey] = []
  launched.reserveCapacity(plan.count)
  let elapsed = seconds {
    var step = scheduler.handle(.trigger(TriggerRequest(dagID: plan.dagID)), at: now)
    var index = 0
    while true {
      for case .launch(let key) in step.actions { launched.append(key) }
      if scheduler.hasMoreToDo {
        // A large run is started in the step after that which made it.
        step = scheduler.handle(.wake, at: now)
        continue
      }
      guard index < launched.count else { break }
      now = now.adding(microseconds: 1)
      step = scheduler.handle(.taskFinished(launched[index], TaskResult(.success)), at: now)
      index += 1
      events += 1
    }
  }
  precondition(scheduler.unfinishedRunCount == 0 && events == plan.count, "the run did not end")
  return (events, elapsed)
}

// First, so that the memory it takes is not memory that something else has given back.
// 100,000 tasks that wait, and one that is ready: from the event to the launch.
do {
  var dag = DAGDescription(id: "blocked", location: SourceLocation(file: "", line: 0))
  dag.maxActiveTasks = 2
  for (index, id) in (["first", "second"] + (0..<100_000).map { "task_\($0)" }).enumerated() {
    var task = TaskDescription(id: id, work: .swift, location: SourceLocation(file: "", line: 0))
    if index == 1 { task.upstream = ["first"] }
    if index > 1 { task.upstream = ["second"] }
    dag.tasks.append(task)
  }
  let plan = DAGPlan(dag, version: "1")
  let before = residentBytes()
  var scheduler = Scheduler(restoring: Snapshot())
  let now = Timestamp(microseconds: 1_700_000_000_000_000)
  _ = scheduler.handle(.dagsLoaded([plan]), at: now)
  guard case .run(let made, _)? = scheduler.handle(.trigger(TriggerRequest(dagID: "blocked")), at: now).reply else {
    fatalError("no run")
  }
  while scheduler.hasMoreToDo { _ = scheduler.handle(.wake, at: now) }
  report("bytes_per_task", Double(residentBytes() - before) / 100_000, unit: "B", bound: "none")
  var times: [Double] = []
  for tryNumber in 1...200 {
    times.append(
      seconds {
        let key = TryKey(run: made.number, taskID: "first", number: tryNumber)
        let step = scheduler.handle(.taskFinished(key, TaskResult(.success)), at: now)
        precondition(step.actions.count == 1, "nothing was launched")
      })
    let keys = ["first", "second"].map { TaskInstanceKey(run: made.number, taskID: $0) }
    _ = scheduler.handle(.clear(ClearRequest(keys: keys)), at: now)
    _ = scheduler.handle(
      .taskFinished(TryKey(keys[1], tryNumber), TaskResult(.failed(reason: "cleared"))), at: now)
  }
  times.sort()
  report("launch_with_100000_blocked_p99", times[times.count * 99 / 100] * 1e6, unit: "us", bound: "< 5000")
}

for shape in Shape.allCases {
  for count in [10_000, 100_000] {
    var made: DAGPlan?
    let planning = seconds { made = shape.plan(tasks: count) }
    report("plan_\(shape.rawValue)_\(count)", planning, unit: "s", bound: "none")
    let best = (0..<3).map { _ in run(made!, parallelism: 32) }.map { Double($0.events) / $0.seconds }.max()!
    report("core_\(shape.rawValue)_\(count)", best, unit: "events/s", bound: "> 500000")
  }
}

// A full pool with 100,000 waiting tasks: a slot frees, the next one takes it.
do {
  let plan = Shape.wide.plan(tasks: 100_000)
  var scheduler = Scheduler(
    restoring: Snapshot(pools: [Pool(name: TaskDescription.defaultPool, slots: 8)]), limits: Limits(parallelism: 64))
  let now = Timestamp(microseconds: 1_700_000_000_000_000)
  _ = scheduler.handle(.dagsLoaded([plan]), at: now)
  var step = scheduler.handle(.trigger(TriggerRequest(dagID: plan.dagID)), at: now)
  while scheduler.hasMoreToDo { step = scheduler.handle(.wake, at: now) }
  let count = 20_000
  let elapsed = seconds {
    var launched = step.actions
    for index in 0..<count {
      guard case .launch(let key) = launched[index] else { continue }
      step = scheduler.handle(.taskFinished(key, TaskResult(.success)), at: now)
      launched += step.actions
    }
  }
  report("core_full_pool", Double(count) / elapsed, unit: "events/s", bound: "> 500000")
}
