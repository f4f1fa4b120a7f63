internal import Control
internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

/// Turns a request in the names that people use into an event for the pure scheduler, with the finished runs that the
/// scheduler does not hold; and the scheduler's reply into an answer.
struct RequestResolver {
  /// The request, ready for the scheduler, or answered already.
  enum Outcome {
    case event(Event, answer: (Reply) throws(ControlError) -> ControlReply)
    case answer(ControlReply)
  }

  let store: StoreConnection
  /// The current plan of a DAG; nil when no file describes it.
  let plan: (_ dagID: String) -> DAGPlan?
  let pools: () -> [Pool]
  /// Ids of all DAGs that have a plan.
  let dagIDs: () -> [String]
  /// What keeps the file of a DAG from describing it; nil when nothing is known to be wrong.
  let importError: (_ dagID: String) -> ControlError?
  let now: Timestamp

  /// - Throws: `ControlError`, with nothing changed.
  func translate(_ request: ControlRequest) throws(ControlError) -> Outcome {
    switch request {
    case .trigger(let dagID, let runID, let logicalDate, let conf):
      try trigger(dagID: dagID, runID: runID, logicalDate: logicalDate, conf: conf)
    case .backfill(let parameters): try backfill(parameters)
    case .cancelBackfill(let number): plain(.cancelBackfill(number: number))
    case .clear(let selection, let onNewestVersion): try clear(selection, onNewestVersion: onNewestVersion)
    case .setTaskState(let dagID, let runID, let taskID, let state):
      try setTaskState(dagID: dagID, runID: runID, taskID: taskID, state)
    case .endStuckRun(let dagID, let runID):
      try runEvent(dagID: dagID, runID: runID) { .endStuckRun(run: $0.run.number, loaded: $0) }
    case .setRunState(let dagID, let runID, let state):
      try runEvent(dagID: dagID, runID: runID) { .setRunState(run: $0.run.number, state, loaded: $0) }
    case .setPaused(let dagID, let isPaused):
      try knownDAG(dagID) { plain(.setPaused(dagID: dagID, isPaused)) }
    case .setPool(let name, let slots, let documentation, let includeDeferred):
      try setPool(Pool(name: name, slots: slots, documentation: documentation, includeDeferred: includeDeferred))
    case .deletePool(let name): plain(.deletePool(name: name))
    case .deleteDAG(let dagID): try knownDAG(dagID) { plain(.deleteDAG(dagID: dagID)) }
    case .ping, .reload, .explain, .waiting, .follow, .cancelJob, .leaveJob:
      preconditionFailure("\(request) is answered by the engine, not by the scheduler")
    }
  }

  // MARK: Requests

  private func setPool(_ pool: Pool) throws(ControlError) -> Outcome {
    if let problem = Identifier.problem(withBeginningOf: pool.name) {
      throw ControlError(.invalid, "the pool's name \"\(pool.name)\" \(problem)")
    }
    return plain(.setPool(pool))
  }

  private func setTaskState(
    dagID: String, runID: String, taskID: String, _ state: TaskState
  ) throws(ControlError) -> Outcome {
    try runEvent(dagID: dagID, runID: runID) { snapshot in
      .setTaskState(TaskInstanceKey(run: snapshot.run.number, taskID: taskID), state, loaded: snapshot)
    }
  }

  private func runEvent(
    dagID: String, runID: String, _ event: (RunSnapshot) -> Event
  ) throws(ControlError) -> Outcome {
    plain(event(try run(dagID: dagID, runID: runID)))
  }

  func plain(_ event: Event) -> Outcome {
    .event(event) { reply throws(ControlError) in try answer(reply) }
  }

  func answer(_ reply: Reply) throws(ControlError) -> ControlReply {
    switch reply {
    case .done: return .done
    case .run(let run, let created): return .run(RunSummary(run), created: created)
    case .backfill(let backfill, let runs):
      return .backfill(number: backfill.number, rows: runs.map(BackfillRow.init))
    case .cleared(let keys): preconditionFailure("\(keys.count) cleared task instances, without a request to clear")
    case .refused(let refusal): throw ControlError(refusal)
    }
  }

  func stored<Value>(_ read: () throws(StoreError) -> Value) throws(ControlError) -> Value {
    do {
      return try read()
    } catch {
      throw ControlError(.unavailable, error.description)
    }
  }
}
