import Dagrun
import Model

/// What a step has done so far, and what it has still to look at.
struct StepWork: Sendable {
  /// Changes that come before those of task instances, in order.
  var head: [Change] = []
  /// Changes that come after them.
  var tail: [Change] = []
  var actions: [Action] = []
  var reply: Reply?
  /// The reply is this run, as it is at the end of the step.
  var replyRun: RunIndex?
  var touches: [Touch] = []
  /// Runs whose row changes.
  var changedRuns: [RunIndex] = []
  var createdRuns: [RunIndex] = []
  /// Runs that leave memory when the step is done.
  var endedRuns: [RunIndex] = []

  /// Instances whose rule may have been met. First in, first out, so that what ended first decides first.
  var evaluations: [InstanceIndex] = []
  var runsToCheck: [RunIndex] = []
  var dagsToPromote: [Int] = []
  var backfillsToPromote: [Int64] = []
  var dagsToSchedule: [Int] = []
  /// DAGs whose runs, and so what tasks find in their past, have changed.
  var dagsWithOtherPast: [Int] = []
  var needsRestoring = false
  var notes: [String] = []
  /// Task instances of the runs that were created.
  var createdTasks = 0
  /// Dates of schedules that were passed over.
  var passedDates = 0

  var isSettled: Bool {
    evaluations.isEmpty && runsToCheck.isEmpty && dagsToPromote.isEmpty && backfillsToPromote.isEmpty
      && dagsToSchedule.isEmpty && dagsWithOtherPast.isEmpty
  }

  /// One instance that moves in this step, and where from.
  struct Touch: Sendable {
    var place: InstanceIndex
    var from: TaskState
    var fromTry: Int32
    var reason: String?
    var ended: TryRecord?
  }

  mutating func reset() {
    head.removeAll(keepingCapacity: true)
    tail.removeAll(keepingCapacity: true)
    actions = []
    reply = nil
    replyRun = nil
    touches.removeAll(keepingCapacity: touches.count < 4096)
    changedRuns.removeAll(keepingCapacity: true)
    createdRuns.removeAll(keepingCapacity: true)
    endedRuns.removeAll(keepingCapacity: true)
    evaluations.removeAll(keepingCapacity: evaluations.count < 4096)
    runsToCheck.removeAll(keepingCapacity: true)
    dagsWithOtherPast.removeAll(keepingCapacity: true)
    needsRestoring = false
    notes = []
    createdTasks = 0
    passedDates = 0
  }
}
