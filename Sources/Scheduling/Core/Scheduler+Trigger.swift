import Dagrun
import Model

/// A person or a program asks for a run.
extension Scheduler {
  mutating func trigger(_ request: TriggerRequest) {
    guard let dag = dagIndices[request.dagID], let plan = dags[dag].plan else {
      return refuse(.unknownDAG(request.dagID))
    }
    if let refusal = suspensionRefusal(dag) { return refuse(refusal) }
    if let runID = request.runID, let problem = RunIDs.problem(with: runID) {
      return refuse(.invalid("run id \"\(runID)\" \(problem)"))
    }
    if let runID = request.runID, let known = unfinishedRun(dag, runID) ?? request.existing {
      return answer(request, with: known)
    }
    if let date = request.logicalDate,
      let holder = unfinishedRun(dag, where: { $0.logicalDate == date }) ?? request.holder
    {
      return refuse(.logicalDateTaken(date, runID: holder.runID))
    }
    let runID =
      request.runID
      ?? freeManualRunID(
        RunIDs.manual(request.logicalDate ?? request.requestedAt ?? now), dag,
        besides: Set(request.takenRunIDs))
    let scheduled = request.logicalDate.flatMap { scheduledRun(dag, plan, on: $0) }
    lastRunNumber += 1
    var run = DAGRun(
      number: lastRunNumber, dagID: request.dagID, runID: runID, type: .manual, state: .queued,
      logicalDate: request.logicalDate, dataInterval: scheduled?.dataInterval, runAfter: now, queuedAt: now,
      conf: request.conf, version: plan.version)
    run.standsForScheduled = scheduled != nil
    step.answer(withCreated: createRun(run, plan: plan, dag: dag))
  }

  /// Asking again for a run that is there finds it; asking for another one by its name is refused.
  private mutating func answer(_ request: TriggerRequest, with known: DAGRun) {
    if known.conf != request.conf {
      refuse(.runExists(runID: known.runID, differsIn: "conf"))
    } else if let date = request.logicalDate, date != known.logicalDate {
      refuse(.runExists(runID: known.runID, differsIn: "logical date"))
    } else {
      step.answer(.run(known, created: false))
    }
  }

  private func unfinishedRun(_ dag: Int, where isMeant: (DAGRun) -> Bool) -> DAGRun? {
    for number in dags[dag].runs {
      let run = runs[runs.index(of: number)!].run
      if isMeant(run) { return run }
    }
    return nil
  }

  /// The run that the schedule has still to make for the date; nil: it makes none for it.
  private func scheduledRun(_ dag: Int, _ plan: DAGPlan, on date: Timestamp) -> Timetable.DueRun? {
    dags[dag].timetable?.dueRun(
      on: date, at: now, last: dags[dag].record.lastScheduled, startDate: plan.description.startDate,
      endDate: plan.description.endDate, catchup: plan.description.catchup)
  }

  /// An id that no run of the DAG bears: none in memory, none that the scheduler was told of.
  func freeRunID(_ id: String, _ dag: Int, besides taken: Set<String> = []) -> String {
    RunIDs.free(id) {
      dags[dag].unfinishedRunIDs[$0] != nil || dags[dag].takenRunIDs.contains($0) || taken.contains($0)
    }
  }

  /// Two requests at one moment have two ids, also when the first run has ended already.
  private mutating func freeManualRunID(_ id: String, _ dag: Int, besides taken: Set<String>) -> String {
    if dags[dag].latestManual.id != id { dags[dag].latestManual = (id, []) }
    let free = freeRunID(id, dag, besides: taken.union(dags[dag].latestManual.given))
    dags[dag].latestManual.given.insert(free)
    return free
  }

  private func unfinishedRun(_ dag: Int, _ runID: String) -> DAGRun? {
    dags[dag].unfinishedRunIDs[runID].map { runs[runs.index(of: $0)!].run }
  }

  /// Why a suspended DAG gets no more runs.
  func suspensionRefusal(_ dag: Int) -> Refusal? {
    dags[dag].suspension.map { .dagIsSuspended(dagID: dags[dag].record.dagID, reason: $0) }
  }
}
