internal import Control
internal import Dagrun
internal import Scheduling

extension ControlError {
  /// The scheduler's refusal, in words.
  init(_ refusal: Refusal) {
    switch refusal {
    case .unknownDAG(let dagID): self.init(.notFound, "no DAG \"\(dagID)\"")
    case .unknownRun(let number): self.init(.notFound, "no run number \(number)")
    case .unknownTask(let dagID, let taskID):
      self.init(.notFound, "DAG \"\(dagID)\" has no task \"\(taskID)\"; `dagrun tasks list \(dagID)` shows its tasks")
    case .unknownPool(let name): self.init(.notFound, "no pool \"\(name)\"; `dagrun pools list` shows those there are")
    case .unknownBackfill(let number):
      self.init(.notFound, "no backfill \(number) is under way\n`dagrun backfill list` shows them")
    case .runExists(let runID, let difference):
      self.init(
        .invalid, "a run \"\(runID)\" exists already, with another \(difference); choose another run id (-r)")
    case .logicalDateTaken(let date, let runID):
      self.init(
        .invalid, "run \"\(runID)\" has the logical date \(date.iso8601) already; clear it to run that date again")
    case .dagIsRunning(let dagID, let runID):
      self.init(.invalid, "DAG \"\(dagID)\" is at work on run \"\(runID)\"; cancel it, or wait until it has ended")
    case .dagIsSuspended(let dagID, let reason):
      self.init(
        .unavailable,
        "DAG \"\(dagID)\" is suspended until the scheduler is started again: the database refuses what would be next\n"
          + "\(reason)\nThis is a defect of dagrun: please report it.")
    case .defaultPoolCannotBeDeleted:
      self.init(
        .invalid, "\(TaskDescription.defaultPool) cannot be deleted; give it another size with `dagrun pools set`")
    case .nothingToDo(let reason): self.init(.nothingToDo, reason)
    case .invalid(let reason): self.init(.invalid, reason)
    }
  }
}
