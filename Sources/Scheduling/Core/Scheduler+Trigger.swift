import Dagrun

/// A person or a program asks for a run.
extension Scheduler {
  mutating func trigger(_ request: TriggerRequest) {
    guard let dag = dagIndices[request.dagID], let plan = dags[dag].plan else {
      return refuse(.unknownDAG(request.dagID))
    }
    if let runID = request.runID, let known = unfinishedRun(dag, where: { $0.runID == runID }) ?? request.existing {
      return answer(request, with: known)
    }
    if let date = request.logicalDate,
      let holder = unfinishedRun(dag, where: { $0.logicalDate == date }) ?? request.holder
    {
      return refuse(.logicalDateTaken(date, runID: holder.runID))
    }
    lastRunNumber += 1
    let run = DAGRun(
      number: lastRunNumber, dagID: request.dagID,
      runID: request.runID ?? freeRunID(dag, for: request.logicalDate ?? now), type: .manual, state: .queued,
      logicalDate: request.logicalDate, dataInterval: nil, runAfter: now, queuedAt: now, conf: request.conf,
      version: plan.version)
    work.replyRun = createRun(run, plan: plan, dag: dag)
  }

  /// Asking again for a run that is there finds it; asking for another one by its name is refused.
  private mutating func answer(_ request: TriggerRequest, with known: DAGRun) {
    if known.conf != request.conf {
      refuse(.runExists(runID: known.runID, differsIn: "conf"))
    } else if let date = request.logicalDate, date != known.logicalDate {
      refuse(.runExists(runID: known.runID, differsIn: "logical date"))
    } else {
      work.reply = .run(known, created: false)
    }
  }

  private func unfinishedRun(_ dag: Int, where isMeant: (DAGRun) -> Bool) -> DAGRun? {
    for number in dags[dag].runs {
      let run = slots[Int(slotsByRun[number]!)].run
      if isMeant(run) { return run }
    }
    return nil
  }

  private func freeRunID(_ dag: Int, for date: Timestamp) -> String {
    let first = "manual__\(date.iso8601)"
    var runID = first
    var count = 1
    while unfinishedRun(dag, where: { $0.runID == runID }) != nil {
      count += 1
      runID = "\(first)_\(count)"
    }
    return runID
  }
}
