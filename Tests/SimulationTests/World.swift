import Dagrun
import Model

@testable import Scheduling

/// Executors, people and power cuts around a real scheduler, driven by a seed.
final class World {
  static let start = Timestamp(iso8601: "2026-03-29T00:30:00Z")!

  let store: any SimulatedStore
  let limits: Limits
  var random: SplitMix
  var scheduler: Scheduler
  var now = World.start
  /// Event by event, for whoever looks into a failure.
  var transcript: [String] = []

  /// A try that an executor has in hand.
  struct Process {
    var endsAt: Timestamp
    /// What it will report; later than its end, sometimes.
    var event: Event
    var started: Event?
  }
  var processes: [TaskInstanceKey: (tryNumber: Int, process: Process)] = [:]
  /// Deferred tries, and when what they wait for happens.
  var deferred: [TaskInstanceKey: (tryNumber: Int, at: Timestamp)] = [:]
  var launched: Set<TryKey> = []
  var pastFacts: [Event] = []
  var versions: [String: Int] = [:]

  struct Violation: Error, CustomStringConvertible {
    var description: String
  }

  init(seed: UInt64, store: any SimulatedStore) throws {
    self.store = store
    random = SplitMix(seed: seed)
    var limits = Limits(parallelism: random.pick([1, 3, 8, 32]))
    // So that some worlds come to their ends in many small steps.
    limits.stepRuns = random.pick([1, 3, 1000])
    limits.stepTasks = random.pick([4, 20, 100_000])
    self.limits = limits
    scheduler = Scheduler(restoring: try store.snapshot(), limits: limits)
    try deliver(.setPool(Pool(name: "small", slots: 3, includeDeferred: random.chance(1, of: 2))))
    try loadDAGs()
    try deliver(.wake)
  }

  func loadDAGs() throws {
    var plans: [DAGPlan] = []
    for index in 0..<3 {
      let id = "dag_\(index)"
      let isChanged = versions[id] == nil || random.chance(1, of: 2)
      if !isChanged, let plan = scheduler.plan(ofDAG: id) {
        plans.append(plan)
        continue
      }
      if random.chance(1, of: 10) { continue }
      versions[id, default: 0] += 1
      let plan = RandomDAG.make(id, version: versions[id]!, &random)
      try store.know(plan)
      plans.append(plan)
    }
    try deliver(.dagsLoaded(plans))
  }

  /// One thing happens.
  func step() throws {
    if random.chance(1, of: 6) { return try deliver(try person()) }
    if random.chance(1, of: 40) { return try loadDAGs() }
    if random.chance(1, of: 30) { return try crash() }
    if random.chance(1, of: 25), let fact = pastFacts.randomElement(using: &random), Self.mayRepeat(fact) {
      return try deliver(fact)
    }
    if random.chance(1, of: 60) {
      // The machine's clock is set.
      now = now.adding(seconds: Double(Int.random(in: -120...4000, using: &random)))
      return try deliver(.wake)
    }
    try nextFact()
  }

  /// The next thing that happens by itself.
  func quietFact() throws {
    if processes.isEmpty, deferred.isEmpty, scheduler.nextWake == nil { return }
    try nextFact()
  }

  private func nextFact() throws {
    if let number = scheduler.unfinishedBackfills.first { return try goOn(withBackfill: number) }
    let next = processes.map { ($0.value.process.endsAt, $0.key) }
      .min { ($0.0.microseconds, $0.1.run, $0.1.taskID) < ($1.0.microseconds, $1.1.run, $1.1.taskID) }
    let resumed = deferred.map { ($0.value.at, $0.key) }
      .min { ($0.0.microseconds, $0.1.run, $0.1.taskID) < ($1.0.microseconds, $1.1.run, $1.1.taskID) }
    let moments = [next?.0, resumed?.0, scheduler.nextWake].compactMap(\.self)
    guard let moment = moments.min() else { return try deliver(try person()) }
    now = max(now, moment)
    if let wake = scheduler.nextWake, wake == moment { return try deliver(.wake) }
    if let next, next.0 == moment {
      let entry = processes.removeValue(forKey: next.1)!
      let event = entry.process.event
      if event.isDeferral(.event) {
        deferred[next.1] = (
          entry.tryNumber, now.adding(seconds: Double(Int.random(in: 1...60, using: &random)))
        )
      }
      return try deliver(event)
    }
    if let resumed {
      let entry = deferred.removeValue(forKey: resumed.1)!
      try deliver(.triggerFired(TryKey(resumed.1, entry.tryNumber)))
    }
  }

  /// As the engine does it: with all runs there are for the dates of the next step.
  private func goOn(withBackfill number: Int64) throws {
    let dates = Set(scheduler.nextDates(ofBackfill: number))
    let dagID = scheduler.openBackfills.first { $0.number == number }!.dagID
    let existing = try store.runs(dagID: dagID).filter { $0.run.logicalDate.map(dates.contains) ?? false }
    try deliver(.continueBackfill(number: number, existing: existing))
  }

  /// Handles an event, commits, acts; or is cut off in between.
  func deliver(_ event: Event) throws {
    transcript.append("\(now.iso8601) \(Self.short(event))")
    let isFact = Self.isFact(event)
    if isFact { pastFacts.append(event) }
    let step = scheduler.handle(event, at: now)
    if isFact, random.chance(1, of: 50) {
      // The power goes before the commit. What executors had to say, they say again.
      transcript.append("  power cut before the commit")
      try restart()
      return try deliver(event)
    }
    if !step.changes.isEmpty { try store.commit(step.changes) }
    if step.needsRestoring { scheduler = Scheduler(restoring: try store.snapshot(), limits: limits) }
    // Restored, it has not looked around yet; the `wake` below is checked.
    if !step.needsRestoring { try check(step) }
    if !step.actions.isEmpty, random.chance(1, of: 50) {
      transcript.append("  power cut after the commit")
      return try restart()
    }
    for action in step.actions { try perform(action) }
    if step.needsRestoring { try deliver(.wake) }
  }

  private func crash() throws {
    transcript.append("\(now.iso8601) power cut")
    try restart()
  }

  /// As the engine does it: a try that never began is begun, one that nobody wants is stopped.
  private func restart() throws {
    scheduler = Scheduler(restoring: try store.snapshot(), limits: limits)
    let active = scheduler.activeTries
    let running = Set(active.map(\.key))
    let waiting = Set(scheduler.deferredTries)
    for (key, entry) in processes where !running.contains(TryKey(key, entry.tryNumber)) { processes[key] = nil }
    for (key, entry) in deferred where !waiting.contains(TryKey(key, entry.tryNumber)) { deferred[key] = nil }
    for key in scheduler.deferredTries where deferred[key.instance] == nil {
      deferred[key.instance] = (key.number, now)
    }
    for tryNow in active {
      let key = tryNow.key
      if tryNow.state == .restarting { try perform(.stop(key, .cleared)) }
      if processes[key.instance] != nil { continue }
      if tryNow.state == .restarting {
        let event = Event.taskFinished(key, TaskResult(.stopped()))
        processes[key.instance] = (key.number, Process(endsAt: now, event: event))
      } else {
        try perform(.launch(key))
      }
    }
    try deliver(.wake)
  }

  private func perform(_ action: Action) throws {
    switch action {
    case .launch(let tryKey):
      let (key, tryNumber) = (tryKey.instance, tryKey.number)
      launched.insert(tryKey)
      let seconds = random.pick([0, 0.5, 3, 10, 25, 100])
      let endsAt = now.adding(seconds: seconds)
      processes[key] = (tryNumber, Process(endsAt: endsAt, event: outcome(key, tryNumber, endsAt)))
      if scheduler.taskInstance(key)?.state == .queued { try deliver(.taskStarted(tryKey)) }
    case .stop(let tryKey, _):
      let (key, tryNumber) = (tryKey.instance, tryKey.number)
      if deferred[key]?.tryNumber == tryNumber { deferred[key] = nil }
      guard let entry = processes[key], entry.tryNumber == tryNumber else { return }
      // It ends sooner, or does not notice.
      guard random.chance(4, of: 5) else { return }
      let endsAt = now.adding(seconds: random.pick([0, 1, 5]))
      let result = TaskResult(
        random.chance(1, of: 2) ? .stopped(signal: 15) : .failed(reason: "killed", signal: 15), endDate: endsAt)
      processes[key] = (tryNumber, Process(endsAt: endsAt, event: .taskFinished(tryKey, result)))
    }
  }

  private func outcome(_ key: TaskInstanceKey, _ tryNumber: Int, _ endsAt: Timestamp) -> Event {
    switch Int.random(in: 0..<20, using: &random) {
    case 0...11:
      let output = random.chance(1, of: 3) ? "\(tryNumber)" : nil
      return .taskFinished(TryKey(key, tryNumber), TaskResult(.success, output: output, endDate: endsAt))
    case 12, 13: return .taskFinished(TryKey(key, tryNumber), TaskResult(.skipped(reason: "nothing to do")))
    case 14...17:
      let failure = Failure(reason: "exit code 1", exitCode: 1)
      return .taskFinished(
        TryKey(key, tryNumber), TaskResult(.failed(failure, isRetryable: random.chance(5, of: 6)), endDate: endsAt))
    case 18: return .taskFinished(TryKey(key, tryNumber), TaskResult(.deferred(.event)))
    default: return .taskFinished(TryKey(key, tryNumber), TaskResult(.deferred(.until(endsAt.adding(seconds: 30)))))
    }
  }

  private static func isFact(_ event: Event) -> Bool {
    switch event {
    case .taskStarted, .taskFinished, .triggerFired: true
    default: false
    }
  }

  /// A try that was deferred goes on as the same try, so that these cannot be told from new ones. Executors must not
  /// repeat them.
  private static func mayRepeat(_ event: Event) -> Bool {
    switch event {
    case .taskFinished(_, let result): if case .deferred = result.outcome { false } else { true }
    case .triggerFired: false
    default: true
    }
  }

  private static func short(_ event: Event) -> String {
    switch event {
    case .dagsLoaded(let plans): "dagsLoaded \(plans.map(\.version))"
    case .plansLoaded(let plans): "plansLoaded \(plans.map(\.version))"
    case .backfill(let request): "backfill \(request.dagID) \(request.fromDate.iso8601) … \(request.toDate.iso8601)"
    case .clear(let request): "clear \(request.keys) newest: \(request.onNewestVersion)"
    case .setTaskState(let key, let state, _): "setTaskState \(key) \(state)"
    case .setRunState(let run, let state, _): "setRunState \(run) \(state)"
    default: "\(event)"
    }
  }
}

extension Event {
  /// Whether it reports that a try has been deferred so.
  func isDeferral(_ deferral: Deferral) -> Bool {
    guard case .taskFinished(_, let result) = self else { return false }
    return result.outcome == .deferred(deferral)
  }
}
