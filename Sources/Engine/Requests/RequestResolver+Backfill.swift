internal import Control
internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

extension RequestResolver {
  func backfill(_ parameters: BackfillParameters) throws(ControlError) -> Outcome {
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
      throw ControlError(refusal)
    }
    let runs = try stored { () throws(StoreError) in
      try store.listRuns(
        RunFilter(dagID: parameters.dagID, fromDate: parameters.fromDate, toDate: parameters.toDate))
    }
    switch BackfillPlan.make(request, plan: plan, existing: runs, at: now) {
    case .failure(let refusal): throw ControlError(refusal)
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
}

extension BackfillRow {
  init(_ row: BackfillPlan.Row) {
    self.init(logicalDate: row.logicalDate, runID: row.runID, verdict: row.verdict.rawValue)
  }
}
