import Dagrun

/// Many runs over a range of dates.
extension Scheduler {
  mutating func startBackfill(_ request: BackfillRequest) {
    guard let dag = dagIndices[request.dagID], let newest = dags[dag].plan else {
      return refuse(.unknownDAG(request.dagID))
    }
    // What is in memory is newer than what the request brings.
    var existing: [Int64: DAGRun] = [:]
    for snapshot in request.existing { existing[snapshot.run.number] = snapshot.run }
    for number in dags[dag].runs { existing[number] = slots[Int(slotsByRun[number]!)].run }
    let runs = existing.sorted { $0.key < $1.key }.map(\.value)
    let rows: [BackfillPlan.Row]
    switch BackfillPlan.make(request, plan: newest, existing: runs, at: now) {
    case .failure(let refusal): return refuse(refusal)
    case .success(let plan):
      guard !plan.isEmpty else {
        // Perhaps of this very command, which was killed before.
        let unfinished = request.existing.count { existing[$0.run.number]?.state.isFinished == false }
        let advice =
          unfinished == 0
          ? "--reprocess-behavior failed or completed runs them again"
          : "\(unfinished) of them have not ended: a scheduler goes on with them, `dagrun scheduler --until-idle` for example"
        return refuse(.nothingToDo("every run between those dates exists already\n\(advice)"))
      }
      rows = plan.rows
    }
    guard let selected = select(newest, request.taskRegex, dag: dag),
      let timetable = dags[dag].timetable
    else { return refuse(.invalid("\"\(request.taskRegex ?? "")\" is no regular expression")) }

    lastBackfillNumber += 1
    let backfill = Backfill(
      number: lastBackfillNumber, dagID: request.dagID, fromDate: request.fromDate, toDate: request.toDate,
      maxActiveRuns: request.maxActiveRuns, runsBackwards: request.runsBackwards, reprocess: request.reprocess,
      conf: request.conf, taskRegex: request.taskRegex, createdAt: now)
    work.head.append(.backfillCreated(backfill))
    backfills[backfill.number] = BackfillEntry(backfill)
    for row in rows {
      switch row.verdict {
      case .create:
        guard let due = timetable.first(notBefore: row.logicalDate) else { continue }
        createBackfillRun(backfill, row, due, selected, dag)
      case .clear:
        guard let snapshot = request.existing.first(where: { $0.run.runID == row.runID }) else { continue }
        takeOver(snapshot, by: backfill, newest, dag)
      case .inFlight, .alreadyExists: break
      }
    }
    work.reply = .backfill(backfill, runs: rows)
  }

  private mutating func createBackfillRun(
    _ backfill: Backfill, _ row: BackfillPlan.Row, _ due: Timetable.DueRun, _ plan: DAGPlan, _ dag: Int
  ) {
    lastRunNumber += 1
    let run = DAGRun(
      number: lastRunNumber, dagID: backfill.dagID, runID: row.runID, type: .backfill, state: .queued,
      logicalDate: row.logicalDate, dataInterval: due.dataInterval, runAfter: due.runAfter, queuedAt: now,
      conf: backfill.conf, version: plan.version, backfill: backfill.number, taskRegex: backfill.taskRegex)
    _ = createRun(run, plan: plan, dag: dag)
  }

  /// A run that exists is cleared, and is the backfill's from then on.
  private mutating func takeOver(_ snapshot: RunSnapshot, by backfill: Backfill, _ newest: DAGPlan, _ dag: Int) {
    guard let slot = open(snapshot.run.number, loaded: snapshot) else { return }
    let plan = slots[Int(slot)].plan
    if plan.version != newest.version || plan.taskRegex != backfill.taskRegex {
      replan(slot, on: newest, regex: backfill.taskRegex)
    }
    touchRun(slot)
    slots[Int(slot)].run.type = .backfill
    slots[Int(slot)].run.backfill = backfill.number
    if backfill.conf != "{}" { slots[Int(slot)].run.conf = backfill.conf }
    for position in slots[Int(slot)].tasks.indices {
      clear(TaskPlace(slot: slot, position: Int32(position)))
    }
    reopen(slot)
  }

  /// Runs of the backfill that wait are failed; those that have begun go on, as in Airflow.
  mutating func cancelBackfill(_ number: Int64) {
    guard let entry = backfills[number], let dag = dagIndices[entry.backfill.dagID] else {
      return refuse(.unknownBackfill(number))
    }
    work.reply = .done
    for run in dags[dag].runs {
      let slot = slotsByRun[run]!
      guard slots[Int(slot)].run.backfill == number, slots[Int(slot)].run.state == .queued else { continue }
      cancelRun(slot, stop: .cancelled, reason: "its backfill was cancelled")
    }
    // The last run to end has completed it already.
    guard let left = backfills[number] else { return }
    work.tail.append(completed(number))
    backfills[number] = nil
    dags[dag].unfinishedLive += left.unfinished
    dags[dag].runningLive += left.running
  }
}
