import Dagrun
import Model
import ModelDatabase
import Testing

@testable import Scheduling

/// A scheduler with one DAG, driven by hand; what it did is read as text.
struct TestBed {
  var scheduler: Scheduler
  var now = Timestamp(iso8601: "2026-01-01T00:00:00Z")!
  var last = Step()
  /// Of all steps.
  private var changes: [[Change]] = []

  init(_ plans: DAGPlan..., pools: [Pool] = [.standard], parallelism: Int = 32) {
    scheduler = Scheduler(restoring: Snapshot(pools: pools), limits: Limits(parallelism: parallelism))
    send(.dagsLoaded(plans))
  }

  init(limits: Limits, _ plan: DAGPlan) {
    scheduler = Scheduler(restoring: Snapshot(), limits: limits)
    send(.dagsLoaded([plan]))
  }

  /// A scheduler that knows what this one has written of its unfinished runs.
  var restored: Scheduler {
    var database = ModelDatabase()
    do {
      for step in changes { try database.commit(step) }
    } catch { Issue.record("the database refuses a step: \(error)") }
    let plans = scheduler.dagRecords.compactMap { scheduler.plan(ofDAG: $0.dagID) }
    let snapshot = Snapshot(
      plans: plans + scheduler.unfinishedRuns.compactMap { scheduler.plan(ofRun: $0) }, dags: scheduler.dagRecords,
      runs: scheduler.unfinishedRuns.compactMap { database.run($0) },
      lastRunNumber: scheduler.lastRunNumber)
    return Scheduler(restoring: snapshot, limits: scheduler.limits)
  }

  @discardableResult
  mutating func send(_ event: Event) -> Step {
    last = scheduler.handle(event, at: now)
    changes.append(last.changes)
    return last
  }

  /// The number of the run that the trigger made.
  @discardableResult
  mutating func trigger(_ dagID: String = "dag", runID: String? = nil, logicalDate: String? = nil) -> Int64 {
    let date = logicalDate.map { Timestamp(iso8601: $0)! }
    send(.trigger(TriggerRequest(dagID: dagID, runID: runID, logicalDate: date)))
    guard case .run(let run, _)? = last.reply else { return 0 }
    return run.number
  }

  mutating func finish(
    _ taskID: String, _ mapIndex: Int32 = TaskInstanceKey.notMapped, _ outcome: TaskResult.Outcome = .success,
    run: Int64 = 1, output: OutputShape? = nil
  ) {
    let key = TaskInstanceKey(run: run, taskID: taskID, mapIndex: mapIndex)
    var result = TaskResult(outcome, output: output == nil ? nil : "…")
    result.outputShape = output
    send(.taskFinished(TryKey(key, scheduler.taskInstance(key)!.tryNumber), result))
  }

  mutating func finish(_ taskID: String, _ outcome: TaskResult.Outcome, run: Int64 = 1) {
    finish(taskID, TaskInstanceKey.notMapped, outcome, run: run)
  }

  mutating func fail(_ taskID: String, isRetryable: Bool = true, run: Int64 = 1) {
    finish(taskID, .failed(Failure(reason: "exit code 1", exitCode: 1), isRetryable: isRetryable), run: run)
  }

  mutating func wait(_ seconds: Double) {
    now = now.adding(seconds: seconds)
    send(.wake)
  }

  func state(_ taskID: String, _ mapIndex: Int32 = TaskInstanceKey.notMapped, run: Int64 = 1) -> TaskState? {
    scheduler.taskInstance(TaskInstanceKey(run: run, taskID: taskID, mapIndex: mapIndex))?.state
  }

  func reasons(_ taskID: String, run: Int64 = 1) -> [String] {
    scheduler.explain(TaskInstanceKey(run: run, taskID: taskID), at: now).map(\.description)
  }

  /// What the last step did, one line a change or an action, in order.
  var transcript: [String] { last.changes.map(Self.line) + last.actions.map(Self.line) }

  var launched: [String] {
    last.actions.compactMap { if case .launch(let key) = $0 { key.instance.name } else { nil } }
  }

  static func line(_ change: Change) -> String {
    switch change {
    case .runCreated(let snapshot):
      "run \(snapshot.run.number) \(snapshot.run.runID) created \(snapshot.run.state.rawValue)"
    case .runChanged(let move): "run \(move.run) \(move.from.rawValue) -> \(move.to.state.rawValue)"
    case .taskChanged(let move):
      "\(move.key.name) \(move.from.rawValue) -> \(move.to.state.rawValue) try \(move.to.tryNumber)"
    case .instancesCreated(let creation):
      "\(creation.taskID)\(creation.indices) \(creation.instance.state.rawValue)"
        + (creation.replaced.map { " for \($0.state.rawValue)" } ?? "")
    case .runReplanned(let snapshot): "run \(snapshot.run.number) on \(snapshot.run.version)"
    case .outputStored(let key, let json): "output of \(key.taskID) \(json)"
    case .outputRemoved(let key): "no output of \(key.taskID)"
    case .choiceStored(let key, nil): "no choice of \(key.taskID)"
    case .choiceStored(let key, .nothingBelow?): "\(key.taskID) chooses nothing below"
    case .choiceStored(let key, .cases(let names)?): "\(key.taskID) chooses \(names)"
    case .dagStored(let record): "dag \(record.dagID) stored"
    case .dagDeleted(let dagID): "dag \(dagID) deleted"
    case .poolStored(let pool): "pool \(pool.name) \(pool.slots)"
    case .poolDeleted(let name): "no pool \(name)"
    case .backfillCreated(let backfill): "backfill \(backfill.number) created"
    case .backfillContinued(let number, let date): "backfill \(number) from \(date?.iso8601 ?? "its end")"
    case .backfillCompleted(let number, _): "backfill \(number) completed"
    }
  }

  static func line(_ action: Action) -> String {
    switch action {
    case .launch(let key): "launch \(key.instance.name) try \(key.number)"
    case .stop(let key, let reason): "stop \(key.instance.name) try \(key.number) \(reason.rawValue)"
    }
  }
}

/// A DAG of no-op tasks: `dag("a", "b < a")`; `m < a*` is mapped over the output of a.
func dag(
  _ tasks: String..., id: String = "dag", version: String = "1", configure: (inout DAGDescription) -> Void = { _ in }
) -> DAGPlan {
  var description = DAGDescription(id: id, location: SourceLocation(file: "", line: 0))
  for text in tasks {
    let halves = text.split(separator: "<")
    var task = TaskDescription(
      id: halves[0].trimmingCharacters(" "), work: .swift, location: SourceLocation(file: "", line: 0))
    if halves.count > 1 {
      let names = halves[1].dropFirst().split(separator: " ")
      task.upstream = names.map { String($0.prefix { $0 != "*" }) }
      let lists = names.filter { $0.hasSuffix("*") }.map { TaskMapping.List.output(taskID: String($0.dropLast())) }
      if !lists.isEmpty { task.mapping = TaskMapping(lists) }
    }
    description.tasks.append(task)
  }
  configure(&description)
  return DAGPlan(description, version: version)
}

extension DAGDescription {
  mutating func task(_ id: String, _ change: (inout TaskDescription) -> Void) {
    change(&tasks[tasks.firstIndex { $0.id == id }!])
  }
}

extension Substring {
  fileprivate func trimmingCharacters(_ character: Character) -> String { filter { $0 != character } }
}
