internal import Control
internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

extension RequestResolver {
  func trigger(
    dagID: String, runID: String?, logicalDate: Timestamp?, conf: String
  ) throws(ControlError) -> Outcome {
    let plan = try currentPlan(dagID)
    if let runID, let problem = Identifier.problem(withRunID: runID) {
      throw ControlError(.invalid, "run id \"\(runID)\" \(problem)")
    }
    var request = TriggerRequest(
      dagID: dagID, runID: runID, logicalDate: logicalDate, conf: try canonicalConf(conf, for: plan))
    request.requestedAt = now
    if let runID {
      request.existing = try stored { () throws(StoreError) in try store.run(dagID: dagID, runID: runID) }
    }
    // One that is there already is followed, or reported.
    if request.existing == nil { try checkPools(of: plan.description) }
    if let logicalDate {
      request.holder = try stored { () throws(StoreError) in
        try store.listRuns(RunFilter(dagID: dagID, fromDate: logicalDate, toDate: logicalDate, limit: 1)).first
      }
    }
    if runID == nil {
      // Whatever the run will be called, no other one is: also none that has ended.
      var taken: Set<String> = []
      var refusal: ControlError?
      _ = RunIDs.free(RunIDs.manual(logicalDate ?? now)) { id in
        do throws(ControlError) {
          guard try stored({ () throws(StoreError) in try store.run(dagID: dagID, runID: id) }) != nil else {
            return false
          }
          return taken.insert(id).inserted
        } catch {
          refusal = error
          return false
        }
      }
      if let refusal { throw refusal }
      request.takenRunIDs = taken.sorted()
    }
    return plain(.trigger(request))
  }

  /// Checked against the DAG's parameters; keys sorted, so that equal confs are equal texts.
  func canonicalConf(_ conf: String, for plan: DAGPlan) throws(ControlError) -> String {
    do {
      _ = try plan.description.resolveParameters(conf: conf)
    } catch {
      throw ControlError(.invalid, error.description)
    }
    guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(conf.utf8)) else { return "{}" }
    return value.jsonText
  }

  /// A task that needs more slots than its pool has would wait for ever. A pool without slots is closed for a while.
  func checkPools(of dag: DAGDescription) throws(ControlError) {
    let pools = Dictionary(pools().map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
    for task in dag.tasks {
      guard let pool = pools[task.pool], pool.slots > 0, task.poolSlots > pool.slots else { continue }
      throw ControlError(
        .invalid,
        "\(dag.id) cannot run: its task \(task.id) needs \(task.poolSlots) slots, and pool \(pool.name) has \(pool.slots)"
          + "\nmake the pool larger with 'dagrun pools set \(pool.name) \(task.poolSlots)', or let the task need fewer")
    }
  }
}

extension Identifier {
  /// Run ids hold dates: besides what ids may have, `:` and `+`. They become the names of folders.
  fileprivate static func problem(withRunID id: String) -> String? {
    if id.isEmpty { return "is empty" }
    if id.utf8.count > 240 { return "is longer than 240 bytes" }
    if let problem = problem(withBeginningOf: id) { return problem }
    if id == "." || id == ".." || id.contains("/") || id.unicodeScalars.contains(where: { $0.value < 32 }) {
      return "cannot be the name of a folder: leave out \"/\" and control characters"
    }
    return nil
  }
}
