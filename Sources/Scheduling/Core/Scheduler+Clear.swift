import Dagrun
import Model

/// Clearing: task instances start over.
extension Scheduler {
  mutating func clear(_ request: ClearRequest) {
    var loaded: [Int64: RunSnapshot] = [:]
    for snapshot in request.loaded { loaded[snapshot.run.number] = snapshot }
    var runs: [Int64] = []
    var taskIDs: [Int64: [String]] = [:]
    for key in request.keys {
      if taskIDs[key.run] == nil { runs.append(key.run) }
      taskIDs[key.run, default: []].append(key.taskID)
    }
    for run in runs {
      if let refusal = reasonNotToClear(run, taskIDs[run]!, loaded[run]) { return refuse(refusal) }
    }
    var cleared: [TaskInstanceKey] = []
    for run in runs {
      guard let slot = open(run, loaded: loaded[run]) else { return }
      cleared += clear(slot, taskIDs[run]!, onNewestVersion: request.onNewestVersion)
    }
    work.reply = .cleared(cleared)
  }

  /// Asked of all runs before anything is changed.
  private func reasonNotToClear(_ run: Int64, _ taskIDs: [String], _ loaded: RunSnapshot?) -> Refusal? {
    let known: Set<String>
    let dagID: String
    if let slot = slotsByRun[run] {
      let entry = slots[Int(slot)]
      known = Set(entry.plan.taskIDs + entry.extras.map(\.taskID))
      dagID = entry.run.dagID
    } else if let loaded, let dag = dagIndices[loaded.run.dagID] {
      if plan(of: loaded.run, dag: dag) == nil, dags[dag].plan == nil { return .unknownDAG(loaded.run.dagID) }
      known = Set(loaded.tasks.map(\.taskID))
      dagID = loaded.run.dagID
    } else {
      return .unknownRun(run)
    }
    let newest = dagIndices[dagID].flatMap { dags[$0].plan }
    for taskID in taskIDs where !known.contains(taskID) && newest?.position(of: taskID) == nil {
      return .unknownTask(dagID: dagID, taskID: taskID)
    }
    return nil
  }

  /// Clears tasks of one run. A task outside the run's selection gives the run all its tasks.
  private mutating func clear(_ slot: Int32, _ taskIDs: [String], onNewestVersion: Bool) -> [TaskInstanceKey] {
    let entry = slots[Int(slot)]
    let newest = dags[entry.dag].plan
    let isOutside = taskIDs.contains { entry.plan.position(of: $0) == nil }
    let regex = isOutside ? nil : entry.plan.taskRegex
    if let newest, onNewestVersion || newest.version == entry.plan.version,
      newest.version != entry.plan.version || regex != entry.plan.taskRegex
    {
      replan(slot, on: newest, regex: regex)
    }
    var cleared: [TaskInstanceKey] = []
    for taskID in taskIDs {
      // Not in the version that the run is now on.
      guard let position = slots[Int(slot)].plan.position(of: taskID) else { continue }
      if clear(TaskPlace(slot: slot, position: Int32(position))) { cleared.append(slots[Int(slot)].key(position)) }
    }
    if !cleared.isEmpty, slots[Int(slot)].run.reason != nil, !slots[Int(slot)].run.state.isFinished {
      touchRun(slot)
      slots[Int(slot)].run.reason = nil
    }
    conclude(slot)
    return cleared
  }

  /// False: there is nothing to clear about it.
  @discardableResult
  mutating func clear(_ place: TaskPlace) -> Bool {
    let slot = Int(place.slot)
    let position = Int(place.position)
    let task = slots[slot].tasks[position]
    switch task.state {
    case .none, .restarting: return false
    case .queued, .running:
      // Starts over when the try that is under way has ended.
      touch(place)
      slots[slot].tasks[position].maxTries = task.tryNumber.addingSaturating(slots[slot].plan.tasks[position].retries)
      work.actions.append(.stop(slots[slot].tryKey(position), .cleared))
      move(place, to: .restarting)
    case .deferred, .awaitingInput:
      work.actions.append(.stop(slots[slot].tryKey(position), .cleared))
      reset(place)
    case .success:
      work.tail.append(.outputRemoved(slots[slot].key(position)))
      reset(place)
    case .removed, .scheduled, .failed, .upForRetry, .upForReschedule, .upstreamFailed, .skipped:
      reset(place)
    }
    return true
  }

  private mutating func reset(_ place: TaskPlace) {
    let slot = Int(place.slot)
    let position = Int(place.position)
    touch(place)
    let retries = slots[slot].plan.tasks[position].retries
    slots[slot].tasks[position].maxTries = slots[slot].tasks[position].tryNumber.addingSaturating(retries)
    slots[slot].tasks[position].startDate = nil
    slots[slot].tasks[position].endDate = nil
    slots[slot].tasks[position].retryAt = nil
    move(place, to: .none)
    evaluateLater(place.slot, place.position)
  }
}
