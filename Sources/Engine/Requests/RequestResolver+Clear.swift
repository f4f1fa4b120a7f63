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
    let (named, selected) = try selectedTasks(of: plan, selection)
    if let index = selection.mapIndex { try checkInstances(index, of: named, in: plan, runs) }
    var cleared: [ClearedTask] = []
    var keys: [TaskInstanceKey] = []
    for run in runs {
      for task in run.tasks where selected.contains(task.taskID) && selection.includes(task.state) {
        // What comes before and after the named instance is cleared whole.
        if let index = selection.mapIndex, task.mapIndex != index, named.contains(task.taskID) { continue }
        keys.append(TaskInstanceKey(run: run.run.number, taskID: task.taskID, mapIndex: task.mapIndex))
        cleared.append(
          ClearedTask(runID: run.run.runID, taskID: task.taskID, mapIndex: task.mapIndex, state: task.state))
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

  /// Those that are named, and all that are selected with them.
  private func selectedTasks(
    of plan: DAGPlan, _ selection: TaskSelection
  ) throws(ControlError) -> (named: Set<String>, all: Set<String>) {
    var named = plan.taskIDs
    if let regex = selection.taskRegex {
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
    }
    if selection.mapIndex != nil {
      let unmapped = named.first
      named.removeAll { !plan.isMapped($0) }
      if named.isEmpty, let unmapped {
        let subject =
          selection.taskRegex == nil ? "\"\(plan.dagID)\" has no task that is mapped" : "\(unmapped) is not mapped"
        throw ControlError(.invalid, subject + ": leave out the map index")
      }
    } else if selection.taskRegex == nil {
      return (Set(named), Set(named))
    }
    let all = plan.subset(
      of: Set(named), withUpstream: selection.withUpstream, withDownstream: selection.withDownstream)
    return (Set(named), all)
  }

  /// An index that no run has is a mistake; runs whose lists are shorter than others' are not.
  private func checkInstances(
    _ index: Int32, of named: Set<String>, in plan: DAGPlan, _ runs: [RunSnapshot]
  ) throws(ControlError) {
    var longest: (taskID: String, count: Int32)?
    for task in runs.lazy.flatMap(\.tasks) where named.contains(task.taskID) {
      if task.mapIndex == index { return }
      if task.mapIndex >= longest?.count ?? 0 { longest = (task.taskID, task.mapIndex.addingSaturating(1)) }
    }
    let found = longest.map { "\($0.taskID) has \($0.count) \($0.count == 1 ? "instance" : "instances"), from 0" }
    throw ControlError(
      .notFound,
      "there is no instance \(index): \(found ?? "\(plan.taskIDs.first(where: named.contains)!) has none yet")")
  }
}

extension TaskSelection {
  /// A task that has not begun has nothing to clear.
  fileprivate func includes(_ state: TaskState) -> Bool {
    if onlyFailed { return state == .failed || state == .upstreamFailed }
    return state != .none && state != .removed
  }
}
