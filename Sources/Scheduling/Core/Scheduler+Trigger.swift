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
    let scheduled = request.logicalDate.flatMap { dags[dag].dueRun(on: $0, at: now) }
    let seed = RunSeed(request, standingFor: scheduled, at: now)
    step.answer(withCreated: makeRun(seed, of: dag, on: plan))
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

  private func unfinishedRun(_ dag: Int, _ runID: String) -> DAGRun? {
    dags[dag].unfinishedRunIDs[runID].map { runs[runs.index(of: $0)!].run }
  }

  /// Why a suspended DAG gets no more runs.
  func suspensionRefusal(_ dag: Int) -> Refusal? {
    dags[dag].suspension.map { .dagIsSuspended(dagID: dags[dag].record.dagID, reason: $0) }
  }
}
