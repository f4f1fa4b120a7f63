internal import Control
internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

/// From the names that people use to what there is.
extension RequestResolver {
  func currentPlan(_ dagID: String) throws(ControlError) -> DAGPlan {
    if let plan = plan(dagID) { return plan }
    throw missingDAG(dagID)
  }

  /// Also a DAG whose file is gone may be paused or deleted.
  func knownDAG(_ dagID: String, _ outcome: () -> Outcome) throws(ControlError) -> Outcome {
    if plan(dagID) != nil { return outcome() }
    if try stored({ () throws(StoreError) in try store.dag(dagID) }) != nil { return outcome() }
    throw missingDAG(dagID)
  }

  func missingDAG(_ dagID: String) -> ControlError {
    // Far more than 250 characters, and quick to look for in files and in the database.
    guard dagID.utf8.count <= 65_536 else {
      return ControlError(.notFound, "no DAG has an id of \(dagID.utf8.count) bytes")
    }
    if let refusal = importError(dagID) { return refusal }
    if let meant = Identifier.closest(to: dagID, in: dagIDs()) {
      return ControlError(.notFound, "no DAG \"\(dagID)\"; did you mean \"\(meant)\"?")
    }
    return ControlError(.notFound, "no DAG \"\(dagID)\"; `dagrun dags list` shows those there are")
  }

  func run(dagID: String, runID: String) throws(ControlError) -> RunSnapshot {
    let found = try stored { () throws(StoreError) in
      try store.run(dagID: dagID, runID: runID).map { run throws(StoreError) in
        try store.runSnapshots(numbers: [run.number])
      }
    }
    if let snapshot = found?.first { return snapshot }
    if plan(dagID) == nil, try stored({ () throws(StoreError) in try store.dag(dagID) }) == nil {
      throw missingDAG(dagID)
    }
    throw ControlError(
      .notFound, "DAG \"\(dagID)\" has no run \"\(runID)\"; `dagrun dags list-runs \(dagID)` shows those there are")
  }

  func expression(_ text: String) throws(ControlError) -> BoundedRegex {
    if let expression = BoundedRegex(text) { return expression }
    throw ControlError(.invalid, "\"\(text)\" is not a regular expression")
  }
}
