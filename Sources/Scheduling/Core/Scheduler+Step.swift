import Dagrun
import Model

/// How a step comes together: moves are noted as they happen, and written out at its end.
extension Scheduler {
  /// Notes that an instance is about to change, and where from.
  mutating func noteTransition(of place: InstanceIndex) {
    guard runs[place].transition == 0 else { return }
    runs[place].transition = step.noteTransition(
      of: place, from: runs[place].state, tryNumber: runs[place].tryNumber)
  }

  /// Why the instance changes in this step, in words for a person.
  mutating func setReason(_ reason: String?, of place: InstanceIndex) {
    noteTransition(of: place)
    step[runs[place].transition].reason = reason
  }

  /// The try that has ended with this step's change of the instance.
  mutating func setEnded(_ record: TryRecord, of place: InstanceIndex) {
    noteTransition(of: place)
    step[runs[place].transition].ended = record
  }

  /// Notes that a run's row is about to change.
  mutating func noteChange(of run: RunIndex) {
    guard runs[run].stateBefore == nil else { return }
    runs[run].stateBefore = runs[run].run.state
    step.noteChanged(run)
  }

  mutating func refuse(_ refusal: Refusal) { step.answer(.refused(refusal)) }

  mutating func finishStep() -> Step {
    let made = step.finish(runs)
    // First: an entry that is not used has no instances.
    step.reset(&runs)
    for run in step.takeLeavingRuns() { release(run) }
    return made
  }

  /// Forgets a run.
  private mutating func release(_ run: RunIndex) {
    admission.remove(run, runs[run])
    runs.remove(run)
  }
}
