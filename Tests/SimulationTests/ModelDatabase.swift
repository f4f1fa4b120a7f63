import Dagrun
import Model

@testable import Scheduling

/// The database as plain values, with every guard: a change must find exactly the state that it expects.
final class ModelDatabase {
  struct BrokenGuard: Error, CustomStringConvertible {
    let description: String
  }

  private var dags: [String: DAGRecord] = [:]
  private var pools: [String: Pool] = [Pool.standard.name: .standard]
  private var backfills: [Int64: Backfill] = [:]
  private var runs: [Int64: DAGRun] = [:]
  private var tasks: [Int64: [String: TaskInstance]] = [:]
  private var taskOrder: [Int64: [String]] = [:]
  private var choices: [Int64: [String: DownstreamChoice]] = [:]
  private(set) var outputs: [TaskInstanceKey: String] = [:]
  private(set) var tries: [TaskInstanceKey: [Int: TryRecord]] = [:]
  private var lastRunNumber: Int64 = 0
  private var lastBackfillNumber: Int64 = 0

  func commit(_ changes: [Change]) throws {
    for change in changes { try apply(change) }
  }

  private func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw BrokenGuard(description: message()) }
  }

  private func apply(_ change: Change) throws {
    switch change {
    case .runCreated(let snapshot):
      let run = snapshot.run
      try expect(dags[run.dagID] != nil, "\(run.runID): no such DAG \(run.dagID)")
      try expect(runs[run.number] == nil && run.number > lastRunNumber, "run \(run.number) is not new")
      for other in runs.values where other.dagID == run.dagID {
        try expect(other.runID != run.runID, "\(run.runID) is there twice")
        if let date = run.logicalDate {
          try expect(other.logicalDate != date, "\(run.runID) has a date of another run")
        }
      }
      lastRunNumber = run.number
      runs[run.number] = run
      insert(snapshot)
    case .runChanged(let transition):
      guard let run = runs[transition.run] else { throw BrokenGuard(description: "no run \(transition.run)") }
      try expect(run.state == transition.from, "run \(transition.run) is \(run.state), not \(transition.from)")
      runs[transition.run] = transition.to
    case .taskChanged(let transition):
      let key = transition.key
      guard let row = tasks[key.run]?[key.taskID] else { throw BrokenGuard(description: "no row \(key)") }
      try expect(
        row.state == transition.from && row.tryNumber == transition.fromTry,
        "\(key) is \(row.state) in try \(row.tryNumber), not \(transition.from) in try \(transition.fromTry)")
      try expect(transition.to.taskID == key.taskID, "\(key) becomes \(transition.to.taskID)")
      tasks[key.run]![key.taskID] = transition.to
      if let ended = transition.ended { tries[key, default: [:]][ended.tryNumber] = ended }
    case .runReplanned(let snapshot):
      try expect(runs[snapshot.run.number] != nil, "no run \(snapshot.run.number)")
      let before = Set(tasks[snapshot.run.number]!.keys)
      try expect(before.isSubset(of: snapshot.tasks.map(\.taskID)), "a row of run \(snapshot.run.number) is lost")
      runs[snapshot.run.number] = snapshot.run
      insert(snapshot)
    case .outputStored(let key, let json): outputs[key] = json
    case .outputRemoved(let key): outputs[key] = nil
    case .choiceStored(let key, let choice):
      try expect(tasks[key.run]?[key.taskID] != nil, "\(key) chooses, and is not there")
      choices[key.run, default: [:]][key.taskID] = choice
    case .dagStored(let record): dags[record.dagID] = record
    case .dagDeleted(let dagID):
      try expect(dags.removeValue(forKey: dagID) != nil, "no DAG \(dagID)")
      for run in runs.values where run.dagID == dagID {
        runs[run.number] = nil
        tasks[run.number] = nil
        choices[run.number] = nil
      }
      for backfill in backfills.values where backfill.dagID == dagID { backfills[backfill.number] = nil }
    case .poolStored(let pool): pools[pool.name] = pool
    case .poolDeleted(let name): try expect(pools.removeValue(forKey: name) != nil, "no pool \(name)")
    case .backfillCreated(let backfill):
      try expect(backfills[backfill.number] == nil, "backfill \(backfill.number) is not new")
      backfills[backfill.number] = backfill
      lastBackfillNumber = backfill.number
    case .backfillContinued(let number, let date):
      try expect(backfills[number]?.nextDate != nil, "backfill \(number) has no dates left")
      backfills[number]!.nextDate = date
    case .backfillCompleted(let number, let date):
      try expect(backfills[number]?.completedAt == nil && backfills[number] != nil, "backfill \(number) is not open")
      backfills[number]!.completedAt = date
    }
  }

  private func insert(_ snapshot: RunSnapshot) {
    tasks[snapshot.run.number] = Dictionary(uniqueKeysWithValues: snapshot.tasks.map { ($0.taskID, $0) })
    taskOrder[snapshot.run.number] = snapshot.tasks.map(\.taskID)
  }

  func run(_ number: Int64) -> RunSnapshot? {
    runs[number].map {
      RunSnapshot(run: $0, tasks: taskOrder[number]!.map { tasks[number]![$0]! }, choices: choices[number] ?? [:])
    }
  }

  func runs(dagID: String) -> [RunSnapshot] {
    runs.values.filter { $0.dagID == dagID }.map(\.number).sorted().map { run($0)! }
  }
}
