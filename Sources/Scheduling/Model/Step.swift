package import Dagrun
package import Model

/// What follows from an event.
///
/// The caller's duty: commit `changes` (several steps may share one transaction), and only then perform `actions`. When
/// the commit fails, throw the scheduler away and restore one from the database.
package struct Step: Sendable {
  package var changes: [Change] = []
  package var actions: [Action] = []
  /// The answer to a request; nil for facts.
  package var reply: Reply?
  /// After the commit, restore the scheduler from the database: a DAG has come to depend on its past, and the finished
  /// runs that are its past are not in memory.
  package var needsRestoring = false
  /// What happened that the changes do not show, in words for the log.
  package var notes: [String] = []

  package init() {}
}

/// A named transition in the database, guarded by the state it expects.
package enum Change: Hashable, Sendable {
  case runCreated(RunSnapshot)
  case runChanged(RunTransition)
  case taskChanged(TaskTransition)
  /// The run moved to another version of its DAG, or to another selection of its tasks: its row and those of its tasks
  /// are now these, in this order, all of them (tasks that are gone are among them, `removed`). Rows of new tasks are
  /// inserted.
  case runReplanned(RunSnapshot)
  /// The output of a task, as JSON text; replaces that of an earlier try.
  case outputStored(TaskInstanceKey, json: String)
  case outputRemoved(TaskInstanceKey)
  /// What a task has chosen of the tasks below it; nil: nothing any more.
  case choiceStored(TaskInstanceKey, DownstreamChoice?)
  case dagStored(DAGRecord)
  /// With all its runs.
  case dagDeleted(dagID: String)
  case poolStored(Pool)
  case poolDeleted(name: String)
  case backfillCreated(Backfill)
  /// Its runs before `nextDate` are made; nil: all are.
  case backfillContinued(number: Int64, nextDate: Timestamp?)
  case backfillCompleted(number: Int64, at: Timestamp)
}

package struct RunTransition: Hashable, Sendable {
  package var run: Int64
  package var from: DAGRunState
  /// The run as it is from now on.
  package var to: DAGRun

  package init(run: Int64, from: DAGRunState, to: DAGRun) {
    self.run = run
    self.from = from
    self.to = to
  }
}

/// One move of a task instance. Several moves of one instance in a step are one transition, from the first state to the
/// last: a reader never sees what never was.
package struct TaskTransition: Hashable, Sendable {
  package var key: TaskInstanceKey
  package var from: TaskState
  /// The try number before the move: what the row must hold.
  package var fromTry: Int
  /// The instance as it is from now on.
  package var to: TaskInstance
  /// Why, in words for a person; nil where the state says it all.
  package var reason: String?
  /// Set when a try has ended: exit code, signal, usage. The store keeps it with the try.
  package var ended: TryRecord?

  package init(
    key: TaskInstanceKey, from: TaskState, fromTry: Int, to: TaskInstance, reason: String? = nil,
    ended: TryRecord? = nil
  ) {
    self.key = key
    self.from = from
    self.fromTry = fromTry
    self.to = to
    self.reason = reason
    self.ended = ended
  }
}

/// What the engine does once the changes are committed. Idempotent by the try: repeating one is harmless.
package enum Action: Hashable, Sendable {
  case launch(TryKey)
  /// SIGTERM, then SIGKILL after the grace period; the end arrives as `taskFinished`.
  case stop(TryKey, StopReason)

  package enum StopReason: String, Hashable, Sendable {
    case timedOut, cancelled, cleared
  }
}

/// The answer to a request.
package enum Reply: Hashable, Sendable {
  case done
  /// The run made, or the unfinished one that has this id already.
  case run(DAGRun, created: Bool)
  case backfill(Backfill, runs: [BackfillPlan.Row])
  case cleared([TaskInstanceKey])
  case refused(Refusal)
}

/// Why a request was not done. Nothing was changed.
package enum Refusal: Hashable, Sendable {
  case unknownDAG(String)
  case unknownRun(Int64)
  case unknownTask(dagID: String, taskID: String)
  case unknownPool(String)
  case unknownBackfill(Int64)
  /// A run of that id exists with another conf or logical date.
  case runExists(runID: String, differsIn: String)
  /// Another run has that logical date.
  case logicalDateTaken(Timestamp, runID: String)
  case dagIsRunning(dagID: String, runID: String)
  /// The database refuses what the scheduler would do for it.
  case dagIsSuspended(dagID: String, reason: String)
  case defaultPoolCannotBeDeleted
  case nothingToDo(String)
  case invalid(String)
}
