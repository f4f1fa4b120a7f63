import Dagrun
import HeapModule
import Model

/// DAG files, pauses, schedules.
extension Scheduler {
  mutating func dagsLoaded(_ plans: [DAGPlan]) {
    var present: Set<String> = []
    for plan in plans {
      present.insert(plan.dagID)
      let index: Int
      if let known = dagIndices[plan.dagID] {
        index = known
        if dags[index].record.version != plan.version {
          dags[index].record.version = plan.version
          step.append(.dagStored(dags[index].record))
        }
      } else {
        index = dags.count
        dagIndices[plan.dagID] = index
        dags.append(DAGEntry(DAGRecord(dagID: plan.dagID, version: plan.version)))
        step.append(.dagStored(dags[index].record))
      }
      if dags[index].plan?.version != plan.version {
        let hadPast = dags[index].hasPast
        setPlan(plan, of: index)
        if dags[index].hasPast, !hadPast { step.requireRestoring() }
      }
      step.scheduleLater(index)
      step.promoteLater(index)
    }
    for index in dags.indices where !dags[index].isDeleted && !present.contains(dags[index].record.dagID) {
      guard dags[index].record.version != nil else { continue }
      dags[index].record.version = nil
      setPlan(nil, of: index)
      step.append(.dagStored(dags[index].record))
      setNextDue(index)
    }
  }

  mutating func setPlan(_ plan: DAGPlan?, of dag: Int) {
    dags[dag].plan = plan
    dags[dag].source = plan.map { RunSource($0.description) } ?? .none
    for (number, backfill) in backfills where backfill.backfill.dagID == dags[dag].record.dagID {
      backfills[number]!.remaining = nil
    }
  }

  /// Nothing moves by itself in the DAG any more, until the scheduler is restored: the database refuses what would be
  /// next, and refusing it again and again would keep all others waiting.
  package mutating func suspend(_ dagID: String, reason: String) {
    if let dag = dagIndices[dagID] { dags[dag].suspension = reason }
  }

  package func isSuspended(_ dagID: String) -> Bool { dagIndices[dagID].map { dags[$0].suspension != nil } ?? false }

  /// Ids of runs that are not in memory, and that are not to be given again.
  package mutating func takeRunIDs(_ runIDs: Set<String>, of dagID: String) {
    if let dag = dagIndices[dagID] { dags[dag].takenRunIDs.formUnion(runIDs) }
  }

  mutating func setPaused(_ dagID: String, _ isPaused: Bool) {
    guard let dag = dagIndices[dagID] else { return refuse(.unknownDAG(dagID)) }
    step.answer(.done)
    guard dags[dag].record.isPaused != isPaused else { return }
    dags[dag].record.isPaused = isPaused
    step.append(.dagStored(dags[dag].record))
    guard !isPaused else { return }
    step.scheduleLater(dag)
    step.promoteLater(dag)
    for backfill in backfills.values.filter({ $0.backfill.dagID == dagID }).map(\.backfill.number).sorted() {
      step.promoteLater(backfill: backfill)
    }
    for number in dags[dag].runs {
      let run = runs.index(of: number)!
      admission.noteRunRoom(run)
      releaseHeldEmpties(run)
    }
  }

  mutating func deleteDAG(_ dagID: String) {
    guard let dag = dagIndices[dagID] else { return refuse(.unknownDAG(dagID)) }
    if let number = dags[dag].runs.first {
      return refuse(.dagIsRunning(dagID: dagID, runID: runs[runs.index(of: number)!].run.runID))
    }
    for (number, entry) in backfills.sorted(by: { $0.key < $1.key }) where entry.backfill.dagID == dagID {
      backfills[number] = nil
    }
    dagIndices[dagID] = nil
    dags[dag] = DAGEntry(DAGRecord(dagID: dagID, version: nil))
    dags[dag].isDeleted = true
    step.append(.dagDeleted(dagID: dagID))
    step.answer(.done)
  }

  /// Makes the runs that schedules ask for.
  mutating func scheduleRuns() {
    for dag in step.takeSchedules() where !dags[dag].isDeleted {
      makeScheduledRuns(dag)
      setNextDue(dag)
    }
  }

  private mutating func makeScheduledRuns(_ dag: Int) {
    guard limits.makesScheduledRuns, !dags[dag].isHeld, let plan = dags[dag].plan else { return }
    while dags[dag].unfinishedLive < dags[dag].mostUnfinishedRuns, let due = dags[dag].dueRun(at: now) {
      if step.isFull(limits) { return step.postponeSchedule(dag) }
      let isUsed = dags[dag].usedLogicalDates.contains(due.logicalDate)
      dags[dag].record.lastScheduled = due.logicalDate
      dags[dag].usedLogicalDates.removeAll(upTo: due.logicalDate)
      step.append(.dagStored(dags[dag].record))
      if isUsed {
        step.noteSkippedDate(
          "the schedule of \(plan.dagID) makes no run for \(due.logicalDate.iso8601): there is a run of that date")
        continue
      }
      _ = makeRun(RunSeed(due), of: dag, on: plan)
    }
  }

  /// Notes when the DAG's next run is due. While too many of its runs are unfinished, the end of one is waited for
  /// instead.
  mutating func setNextDue(_ dag: Int) {
    let due = dags[dag].findNextDue()
    dags[dag].nextDue = due
    if let due, due > now, limits.makesScheduledRuns {
      timers.insert(Timer(at: due, .schedule, subject: Int64(dag)))
    }
  }
}
