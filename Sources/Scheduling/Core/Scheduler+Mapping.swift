import Dagrun
import Model

/// Mapped tasks: an instance for each element of a list.
///
/// Until the list is known one instance stands for all, without a map index. When rule, setups and past let that one
/// run, it is replaced by the instances, in one change. When the list becomes another one later, because the task that
/// made it was cleared, instances are added, or become `removed`; those that have still an element stay as they are.
extension Scheduler {
  /// Replaces an instance that may run now by one for each element.
  mutating func expand(_ place: InstanceIndex) {
    let run = place.run
    let position = runs[run].planPosition(of: place.offset)
    guard case .known(let count) = runs[run].mappedCount(position) else {
      preconditionFailure("\(runs[run].key(place.offset)) is to run, and its list is not known")
    }
    if let reason = reasonNotToMap(count) {
      end(place, as: .failed, reason)
      return runs[place].endByList()
    }
    let from = forgetTransition(of: place)
    let instances = runs[run].expand(position, to: Int32(count))
    runs[run].counts.move(from: .none, to: .scheduled, Int32(count))
    for offset in instances {
      let instance = InstanceIndex(run: run, offset: offset)
      runs[instance].state = .scheduled
      enqueue(instance)
    }
    guard !runs[run].isCreated else { return }
    step.append(
      .instancesCreated(
        InstanceCreation(
          run: runs[run].run.number, taskID: runs[run].plan.taskIDs[position], indices: 0..<Int32(count),
          instance: runs[run][instances.lowerBound].instance(runs[run].key(instances.lowerBound)), replaced: from)))
  }

  private func reasonNotToMap(_ count: Int) -> String? {
    guard count > limits.maxMapLength else { return nil }
    return "it is mapped over \(count) elements, and --max-map-length allows \(limits.maxMapLength)"
  }

  /// The row of the instance goes: what it was when the step began is what must be there.
  private mutating func forgetTransition(of place: InstanceIndex) -> InstanceCreation.Replaced {
    let number = runs[place].transition
    guard number > 0 else { return .init(runs[place].state, tryNumber: Int(runs[place].tryNumber)) }
    runs[place].transition = 0
    step[number].isDropped = true
    return .init(step[number].from, tryNumber: Int(step[number].fromTry))
  }

  // MARK: Lists that have changed

  /// A task has ended whose output others are mapped over.
  mutating func reviseDownstream(of place: InstanceIndex) {
    let source = runs[place.run].planPosition(of: place.offset)
    // The last of many instances tells how many outputs there are.
    guard !runs[place.run].isExpanded(source) || runs[place.run].expandedCounts(source).unfinished == 0 else { return }
    for position in runs[place.run].plan.downstream[source] where mayBeRevised(Int(position), of: place.run) {
      step.reviseLater(Int(position), of: place.run)
    }
  }

  /// The run has moved to another version, in which lists of the DAG file may have changed.
  mutating func reviseAll(_ run: RunIndex) {
    for position in runs[run].plan.mappings.keys.sorted() where mayBeRevised(Int(position), of: run) {
      step.reviseLater(Int(position), of: run)
    }
  }

  /// It has instances, or one that stands for those to come, and has ended.
  private func mayBeRevised(_ position: Int, of run: RunIndex) -> Bool {
    guard runs[run].plan.tasks[position].isMapped else { return false }
    return runs[run].isExpanded(position) || runs[run][runs[run].instances(at: position).lowerBound].isEndedByList
  }

  mutating func reviseMappings() {
    var revised: [RunIndex] = []
    for (run, position) in step.takeMappings() where !runs[run].run.state.isFinished {
      let before = runs[run].counts
      switch runs[run].mappedCount(position) {
      case .unknown: break
      case .known(let count):
        if runs[run].isExpanded(position), let reason = reasonNotToMap(count) {
          keepOne(position, of: run, as: .failed, reason)
        } else {
          revise(position, of: run, count)
        }
      case .end(.skipped, let reason):
        if runs[run].isExpanded(position) { keepOne(position, of: run, as: .skipped, reason) }
      // The list is not there; its instances end, or not, by their rule.
      case .end: break
      }
      if runs[run].counts != before, revised.last != run { revised.append(run) }
    }
    for run in revised { retractReady(run) }
  }

  private mutating func revise(_ position: Int, of run: RunIndex, _ count: Int) {
    for (index, offset) in runs[run].instances(at: position).enumerated() {
      let place = InstanceIndex(run: run, offset: offset)
      let isRemoved = runs[place].state == .removed
      if index >= count {
        if !isRemoved { discard(place, as: .removed, RunEntry.whyRemoved(count)) }
      } else if isRemoved || runs[place].isEndedByList {
        reset(place)
      }
    }
    guard runs[run].isExpanded(position) else { return }
    if count > runs[run].instances(at: position).count { grow(position, of: run, to: count) }
  }

  /// Nothing can be mapped: the first instance ends so, and stands for all.
  private mutating func keepOne(_ position: Int, of run: RunIndex, as state: TaskState, _ reason: String) {
    for (index, offset) in runs[run].instances(at: position).enumerated() {
      let place = InstanceIndex(run: run, offset: offset)
      let target = index == 0 ? state : .removed
      if runs[place].state != target { discard(place, as: target, reason) }
      if index == 0 { runs[place].endByList() }
    }
  }

  /// Ends an instance whose element is gone.
  private mutating func discard(_ place: InstanceIndex, as state: TaskState, _ reason: String) {
    removeOutput(of: place)
    switch runs[place].state {
    case .queued, .running, .restarting, .deferred, .upForReschedule, .awaitingInput:
      stopTry(place, as: state, stop: .cleared, reason: reason)
    case .none, .removed, .scheduled, .success, .failed, .upForRetry, .upstreamFailed, .skipped:
      end(place, as: state, reason)
    }
  }

  private mutating func end(_ place: InstanceIndex, as state: TaskState, _ reason: String) {
    // What had ended keeps its dates: they are of its try.
    let endDate = runs[place].state.isFinished ? runs[place].endDate : nil
    setReason(reason, of: place)
    runs[place].startDate = runs[place].startDate ?? now
    runs[place].endDate = endDate ?? now
    runs[place].retryAt = nil
    move(place, to: state)
  }

  private mutating func grow(_ position: Int, of run: RunIndex, to count: Int) {
    let old = runs[run].grow(position, to: Int32(count))
    for (index, offset) in runs[run].instances(at: position).enumerated() {
      let place = InstanceIndex(run: run, offset: offset)
      if runs[place].transition > 0 { step[runs[place].transition].place = place }
      if runs[place].state == .none { step.evaluateLater(place) }
      guard index < old.count else { continue }
      // What was in line is put in line where it is now.
      runs[place].isReady = false
      resume(place)
    }
    let first = runs[run].instances(at: position).lowerBound.advanced(by: old.count)
    step.append(
      .instancesCreated(
        InstanceCreation(
          run: runs[run].run.number, taskID: runs[run].plan.taskIDs[position],
          indices: Int32(old.count)..<Int32(count), instance: runs[run][first].instance(runs[run].key(first)))))
  }
}
