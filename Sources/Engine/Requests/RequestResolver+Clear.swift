internal import Control
internal import Dagrun
internal import Foundation
internal import Model
internal import Scheduling
internal import Storage

extension RequestResolver {
  func clear(_ selection: TaskSelection, onNewestVersion: Bool) throws(ControlError) -> Outcome {
    let plan = try currentPlan(selection.dagID)
    let runs: [RunSnapshot]
    if let runID = selection.runID {
      runs = [try run(dagID: selection.dagID, runID: runID)]
    } else {
      runs = try stored { () throws(StoreError) in
        try store.runSnapshots(dagID: selection.dagID, from: selection.startDate, through: selection.endDate)
      }
    }
    let named = try selectedTasks(of: plan, selection)
    var cleared: [ClearedTask] = []
    var keys: [TaskInstanceKey] = []
    for run in runs {
      for task in run.tasks where named.contains(task.taskID) && selection.includes(task.state) {
        keys.append(TaskInstanceKey(run: run.run.number, taskID: task.taskID))
        cleared.append(ClearedTask(runID: run.run.runID, taskID: task.taskID, state: task.state))
      }
    }
    // Nothing to clear is not a mistake: a script may clear what failed, and nothing has.
    if selection.isDryRun || keys.isEmpty { return .answer(.cleared(cleared)) }
    let touched = Set(keys.map(\.run))
    let event = Event.clear(
      ClearRequest(
        keys: keys, onNewestVersion: onNewestVersion, loaded: runs.filter { touched.contains($0.run.number) }))
    return .event(event) { reply throws(ControlError) in
      switch reply {
      case .cleared(let done):
        let done = Set(done)
        return .cleared(zip(keys, cleared).filter { done.contains($0.0) }.map(\.1))
      default: return try answer(reply)
      }
    }
  }

  private func selectedTasks(of plan: DAGPlan, _ selection: TaskSelection) throws(ControlError) -> Set<String> {
    guard let regex = selection.taskRegex else { return Set(plan.taskIDs) }
    let named: [String]
    let expression = try expression(regex)
    do {
      named = try expression.matching(plan.taskIDs, whole: false)
    } catch {
      throw ControlError(.invalid, error.description)
    }
    guard !named.isEmpty else {
      throw ControlError(
        .notFound,
        "no task of \"\(plan.dagID)\" matches \"\(regex)\"; `dagrun tasks list \(plan.dagID)` shows those there are")
    }
    return plan.subset(
      of: Set(named), withUpstream: selection.withUpstream, withDownstream: selection.withDownstream)
  }
}

extension TaskSelection {
  /// A task that has not begun has nothing to clear.
  fileprivate func includes(_ state: TaskState) -> Bool {
    if onlyFailed { return state == .failed || state == .upstreamFailed }
    return state != .none && state != .removed
  }
}
