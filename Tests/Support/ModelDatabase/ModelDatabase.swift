internal import Dagrun
package import Model
package import Scheduling

/// The database as plain values, with every guard: a change must find exactly the state that it expects.
package struct ModelDatabase {
  package struct BrokenGuard: Error, CustomStringConvertible {
    package let description: String
  }

  private var dags: [String: DAGRecord] = [:]
  private var pools: [String: Pool] = [Pool.standard.name: .standard]
  private var backfills: [Int64: Backfill] = [:]
  private var runs: [Int64: DAGRun] = [:]
  /// Rows by their keys, and the keys in their order.
  private var tasks: [Int64: [TaskInstanceKey: TaskInstance]] = [:]
  private var taskOrder: [Int64: [TaskInstanceKey]] = [:]
  private var choices: [Int64: [String: DownstreamChoice]] = [:]
  package private(set) var outputs: [TaskInstanceKey: String] = [:]
  package private(set) var tries: [TaskInstanceKey: [Int: TryRecord]] = [:]
  private var lastRunNumber: Int64 = 0
  private var lastBackfillNumber: Int64 = 0

  package init() {}

  package mutating func commit(_ changes: [Change]) throws {
    for change in changes { try apply(change) }
  }

  private func expect(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw BrokenGuard(description: message()) }
  }

  private mutating func apply(_ change: Change) throws {
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
      guard let row = tasks[key.run]?[key] else { throw BrokenGuard(description: "no row \(key)") }
      try expect(
        row.state == transition.from && row.tryNumber == transition.fromTry,
        "\(key) is \(row.state) in try \(row.tryNumber), not \(transition.from) in try \(transition.fromTry)")
      try expect(self.key(of: transition.to, key.run) == key, "\(key) becomes \(transition.to)")
      tasks[key.run]![key] = transition.to
      if let ended = transition.ended { tries[key, default: [:]][ended.tryNumber] = ended }
    case .runReplanned(let snapshot):
      try expect(runs[snapshot.run.number] != nil, "no run \(snapshot.run.number)")
      let number = snapshot.run.number
      let lost = Set(tasks[number]!.keys).subtracting(snapshot.tasks.map { key(of: $0, number) })
      for key in lost {
        // Of elements that an earlier version of the task had.
        try expect(key.mapIndex >= 0 && tasks[number]![key]!.state == .removed, "\(key) is lost")
        forget(key)
      }
      runs[number] = snapshot.run
      insert(snapshot)
    case .instancesCreated(let creation): try create(creation)
    case .outputStored(let key, let json): outputs[key] = json
    case .outputRemoved(let key): outputs[key] = nil
    case .choiceStored(let key, let choice):
      try expect(tasks[key.run]?[key] != nil, "\(key) chooses, and is not there")
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

  private func key(of task: TaskInstance, _ run: Int64) -> TaskInstanceKey {
    TaskInstanceKey(run: run, taskID: task.taskID, mapIndex: task.mapIndex)
  }

  private mutating func insert(_ snapshot: RunSnapshot) {
    let number = snapshot.run.number
    tasks[number] = Dictionary(uniqueKeysWithValues: snapshot.tasks.map { (key(of: $0, number), $0) })
    taskOrder[number] = snapshot.tasks.map { key(of: $0, number) }
  }

  private mutating func create(_ creation: InstanceCreation) throws {
    let run = creation.run
    func key(_ index: Int32) -> TaskInstanceKey {
      TaskInstanceKey(run: run, taskID: creation.taskID, mapIndex: index)
    }
    let unmapped = key(TaskInstanceKey.notMapped)
    let place: Int?
    if let replaced = creation.replaced {
      let row = tasks[run]?[unmapped]
      try expect(row?.state == replaced.state && row?.tryNumber == replaced.tryNumber, "\(unmapped) is \(row as Any)")
      place = taskOrder[run]?.firstIndex(of: unmapped)
      forget(unmapped)
      taskOrder[run]!.remove(at: place!)
    } else {
      place = taskOrder[run]?.firstIndex(of: key(creation.indices.lowerBound - 1)).map { $0 + 1 }
    }
    guard let place else { throw BrokenGuard(description: "\(unmapped) gets more instances, and has none") }
    for index in creation.indices {
      try expect(tasks[run]![key(index)] == nil, "\(key(index)) is there twice")
      tasks[run]![key(index)] = creation.instance
      tasks[run]![key(index)]!.mapIndex = index
    }
    taskOrder[run]!.insert(contentsOf: creation.indices.map(key), at: place)
  }

  /// Its output and tries go with a row.
  private mutating func forget(_ key: TaskInstanceKey) {
    tasks[key.run]![key] = nil
    outputs[key] = nil
    tries[key] = nil
  }

  package func run(_ number: Int64) -> RunSnapshot? {
    runs[number].map {
      RunSnapshot(run: $0, tasks: taskOrder[number]!.map { tasks[number]![$0]! }, choices: choices[number] ?? [:])
    }
  }

  package func runs(dagID: String) -> [RunSnapshot] {
    runs.values.filter { $0.dagID == dagID }.map(\.number).sorted().map { run($0)! }
  }
}
