/// What is known of a run before any of its tasks starts: the same for every task of the run.
package struct RunContext: Codable, Hashable, Sendable {
  package var dagID: String
  package var runID: String
  /// nil for a manual run that was given none.
  package var logicalDate: Timestamp?
  package var dataIntervalStart: Timestamp?
  package var dataIntervalEnd: Timestamp?
  /// When the run was due, or triggered: what `ds` and `ts` fall back on, so that they exist in every run.
  package var runAfter: Timestamp
  package var previousSuccessStart: Timestamp?
  package var previousSuccessEnd: Timestamp?
  /// Defaults and the caller's conf, merged and checked.
  package var parameters: [String: JSONValue]
  /// Of `dagrun variables`.
  package var variables: [String: String]

  package init(
    dagID: String, runID: String, logicalDate: Timestamp? = nil, dataIntervalStart: Timestamp? = nil,
    dataIntervalEnd: Timestamp? = nil, runAfter: Timestamp, previousSuccessStart: Timestamp? = nil,
    previousSuccessEnd: Timestamp? = nil, parameters: [String: JSONValue] = [:], variables: [String: String] = [:]
  ) {
    self.dagID = dagID
    self.runID = runID
    self.logicalDate = logicalDate
    self.dataIntervalStart = dataIntervalStart
    self.dataIntervalEnd = dataIntervalEnd
    self.runAfter = runAfter
    self.previousSuccessStart = previousSuccessStart
    self.previousSuccessEnd = previousSuccessEnd
    self.parameters = parameters
    self.variables = variables
  }
}
