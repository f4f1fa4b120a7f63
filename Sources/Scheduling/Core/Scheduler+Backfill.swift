package import Dagrun
import Model

/// Many runs over a range of dates.
extension Scheduler {
  mutating func startBackfill(_ request: BackfillRequest) {
    guard let dag = dagIndices[request.dagID], let newest = dags[dag].plan else {
      return refuse(.unknownDAG(request.dagID))
    }
    if let refusal = suspensionRefusal(dag) { return refuse(refusal) }
    let known = knownRuns(dag, request.existing)
    let rows: [BackfillPlan.Row]
    switch BackfillPlan.make(request, plan: newest, existing: known, at: now) {
    case .failure(let refusal): return refuse(refusal)
    case .success(let plan):
      guard !plan.isEmpty else {
        // Perhaps of this very command, which was killed before.
        let unfinished = plan.rows.count { $0.verdict == .inFlight }
        let advice =
          unfinished == 0
          ? "--reprocess-behavior failed or completed runs them again"
          : "\(unfinished) of them have not ended: a scheduler continues them, `dagrun scheduler --until-idle` for example"
        return refuse(.nothingToDo("every run between those dates exists already\n\(advice)"))
      }
      rows = plan.rows
    }
    // The plan has been made with it already.
    let selected = select(newest, request.taskRegex, dag: dag)
    lastBackfillNumber += 1
    var backfill = Backfill(
      number: lastBackfillNumber, dagID: request.dagID, fromDate: request.fromDate, toDate: request.toDate,
      maxActiveRuns: request.maxActiveRuns, runsBackwards: request.runsBackwards,
      reprocess: request.reprocess ?? BackfillPlan.defaultReprocessing(of: selected), conf: request.conf,
      taskRegex: request.taskRegex, createdAt: now)
    let first = rows.prefix(runsAStep(of: selected))
    let rest = rows.dropFirst(first.count)
    backfill.nextDate = rest.first?.logicalDate
    step.append(.backfillCreated(backfill))
    backfills[backfill.number] = BackfillEntry(backfill)
    backfills[backfill.number]!.remaining = ArraySlice(rest.map(\.logicalDate))
    makeRuns(of: backfill, first, request.existing, newest, selected, dag, startingWith: rows.first?.logicalDate)
    step.answer(.backfill(backfill, runs: rows))
  }

  /// What is in memory is newer than what a request brings.
  private func knownRuns(_ dag: Int, _ loaded: [RunSnapshot]) -> [DAGRun] {
    var known: [Int64: DAGRun] = [:]
    for snapshot in loaded { known[snapshot.run.number] = snapshot.run }
    for number in dags[dag].runs { known[number] = runs[runs.index(of: number)!].run }
    return known.sorted { $0.key < $1.key }.map(\.value)
  }

  /// So many runs that neither they nor their tasks are more than a step should make.
  private func runsAStep(of plan: DAGPlan) -> Int {
    max(1, min(limits.stepRuns, limits.stepTasks / max(1, plan.count)))
  }

  private mutating func makeRuns(
    of backfill: Backfill, _ rows: some Sequence<BackfillPlan.Row>, _ loaded: [RunSnapshot], _ newest: DAGPlan,
    _ selected: DAGPlan, _ dag: Int, startingWith first: Timestamp?
  ) {
    let snapshots = Dictionary(loaded.map { ($0.run.runID, $0) }, uniquingKeysWith: { first, _ in first })
    for row in rows {
      switch row.verdict {
      case .create:
        guard let due = dags[dag].source.timetable?.first(notBefore: row.logicalDate) else { continue }
        let seed = RunSeed(due, of: backfill, on: row.logicalDate, isFirst: row.logicalDate == first)
        _ = makeRun(seed, of: dag, on: selected)
      case .clear:
        guard let snapshot = snapshots[row.runID] else { continue }
        takeOver(snapshot, by: backfill, newest, isFirst: row.logicalDate == first)
      case .inFlight, .alreadyExists: break
      }
    }
  }

  /// A run that exists is cleared, and is the backfill's from then on.
  private mutating func takeOver(
    _ snapshot: RunSnapshot, by backfill: Backfill, _ newest: DAGPlan, isFirst: Bool
  ) {
    guard let run = open(snapshot.run.number, loaded: snapshot) else { return }
    let plan = runs[run].plan
    if plan.version != newest.version || plan.taskRegex != backfill.taskRegex {
      replan(run, on: newest, regex: backfill.taskRegex)
    }
    noteChange(of: run)
    runs[run].run.type = .backfill
    runs[run].run.backfill = backfill.number
    runs[run].run.isFirstOfBackfill = isFirst
    if backfill.conf != "{}" { runs[run].run.conf = backfill.conf }
    for instance in runs[run].instances {
      clear(InstanceIndex(run: run, offset: instance))
    }
    reopen(run)
  }

  // MARK: One step after the other

  /// Backfills that have not come to all their dates, and can continue.
  package var unfinishedBackfills: [Int64] {
    backfills.values.filter { entry in
      guard entry.backfill.nextDate != nil, let dag = dagIndices[entry.backfill.dagID] else { return false }
      return dags[dag].plan != nil && dags[dag].suspension == nil && !needsInitialScan
    }.map(\.backfill.number).sorted()
  }

  /// The dates that the next step of a backfill is about.
  package mutating func nextDates(ofBackfill number: Int64) -> [Timestamp] {
    guard let backfill = backfills[number]?.backfill, let next = backfill.nextDate,
      let dag = dagIndices[backfill.dagID], let plan = dags[dag].plan, let timetable = dags[dag].source.timetable
    else { return [] }
    if backfills[number]!.remaining == nil {
      let range =
        backfill.runsBackwards ? min(backfill.fromDate, next)...next : next...max(next, backfill.toDate)
      let dates = BackfillPlan.dates(of: timetable, in: range, dueBy: backfill.createdAt) ?? []
      backfills[number]!.remaining = backfill.runsBackwards ? ArraySlice(dates.reversed()) : dates[...]
    }
    let count = runsAStep(of: select(plan, backfill.taskRegex, dag: dag))
    return Array(backfills[number]!.remaining!.prefix(count))
  }

  mutating func continueBackfill(_ number: Int64, _ existing: [RunSnapshot]) {
    guard let entry = backfills[number], entry.backfill.nextDate != nil, let dag = dagIndices[entry.backfill.dagID],
      let newest = dags[dag].plan
    else { return }
    let dates = nextDates(ofBackfill: number)
    backfills[number]!.remaining = backfills[number]!.remaining?.dropFirst(dates.count)
    var backfill = entry.backfill
    backfill.nextDate = backfills[number]!.remaining?.first
    backfills[number]!.backfill = backfill
    step.append(.backfillContinued(number: number, nextDate: backfill.nextDate))
    var known: [Timestamp: DAGRun] = [:]
    for run in knownRuns(dag, existing) { if let date = run.logicalDate { known[date] = run } }
    let rows = dates.map { date in BackfillPlan.row(for: date, known[date], backfill.reprocess) }
    let selected = select(newest, backfill.taskRegex, dag: dag)
    // A run that it has made already, and that has ended since, is not made again.
    makeRuns(
      of: backfill, rows.filter { known[$0.logicalDate]?.backfill != number }, existing, newest, selected, dag,
      startingWith: nil)
    if backfills[number]!.isOver { completeBackfill(number) }
  }

  /// Runs of the backfill that wait are failed; those that have started continue, as in Airflow.
  mutating func cancelBackfill(_ backfill: Int64) {
    guard let entry = backfills[backfill], let dag = dagIndices[entry.backfill.dagID] else {
      return refuse(.unknownBackfill(backfill))
    }
    step.answer(.done)
    // It comes to no further date.
    backfills[backfill]!.backfill.nextDate = nil
    for number in dags[dag].runs {
      let run = runs.index(of: number)!
      guard runs[run].run.backfill == backfill, runs[run].run.state == .queued else { continue }
      cancelRun(run, stop: .cancelled, reason: "its backfill was cancelled")
    }
    // The last run to end has completed it already.
    guard let left = backfills[backfill] else { return }
    step.appendLast(completed(backfill))
    backfills[backfill] = nil
    dags[dag].unfinishedLive += left.unfinished
    dags[dag].runningLive += left.running
  }
}
