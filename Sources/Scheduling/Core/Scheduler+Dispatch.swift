import Dagrun
import Model

/// Ready tasks start, as far as limits have room.
extension Scheduler {
  /// Puts a ready instance in line.
  mutating func enqueue(_ place: InstanceIndex) {
    runs[place].isReady = true
    admission.enqueue(place, at: runs[place.run].planPosition(of: place.offset))
  }

  /// Starts the best ready tasks while there is room for any.
  mutating func dispatch() {
    if limits.isOffline { return }
    while let place = admission.next(runs, dags) {
      if runs.planned(place).dependsOnPast, runs[place].state == .scheduled,
        blockingPast(of: place) != nil
      {
        // Its past was cleared since it became ready.
        move(place, to: .none)
      } else {
        start(place)
      }
    }
  }

  private mutating func start(_ place: InstanceIndex) {
    noteTransition(of: place)
    // What was rescheduled or deferred continues, as the same try.
    if runs[place].state != .upForReschedule {
      runs[place].tryNumber = runs[place].tryNumber.addingSaturating(1)
      runs[place].startDate = now
    }
    runs[place].endDate = nil
    runs[place].retryAt = nil
    runs[place].isTimedOut = false
    let isElsewhere = runs.planned(place).isElsewhere
    move(place, to: isElsewhere ? .queued : .running)
    step.append(.launch(runs[place.run].tryKey(place.offset)))
    if !isElsewhere { armExecutionTimeout(place) }
  }
}
