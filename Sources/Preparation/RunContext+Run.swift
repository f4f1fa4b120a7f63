package import Dagrun
package import Model

extension RunContext {
  /// What the tasks of a run know of it, whether the run is in the database or only assumed (`tasks run`, `tasks
  /// render`).
  ///
  /// - Parameter previous: the last run before it that succeeded.
  package init(
    of run: DAGRun, previous: DAGRun?, parameters: [String: JSONValue], variables: [String: String]
  ) {
    self.init(
      dagID: run.dagID, runID: run.runID, logicalDate: run.logicalDate, dataIntervalStart: run.dataInterval?.start,
      dataIntervalEnd: run.dataInterval?.end, runAfter: run.runAfter,
      previousSuccessStart: previous?.effectiveInterval?.start, previousSuccessEnd: previous?.effectiveInterval?.end,
      parameters: parameters, variables: variables)
  }
}
