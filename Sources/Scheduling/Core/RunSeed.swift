import Dagrun
import Model

/// What a new run is made of, whether a person, a schedule or a backfill asks for it.
struct RunSeed {
  var type: DAGRunType
  var name: Name
  var logicalDate: Timestamp?
  var dataInterval: DataInterval?
  var runAfter: Timestamp
  var conf = "{}"
  var standsForScheduled = false
  var backfill: Int64?
  var isFirstOfBackfill = false

  enum Name {
    /// No other run has it.
    case given(String)
    /// Made unique.
    case made(String)
    /// Made unique, also among manual runs that have ended since: two requests at one moment have two ids.
    /// - Parameter besides: ids that the caller knows to be taken.
    case madeForRequest(String, besides: [String])
  }

  /// A run as its DAG's timetable asks for it.
  init(_ due: Timetable.DueRun) {
    type = .scheduled
    name = .made(RunIDs.scheduled(due.logicalDate))
    logicalDate = due.logicalDate
    dataInterval = due.dataInterval
    runAfter = due.runAfter
  }

  init(_ due: Timetable.DueRun, of backfill: Backfill, on date: Timestamp, isFirst: Bool) {
    type = .backfill
    name = .made(RunIDs.backfill(date))
    logicalDate = date
    dataInterval = due.dataInterval
    runAfter = due.runAfter
    conf = backfill.conf
    self.backfill = backfill.number
    isFirstOfBackfill = isFirst
  }

  /// - Parameter scheduled: the run that the timetable would have made for the date.
  init(_ request: TriggerRequest, standingFor scheduled: Timetable.DueRun?, at now: Timestamp) {
    type = .manual
    name =
      request.runID.map(Name.given)
      ?? .madeForRequest(
        RunIDs.manual(request.logicalDate ?? request.requestedAt ?? now), besides: request.takenRunIDs)
    logicalDate = request.logicalDate
    dataInterval = scheduled?.dataInterval
    runAfter = now
    conf = request.conf
    standsForScheduled = scheduled != nil
  }
}

extension Scheduler {
  /// Numbers, names and creates a run, which is queued.
  mutating func makeRun(_ seed: RunSeed, of dag: Int, on plan: DAGPlan) -> RunIndex {
    var run = DAGRun(
      number: runs.takeNumber(), dagID: plan.dagID, runID: makeRunID(seed.name, dag), type: seed.type, state: .queued,
      logicalDate: seed.logicalDate, dataInterval: seed.dataInterval, runAfter: seed.runAfter, queuedAt: now,
      conf: seed.conf, version: plan.version, backfill: seed.backfill, taskRegex: plan.taskRegex)
    run.isFirstOfBackfill = seed.isFirstOfBackfill
    run.standsForScheduled = seed.standsForScheduled
    let index = insert(RunSnapshot(run: run, tasks: []), plan: plan, dag: dag)
    runs[index].isCreated = true
    step.noteCreated(index, tasks: plan.count)
    if let date = run.logicalDate { dags[dag].use(date) }
    return index
  }

  private mutating func makeRunID(_ name: RunSeed.Name, _ dag: Int) -> String {
    switch name {
    case .given(let id): return id
    case .made(let id): return freeRunID(id, dag)
    case .madeForRequest(let id, let taken):
      if dags[dag].latestManual.id != id { dags[dag].latestManual = (id, []) }
      let free = freeRunID(id, dag, besides: dags[dag].latestManual.given.union(taken))
      dags[dag].latestManual.given.insert(free)
      return free
    }
  }

  /// An id that no run of the DAG has, as far as the scheduler knows.
  private func freeRunID(_ id: String, _ dag: Int, besides taken: Set<String> = []) -> String {
    RunIDs.free(id) {
      dags[dag].unfinishedRunIDs[$0] != nil || dags[dag].takenRunIDs.contains($0) || taken.contains($0)
    }
  }
}
