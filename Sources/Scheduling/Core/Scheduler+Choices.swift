package import Dagrun
package import Model

/// Tasks that decide over those below them.
extension Scheduler {
  /// What the end of a try is judged by: when it started, and how its output decides over the tasks below it.
  package func startAndDecision(of key: TaskInstanceKey) -> (startDate: Timestamp?, decision: TaskDecision?) {
    guard let place = find(key) else { return (nil, nil) }
    let startDate = runs[place].startDate
    guard runs.planned(place).decides else { return (startDate, nil) }
    let position = runs[place.run].planPosition(of: place.offset)
    return (startDate, runs[place.run].plan.description.tasks[position].decision)
  }

  /// Notes what a task has chosen, and skips the tasks that this excludes, at once.
  ///
  /// - Parameter choice: nil: it has not chosen after all.
  mutating func choose(_ place: InstanceIndex, _ choice: DownstreamChoice?) {
    let run = place.run
    let plan = runs[run].plan
    let position = runs[run].planPosition(of: place.offset)
    guard runs[run].choices.all[plan.taskIDs[position]] != choice else { return }
    // One that is dropped was stored before this step, in which the instance may still be replaced.
    let change = Change.choiceStored(runs[run].key(place.offset), choice)
    if choice == nil { step.append(change) } else { step.appendLast(change) }
    var hadEnded = false
    for excluded in runs[run].choices.set(choice, of: position, in: plan) {
      for instance in runs[run].instances(at: Int(excluded)) {
        hadEnded = hadEnded || runs[run][instance].state == .upstreamFailed
        exclude(InstanceIndex(run: run, offset: instance))
      }
    }
    // What is ready because they could not run may have no reason to, now that they are skipped.
    if hadEnded { retractReady(run) }
  }

  /// As Airflow's `ti_skip_downstream`: skips what has not begun, also when it could not. What has, ends as it will.
  private mutating func exclude(_ place: InstanceIndex) {
    switch runs[place].state {
    // It may have to wait for its past first.
    case .none: step.evaluateLater(place)
    case .scheduled, .upForRetry, .upstreamFailed:
      skip(place, reason: runs[place.run].reason(place.offset, for: .skipped))
    case .removed, .queued, .running, .success, .restarting, .failed, .upForReschedule, .skipped, .deferred,
      .awaitingInput:
      break
    }
  }

  /// No later date of its DAG's schedule is due. Manual runs always count as the latest, as in Airflow.
  func isLatest(_ run: RunIndex) -> Bool {
    let entry = runs[run]
    guard entry.run.type != .manual, let date = entry.run.logicalDate,
      let newest = dags[entry.dag].source.timetable?.newest(dueAt: now)
    else { return true }
    return date >= newest.logicalDate
  }
}
