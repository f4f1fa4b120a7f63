import Dagrun
import Model

/// What makes runs of a DAG by itself.
enum RunSource: Sendable {
  /// Only people and programs ask for runs.
  case none
  case timetable(Timetable)

  init(_ description: DAGDescription) {
    self = Timetable(description.schedule).map(Self.timetable) ?? .none
  }

  /// nil: its runs are not made for dates.
  var timetable: Timetable? {
    switch self {
    case .none: nil
    case .timetable(let timetable): timetable
    }
  }
}

/// What a DAG's source asks for.
extension DAGEntry {
  /// The run to make at `now`; nil: none is due.
  func dueRun(at now: Timestamp) -> Timetable.DueRun? {
    guard let plan, let timetable = source.timetable else { return nil }
    return timetable.due(
      at: now, last: record.lastScheduled, startDate: plan.description.startDate, endDate: plan.description.endDate,
      catchup: plan.description.catchup)
  }

  /// The run that is still to be made for `date`; nil: none will be.
  func dueRun(on date: Timestamp, at now: Timestamp) -> Timetable.DueRun? {
    guard let plan, let timetable = source.timetable else { return nil }
    return timetable.dueRun(
      on: date, at: now, last: record.lastScheduled, startDate: plan.description.startDate,
      endDate: plan.description.endDate,
      catchup: plan.description.catchup)
  }

  /// When the next run is due; nil: never.
  func findNextDue() -> Timestamp? {
    guard let plan, let timetable = source.timetable, !isDeleted else { return nil }
    return timetable.nextDue(
      last: record.lastScheduled, startDate: plan.description.startDate, endDate: plan.description.endDate)
  }

  /// While so many of its runs have not ended, its source makes no further one.
  var mostUnfinishedRuns: Int {
    source.timetable?.isContinuous == true ? 1 : max(1, plan?.description.maxActiveRuns ?? 1)
  }
}
