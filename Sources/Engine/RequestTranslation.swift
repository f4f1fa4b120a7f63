internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

/// Turns a request in the names that people use into an event for the pure scheduler, with the finished runs that the
/// scheduler does not hold; and the scheduler's reply into an answer.
struct RequestTranslation {
  /// The request, ready for the scheduler, or answered already.
  enum Outcome {
    case event(Event, answer: (Reply) throws(ControlRefusal) -> ControlReply)
    case answer(ControlReply)
  }

  let store: StoreConnection
  /// The current plan of a DAG; nil when no file describes it.
  let plan: (_ dagID: String) -> DAGPlan?
  let pools: () -> [Pool]
  /// Ids of all DAGs that have a plan.
  let dagIDs: () -> [String]
  /// What keeps the file of a DAG from describing it; nil when nothing is known to be wrong.
  let importError: (_ dagID: String) -> ControlRefusal?
  let now: Timestamp

  /// - Throws: `ControlRefusal`, with nothing changed.
  func translate(_ request: ControlRequest) throws(ControlRefusal) -> Outcome {
    switch request {
    case .trigger(let dagID, let runID, let logicalDate, let conf):
      try trigger(dagID: dagID, runID: runID, logicalDate: logicalDate, conf: conf)
    case .backfill(let parameters): try backfill(parameters)
    case .cancelBackfill(let number): plain(.cancelBackfill(number: number))
    case .clear(let selection, let onNewestVersion): try clear(selection, onNewestVersion: onNewestVersion)
    case .setTaskState(let dagID, let runID, let taskID, let state):
      try setTaskState(dagID: dagID, runID: runID, taskID: taskID, state)
    case .endStuckRun(let dagID, let runID):
      try runEvent(dagID: dagID, runID: runID) { .endStuckRun(run: $0.run.number, loaded: $0) }
    case .setRunState(let dagID, let runID, let state):
      try runEvent(dagID: dagID, runID: runID) { .setRunState(run: $0.run.number, state, loaded: $0) }
    case .setPaused(let dagID, let isPaused):
      try knownDAG(dagID) { plain(.setPaused(dagID: dagID, isPaused)) }
    case .setPool(let name, let slots, let documentation, let includeDeferred):
      try setPool(Pool(name: name, slots: slots, documentation: documentation, includeDeferred: includeDeferred))
    case .deletePool(let name): plain(.deletePool(name: name))
    case .deleteDAG(let dagID): try knownDAG(dagID) { plain(.deleteDAG(dagID: dagID)) }
    case .ping, .reload, .explain, .waiting, .follow, .cancelJob, .leaveJob:
      preconditionFailure("\(request) is answered by the engine, not by the scheduler")
    }
  }

  // MARK: Requests

  private func setPool(_ pool: Pool) throws(ControlRefusal) -> Outcome {
    if let problem = Identifier.problem(withBeginningOf: pool.name) {
      throw ControlRefusal(.invalid, "the pool's name \"\(pool.name)\" \(problem)")
    }
    return plain(.setPool(pool))
  }

  private func trigger(
    dagID: String, runID: String?, logicalDate: Timestamp?, conf: String
  ) throws(ControlRefusal) -> Outcome {
    let plan = try currentPlan(dagID)
    if let runID, let problem = Identifier.problem(withRunID: runID) {
      throw ControlRefusal(.invalid, "run id \"\(runID)\" \(problem)")
    }
    var request = TriggerRequest(
      dagID: dagID, runID: runID, logicalDate: logicalDate, conf: try canonicalConf(conf, for: plan))
    request.requestedAt = now
    if let runID {
      request.existing = try stored { () throws(StoreError) in try store.run(dagID: dagID, runID: runID) }
    }
    // One that is there already is followed, or told of.
    if request.existing == nil { try checkPools(of: plan.description) }
    if let logicalDate {
      request.holder = try stored { () throws(StoreError) in
        try store.listRuns(RunFilter(dagID: dagID, fromDate: logicalDate, toDate: logicalDate, limit: 1)).first
      }
    }
    if runID == nil {
      // Whatever the run will be called, no other one is: also none that has ended.
      var taken: Set<String> = []
      var refusal: ControlRefusal?
      _ = RunIDs.free(RunIDs.manual(logicalDate ?? now)) { id in
        do throws(ControlRefusal) {
          guard try stored({ () throws(StoreError) in try store.run(dagID: dagID, runID: id) }) != nil else {
            return false
          }
          return taken.insert(id).inserted
        } catch {
          refusal = error
          return false
        }
      }
      if let refusal { throw refusal }
      request.takenRunIDs = taken.sorted()
    }
    return plain(.trigger(request))
  }

  private func backfill(_ parameters: BackfillParameters) throws(ControlRefusal) -> Outcome {
    let plan = try currentPlan(parameters.dagID)
    try checkPools(of: plan.description)
    if let regex = parameters.taskRegex { _ = try expression(regex) }
    var request = BackfillRequest(
      dagID: parameters.dagID, fromDate: parameters.fromDate, toDate: parameters.toDate,
      maxActiveRuns: parameters.maxActiveRuns, runsBackwards: parameters.runsBackwards,
      reprocess: parameters.reprocess, taskRegex: parameters.taskRegex,
      conf: try canonicalConf(parameters.conf, for: plan))
    // Before anything is loaded: a range may be any length.
    if case .failure(let refusal) = BackfillPlan.dates(of: request, plan: plan, at: now) {
      throw ControlRefusal(refusal)
    }
    let runs = try stored { () throws(StoreError) in
      try store.listRuns(
        RunFilter(dagID: parameters.dagID, fromDate: parameters.fromDate, toDate: parameters.toDate))
    }
    switch BackfillPlan.make(request, plan: plan, existing: runs, at: now) {
    case .failure(let refusal): throw ControlRefusal(refusal)
    case .success(let planned):
      if parameters.isDryRun { return .answer(.backfill(number: 0, rows: planned.rows.map(BackfillRow.init))) }
      // Those that come later are loaded when it is their turn.
      let cleared = Set(
        planned.rows.prefix(Limits().stepRuns).filter { $0.verdict == .clear }.map(\.runID))
      request.existing = try stored { () throws(StoreError) in
        try store.backfillSnapshots(runs) { cleared.contains($0.runID) }
      }
      return plain(.backfill(request))
    }
  }

  private func clear(_ selection: TaskSelection, onNewestVersion: Bool) throws(ControlRefusal) -> Outcome {
    let plan = try currentPlan(selection.dagID)
    let runs: [RunSnapshot]
    if let runID = selection.runID {
      runs = [try run(dagID: selection.dagID, runID: runID)]
    } else {
      runs = try stored { () throws(StoreError) in
        try store.runSnapshots(dagID: selection.dagID, from: selection.startDate, through: selection.endDate)
      }
    }
    let named = try selectedTasks(of: plan, selection)
    var cleared: [ClearedTask] = []
    var keys: [TaskInstanceKey] = []
    for run in runs {
      for task in run.tasks where named.contains(task.taskID) && selection.includes(task.state) {
        keys.append(TaskInstanceKey(run: run.run.number, taskID: task.taskID))
        cleared.append(ClearedTask(runID: run.run.runID, taskID: task.taskID, state: task.state))
      }
    }
    // Nothing to clear is no mistake: a script may clear what failed, and nothing has.
    if selection.isDryRun || keys.isEmpty { return .answer(.cleared(cleared)) }
    let touched = Set(keys.map(\.run))
    let event = Event.clear(
      ClearRequest(
        keys: keys, onNewestVersion: onNewestVersion, loaded: runs.filter { touched.contains($0.run.number) }))
    return .event(event) { reply throws(ControlRefusal) in
      switch reply {
      case .cleared(let done):
        let done = Set(done)
        return .cleared(zip(keys, cleared).filter { done.contains($0.0) }.map(\.1))
      default: return try answer(reply)
      }
    }
  }

  private func setTaskState(
    dagID: String, runID: String, taskID: String, _ state: TaskState
  ) throws(ControlRefusal) -> Outcome {
    try runEvent(dagID: dagID, runID: runID) { snapshot in
      .setTaskState(TaskInstanceKey(run: snapshot.run.number, taskID: taskID), state, loaded: snapshot)
    }
  }

  private func runEvent(
    dagID: String, runID: String, _ event: (RunSnapshot) -> Event
  ) throws(ControlRefusal) -> Outcome {
    plain(event(try run(dagID: dagID, runID: runID)))
  }

  // MARK: Names

  private func currentPlan(_ dagID: String) throws(ControlRefusal) -> DAGPlan {
    if let plan = plan(dagID) { return plan }
    throw missingDAG(dagID)
  }

  /// Also a DAG whose file is gone may be paused or deleted.
  private func knownDAG(_ dagID: String, _ outcome: () -> Outcome) throws(ControlRefusal) -> Outcome {
    if plan(dagID) != nil { return outcome() }
    if try stored({ () throws(StoreError) in try store.dag(dagID) }) != nil { return outcome() }
    throw missingDAG(dagID)
  }

  private func missingDAG(_ dagID: String) -> ControlRefusal {
    // Far more than 250 characters, and quick to look for in files and in the database.
    guard dagID.utf8.count <= 65_536 else {
      return ControlRefusal(.notFound, "no DAG has an id of \(dagID.utf8.count) bytes")
    }
    if let refusal = importError(dagID) { return refusal }
    if let meant = Identifier.closest(to: dagID, in: dagIDs()) {
      return ControlRefusal(.notFound, "no DAG \"\(dagID)\"; did you mean \"\(meant)\"?")
    }
    return ControlRefusal(.notFound, "no DAG \"\(dagID)\"; `dagrun dags list` shows those there are")
  }

  func run(dagID: String, runID: String) throws(ControlRefusal) -> RunSnapshot {
    let found = try stored { () throws(StoreError) in
      try store.run(dagID: dagID, runID: runID).map { run throws(StoreError) in
        try store.runSnapshots(numbers: [run.number])
      }
    }
    if let snapshot = found?.first { return snapshot }
    if plan(dagID) == nil, try stored({ () throws(StoreError) in try store.dag(dagID) }) == nil {
      throw missingDAG(dagID)
    }
    throw ControlRefusal(
      .notFound, "DAG \"\(dagID)\" has no run \"\(runID)\"; `dagrun dags list-runs \(dagID)` shows those there are")
  }

  // MARK: Parts

  private func plain(_ event: Event) -> Outcome {
    .event(event) { reply throws(ControlRefusal) in try answer(reply) }
  }

  private func answer(_ reply: Reply) throws(ControlRefusal) -> ControlReply {
    switch reply {
    case .done: return .done
    case .run(let run, let created): return .run(RunSummary(run), created: created)
    case .backfill(let backfill, let runs):
      return .backfill(number: backfill.number, rows: runs.map(BackfillRow.init))
    case .cleared(let keys): preconditionFailure("\(keys.count) cleared task instances, without a request to clear")
    case .refused(let refusal): throw ControlRefusal(refusal)
    }
  }

  /// Checked against the DAG's parameters; keys sorted, so that equal confs are equal texts.
  private func canonicalConf(_ conf: String, for plan: DAGPlan) throws(ControlRefusal) -> String {
    do {
      _ = try plan.description.resolveParameters(conf: conf)
    } catch {
      throw ControlRefusal(.invalid, error.description)
    }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(conf.utf8)) else { return "{}" }
    return value.jsonText
  }

  /// A task that needs more slots than its pool has would wait for ever. A pool without slots is closed for a while.
  private func checkPools(of dag: DAGDescription) throws(ControlRefusal) {
    let pools = Dictionary(pools().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for task in dag.tasks {
      guard let pool = pools[task.pool], pool.slots > 0, task.poolSlots > pool.slots else { continue }
      throw ControlRefusal(
        .invalid,
        "\(dag.id) cannot run: its task \(task.id) needs \(task.poolSlots) slots, and pool \(pool.name) has \(pool.slots)"
          + "\nmake the pool larger with 'dagrun pools set \(pool.name) \(task.poolSlots)', or let the task need fewer")
    }
  }

  private func selectedTasks(of plan: DAGPlan, _ selection: TaskSelection) throws(ControlRefusal) -> Set<String> {
    guard let regex = selection.taskRegex else { return Set(plan.taskIDs) }
    let named: [String]
    let expression = try expression(regex)
    do {
      named = try expression.matching(plan.taskIDs, whole: false)
    } catch {
      throw ControlRefusal(.invalid, error.description)
    }
    guard !named.isEmpty else {
      throw ControlRefusal(
        .notFound,
        "no task of \"\(plan.dagID)\" matches \"\(regex)\"; `dagrun tasks list \(plan.dagID)` shows those there are")
    }
    return plan.subset(
      of: Set(named), withUpstream: selection.withUpstream, withDownstream: selection.withDownstream)
  }

  private func expression(_ text: String) throws(ControlRefusal) -> BoundedRegex {
    if let expression = BoundedRegex(text) { return expression }
    throw ControlRefusal(.invalid, "\"\(text)\" is not a regular expression")
  }

  private func stored<Value>(_ read: () throws(StoreError) -> Value) throws(ControlRefusal) -> Value {
    do {
      return try read()
    } catch {
      throw ControlRefusal(.unavailable, error.description)
    }
  }
}

extension TaskSelection {
  /// A task that has not begun has nothing to clear.
  fileprivate func includes(_ state: TaskState) -> Bool {
    if onlyFailed { return state == .failed || state == .upstreamFailed }
    return state != .none && state != .removed
  }
}

extension BackfillRow {
  init(_ row: BackfillPlan.Row) {
    self.init(logicalDate: row.logicalDate, runID: row.runID, verdict: row.verdict.rawValue)
  }
}

extension Identifier {
  /// Run ids hold dates: besides what ids may have, `:` and `+`. They become the names of folders.
  fileprivate static func problem(withRunID id: String) -> String? {
    if id.isEmpty { return "is empty" }
    if id.utf8.count > 240 { return "is longer than 240 bytes" }
    if let problem = problem(withBeginningOf: id) { return problem }
    if id == "." || id == ".." || id.contains("/") || id.unicodeScalars.contains(where: { $0.value < 32 }) {
      return "cannot be the name of a folder: leave out \"/\" and control characters"
    }
    return nil
  }
}

extension ControlRefusal {
  /// The scheduler's refusal, in words.
  init(_ refusal: Refusal) {
    switch refusal {
    case .unknownDAG(let dagID): self.init(.notFound, "no DAG \"\(dagID)\"")
    case .unknownRun(let number): self.init(.notFound, "no run number \(number)")
    case .unknownTask(let dagID, let taskID):
      self.init(.notFound, "DAG \"\(dagID)\" has no task \"\(taskID)\"; `dagrun tasks list \(dagID)` shows its tasks")
    case .unknownPool(let name): self.init(.notFound, "no pool \"\(name)\"; `dagrun pools list` shows those there are")
    case .unknownBackfill(let number):
      self.init(.notFound, "no backfill \(number) is under way\n`dagrun backfill list` shows them")
    case .runExists(let runID, let difference):
      self.init(
        .invalid, "a run \"\(runID)\" exists already, with another \(difference); choose another run id (-r)")
    case .logicalDateTaken(let date, let runID):
      self.init(
        .invalid, "run \"\(runID)\" has the logical date \(date.iso8601) already; clear it to run that date again")
    case .dagIsRunning(let dagID, let runID):
      self.init(.invalid, "DAG \"\(dagID)\" is at work on run \"\(runID)\"; cancel it, or wait until it has ended")
    case .dagIsSuspended(let dagID, let reason):
      self.init(
        .unavailable,
        "DAG \"\(dagID)\" is suspended until the scheduler is started again: the database refuses what would be next\n"
          + "\(reason)\nThis is a defect of dagrun: please report it.")
    case .defaultPoolCannotBeDeleted:
      self.init(
        .invalid, "\(TaskDescription.defaultPool) cannot be deleted; give it another size with `dagrun pools set`")
    case .nothingToDo(let reason): self.init(.nothingToDo, reason)
    case .invalid(let reason): self.init(.invalid, reason)
    }
  }
}
