import Control
import DagBag
import Dagrun
import Dispatch
import EngineSupport
import Executors
import Foundation
import Logging
import Model
import Preparation

@testable import Engine
@testable import Scheduling
@testable import Storage

/// Executors, people, disks that fail and power cuts around a real engine and its database, driven by a seed.
///
/// All of it happens on the engine's queue.
final class World {
  static let start = Timestamp(iso8601: "2026-03-29T00:30:00Z")!

  let queue: DispatchQueue
  let limits: Limits
  var random: SplitMix
  let database: SimulatedDatabase
  let source = FakeDAGSource()
  let machines = [FakeMachine(.local), FakeMachine(.computeEngine)]
  private(set) var engine: Engine!
  private(set) var clock: FakeClock
  /// Event by event, for whoever looks into a failure.
  private(set) var transcript: [String] = []

  /// What a machine does next with a try.
  struct Plan {
    var beginsAt: Timestamp?
    var endsAt: Timestamp
    var result: TaskResult
  }
  var plans: [TryKey: Plan] = [:]
  /// Deferred tries, and when what they wait for happens.
  var triggers: [TryKey: Timestamp] = [:]
  var launched: Set<TryKey> = []
  var deferrals: Set<TryKey> = []
  private var pastEnds: [(TryKey, TaskResult)] = []
  private var versions: [String: Int] = [:]
  var listeners: [Listener] = []
  /// What was found out in a callback.
  var violation: Violation?
  var checks = 0

  /// Who follows a run, and what they heard last.
  final class Listener {
    let run: Int64
    var last: RunProgress?
    var isGone = false

    init(run: Int64) { self.run = run }
  }

  struct Violation: Error, CustomStringConvertible {
    var description: String
  }

  init(seed: UInt64, queue: DispatchQueue, database: SimulatedDatabase) throws {
    self.queue = queue
    self.database = database
    random = SplitMix(seed: seed)
    var limits = Limits(parallelism: random.pick([1, 3, 8, 32]))
    // So that some worlds come to their ends in many small steps.
    limits.stepRuns = random.pick([1, 3, 1000])
    limits.stepTasks = random.pick([4, 20, 100_000])
    self.limits = limits
    clock = FakeClock(World.start)
    for machine in machines {
      machine.launched = { [unowned self] in try launch($0, on: machine) }
      machine.toldToStop = { [unowned self] in stop($0) }
    }
    changeDAGs()
    try startEngine()
    request(.setPool(name: "small", slots: 3, documentation: "", includeDeferred: random.chance(1, of: 2)))
  }

  var scheduler: Scheduler { engine.scheduler }
  var now: Timestamp { clock.now() }

  // MARK: Engines

  private func startEngine() throws {
    let time = clock.now()
    clock = FakeClock(time)
    source.clock = clock
    source.forget()
    let options = Engine.Options(home: Home(path: "/home"), dagsFolder: "/dags", executable: "")
    var environment = EngineEnvironment(
      store: database.store, limits: limits, clock: clock, dagSource: source
    ) { [machines] host in machines.map { $0.makeExecutor(host) } }
    environment.commit = { [unowned self] store, changes throws(StoreError) in try commit(changes, store) }
    engine = try Engine(
      options, environment, on: queue, logger: Logger(label: "simulation") { _ in SwiftLogNoOpLogHandler() })
    try engine.begin()
    // As executors do, triggers are asked about what the database has. A deferral may have been stored only now.
    let deferred = Set(engine.scheduler.deferredTries)
    for key in triggers.keys.filter({ !deferred.contains($0) }) { triggers[key] = nil }
    for key in deferred where triggers[key] == nil { triggers[key] = time }
    for machine in machines {
      for key in plans.keys.filter({ machine.running[$0] == nil && machine.id == machineOf[$0] }) { plans[key] = nil }
    }
  }

  var machineOf: [TryKey: ExecutorID] = [:]

  /// Nobody has time to say anything.
  private func cutPower() throws {
    note("power cut")
    engine.isStopped = true
    clock.stop()
    for listener in listeners { listener.isGone = true }
    if random.chance(1, of: 4) { try database.reopen() }
    powerCut = nil
    try startEngine()
  }

  private func restart() throws {
    note("restart")
    engine.end()
    for listener in listeners { listener.isGone = true }
    try database.reopen()
    try startEngine()
  }

  // MARK: The database

  private enum PowerCut { case beforeCommit, afterCommit }
  private var powerCut: PowerCut?
  private var isDiskFull = false
  var failsNever = false

  private func commit(_ changes: [Change], _ store: Store) throws(StoreError) {
    guard !changes.isEmpty else { return }
    if powerCut == nil, !failsNever, random.chance(1, of: 60) {
      powerCut = random.pick([.beforeCommit, .afterCommit])
    }
    if powerCut != nil { for machine in machines { machine.cutOff() } }
    if powerCut == .beforeCommit {
      throw StoreError(code: .inputOutput, operation: "write to", path: "/home", problem: "the power is gone", hint: "")
    }
    if !failsNever, isDiskFull || random.chance(1, of: 80) {
      note("the disk is full")
      isDiskFull = random.chance(1, of: 2)
      throw StoreError(code: .diskFull, operation: "write to", path: "/home", problem: "the disk is full", hint: "")
    }
    do {
      try database.commit(changes)
    } catch let error as StoreError {
      throw error
    } catch {
      violation = violation ?? Violation(description: "\(error)")
    }
  }

  // MARK: What happens

  /// One thing happens.
  func step() throws {
    if random.chance(1, of: 6) {
      person()
    } else if random.chance(1, of: 40) {
      changeDAGs()
      if random.chance(1, of: 2) { source.changed() }
    } else if random.chance(1, of: 40) {
      try cutPower()
    } else if random.chance(1, of: 60) {
      try restart()
    } else if random.chance(1, of: 25), let (key, result) = pastEnds.randomElement(using: &random) {
      note("again: \(key) \(result.outcome)")
      random.pick(machines).repeatEnd(key, result)
    } else if random.chance(1, of: 60) {
      // The machine's clock is set.
      clock.set(now.adding(seconds: Double(Int.random(in: -120...4000, using: &random))))
    } else {
      nextFact()
    }
    if powerCut != nil { try cutPower() }
    try check()
  }

  /// The next thing that happens by itself; false when nothing will.
  @discardableResult
  func nextFact() -> Bool {
    let begin = earliest(plans.compactMapValues(\.beginsAt))
    let end = earliest(plans.filter { $0.value.beginsAt == nil }.mapValues(\.endsAt))
    let trigger = earliest(triggers)
    guard let moment = [begin?.1, end?.1, trigger?.1, clock.next].compactMap(\.self).min() else { return false }
    if moment > now { clock.set(moment) }
    if let next = clock.next, next == moment {
      note("the clock")
      clock.fire()
    } else if let (key, at) = begin, at == moment {
      note("\(key) begins")
      plans[key]!.beginsAt = nil
      machine(of: key).begin(key)
    } else if let (key, at) = end, at == moment {
      let result = plans.removeValue(forKey: key)!.result
      note("\(key) ends: \(result.outcome)")
      if case .deferred(let deferral) = result.outcome {
        deferrals.insert(key)
        if deferral == .event { triggers[key] = now.adding(seconds: Double(Int.random(in: 1...60, using: &random))) }
      } else {
        pastEnds.append((key, result))
      }
      machine(of: key).end(key, result)
    } else if let (key, _) = trigger {
      triggers[key] = nil
      note("\(key) resumes")
      engine.submit(.triggerFired(key))
    }
    return true
  }

  private func earliest(_ moments: [TryKey: Timestamp]) -> (TryKey, Timestamp)? {
    moments.min {
      ($0.value, $0.key.run, $0.key.taskID, $0.key.number) < ($1.value, $1.key.run, $1.key.taskID, $1.key.number)
    }
    .map { ($0.key, $0.value) }
  }

  private func machine(of key: TryKey) -> FakeMachine { machines.first { $0.id == machineOf[key] }! }

  func note(_ line: String) { transcript.append("\(now.iso8601) \(line)") }

  // MARK: Tries

  private func launch(_ workload: TaskWorkload, on machine: FakeMachine) throws {
    let key = workload.key
    note("  launch \(key)")
    do {
      try checkLaunch(key)
    } catch {
      violation = violation ?? error as? Violation
    }
    if !failsNever, random.chance(1, of: 40) {
      throw LaunchError("no machine", isRetryable: random.chance(1, of: 2))
    }
    launched.insert(key)
    machineOf[key] = machine.id
    // A machine that is rented takes its time, and a local try begins when it is launched.
    let waits = machine.id == .local ? 0 : random.pick([0, 0.5, 30, 400])
    let beginsAt = now.adding(seconds: waits)
    let endsAt = beginsAt.adding(seconds: random.pick([0, 0.5, 3, 10, 25, 100]))
    plans[key] = Plan(beginsAt: machine.id == .local ? nil : beginsAt, endsAt: endsAt, result: result(key, endsAt))
  }

  private func stop(_ key: TryKey) {
    note("  stop \(key)")
    // It ends sooner, or does not notice.
    guard plans[key] != nil, failsNever || random.chance(4, of: 5) else { return }
    let endsAt = now.adding(seconds: random.pick([0, 1, 5]))
    let result = TaskResult(
      random.chance(1, of: 2) ? .stopped(signal: 15) : .failed(reason: "killed", signal: 15), endDate: endsAt)
    plans[key] = Plan(beginsAt: nil, endsAt: endsAt, result: result)
  }

  private func result(_ key: TryKey, _ endsAt: Timestamp) -> TaskResult {
    switch Int.random(in: 0..<20, using: &random) {
    case 0...11: TaskResult(.success, output: output(key), endDate: endsAt)
    case 12, 13: TaskResult(.skipped(reason: "nothing to do"))
    case 14...16:
      TaskResult(
        .failed(Failure(reason: "exit code 1", exitCode: 1), isRetryable: random.chance(5, of: 6)), endDate: endsAt)
    case 17: TaskResult(.lost(.workerDied))
    case 18: TaskResult(.deferred(.event))
    default: TaskResult(.deferred(.until(endsAt.adding(seconds: 30))))
    }
  }

  /// Now and then a deciding task answers what is not an answer.
  private func output(_ key: TryKey) -> String? {
    switch scheduler.startAndDecision(of: key.instance).decision {
    case .branch: random.pick([#"["left"]"#, #"["right"]"#, #"["left","right"]"#, #"["nowhere"]"#, "[]", "[1]"])
    case .shortCircuit: random.pick(["true", "true", "false", "false", "7"])
    case .latestOnly, nil: random.chance(1, of: 3) ? "\(key.number)" : nil
    }
  }

  // MARK: DAG files

  private func changeDAGs() {
    var contents = LoadedDAGs()
    for index in 0..<3 {
      let id = "dag_\(index)"
      let known = source.contents.files.first { $0.dags[0].id == id }
      if let known, random.chance(1, of: 2) {
        contents.files.append(known)
        continue
      }
      if random.chance(1, of: 10) {
        contents.importErrors.append(
          ImportError(path: "/dags/\(id).swift", line: 1, message: "expected '}'", stage: .compile))
        continue
      }
      versions[id, default: 0] += 1
      let dag = RandomDAG.make(id, &random)
      contents.files.append(FakeDAGSource.file(dag, version: "\(id)-\(versions[id]!)"))
    }
    note("DAG files: \(contents.files.map(\.version))")
    source.loadSeconds = random.pick([0, 0, 0.5, 20])
    source.contents = contents
  }

  func removeDAGs() {
    source.loadSeconds = 0
    source.contents = LoadedDAGs()
    source.changed()
  }
}
