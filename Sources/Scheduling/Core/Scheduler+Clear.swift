import Dagrun
import Model

/// Clearing: task instances start over.
extension Scheduler {
  mutating func clear(_ request: ClearRequest) {
    var loaded: [Int64: RunSnapshot] = [:]
    for snapshot in request.loaded { loaded[snapshot.run.number] = snapshot }
    var numbers: [Int64] = []
    var keys: [Int64: [TaskInstanceKey]] = [:]
    for key in request.keys {
      if keys[key.run] == nil { numbers.append(key.run) }
      keys[key.run, default: []].append(key)
    }
    for number in numbers {
      if let refusal = reasonNotToClear(number, keys[number]!, loaded[number]) { return refuse(refusal) }
    }
    var cleared: [TaskInstanceKey] = []
    for number in numbers {
      guard let run = open(number, loaded: loaded[number]) else { return }
      cleared += clear(run, keys[number]!, onNewestVersion: request.onNewestVersion)
    }
    step.answer(.cleared(cleared))
  }

  /// Asked of all runs before anything is changed.
  private func reasonNotToClear(_ number: Int64, _ keys: [TaskInstanceKey], _ loaded: RunSnapshot?) -> Refusal? {
    let known: Set<String>
    let dagID: String
    if let entry = runs[number: number] {
      known = Set(entry.plan.taskIDs + entry.instancesOutsidePlan.map(\.taskID))
      dagID = entry.run.dagID
    } else if let loaded, let dag = dagIndices[loaded.run.dagID] {
      if plan(of: loaded.run, dag: dag) == nil, dags[dag].plan == nil { return .unknownDAG(loaded.run.dagID) }
      known = Set(loaded.tasks.map(\.taskID))
      dagID = loaded.run.dagID
    } else {
      return .unknownRun(number)
    }
    let newest = dagIndices[dagID].flatMap { dags[$0].plan }
    for key in keys where !known.contains(key.taskID) && newest?.position(of: key.taskID) == nil {
      return .unknownTask(dagID: dagID, taskID: key.taskID)
    }
    return nil
  }

  /// Clears tasks of one run. A task outside the run's selection gives the run all its tasks.
  private mutating func clear(_ run: RunIndex, _ keys: [TaskInstanceKey], onNewestVersion: Bool) -> [TaskInstanceKey] {
    let entry = runs[run]
    let newest = dags[entry.dag].plan
    let isOutside = keys.contains { entry.plan.position(of: $0.taskID) == nil }
    let regex = isOutside ? nil : entry.plan.taskRegex
    if let newest, onNewestVersion || newest.version == entry.plan.version,
      newest.version != entry.plan.version || regex != entry.plan.taskRegex
    {
      replan(run, on: newest, regex: regex)
    }
    var cleared: [TaskInstanceKey] = []
    for key in keys {
      // None in the version that the run is now on.
      for instance in runs[run].instances(meantBy: key) where clear(InstanceIndex(run: run, offset: instance)) {
        cleared.append(runs[run].key(instance))
      }
    }
    if !cleared.isEmpty, runs[run].run.reason != nil, !runs[run].run.state.isFinished {
      noteChange(of: run)
      runs[run].run.reason = nil
    }
    conclude(run)
    return cleared
  }

  /// False: there is nothing to clear about it.
  @discardableResult
  mutating func clear(_ place: InstanceIndex) -> Bool {
    let task = runs[place]
    switch task.state {
    case .none, .restarting: return false
    // Its element is gone.
    case .removed where runs[place.run].mapIndex(of: place.offset) >= 0: return false
    case .queued, .running:
      // Starts over when the try that is under way has ended.
      noteTransition(of: place)
      runs[place].maxTries = task.tryNumber.addingSaturating(runs.planned(place).retries)
      step.append(.stop(runs[place.run].tryKey(place.offset), .cleared))
      move(place, to: .restarting)
    case .deferred, .awaitingInput:
      step.append(.stop(runs[place.run].tryKey(place.offset), .cleared))
      reset(place)
    case .success:
      step.appendLast(.outputRemoved(runs[place.run].key(place.offset)))
      runs[place.run].setOutput(nil, of: place.offset)
      reset(place)
    case .removed, .scheduled, .failed, .upForRetry, .upForReschedule, .upstreamFailed, .skipped:
      reset(place)
    }
    return true
  }

  mutating func removeOutput(of place: InstanceIndex) {
    guard runs[place].output != nil else { return }
    step.appendLast(.outputRemoved(runs[place.run].key(place.offset)))
    runs[place.run].setOutput(nil, of: place.offset)
  }

  mutating func reset(_ place: InstanceIndex) {
    noteTransition(of: place)
    removeOutput(of: place)
    runs[place].grantTries(runs.planned(place).retries)
    runs[place].startDate = nil
    runs[place].endDate = nil
    runs[place].retryAt = nil
    // It may have chosen in an earlier version of the DAG, and not be a branch in this one.
    if !runs[place.run].choices.isEmpty { choose(place, nil) }
    move(place, to: .none)
    step.evaluateLater(place)
  }
}
