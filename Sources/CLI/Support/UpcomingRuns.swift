import Dagrun
import Presentation
import Scheduling

/// The scheduled runs that come next, as the scheduler will make them.
struct UpcomingRun: Hashable {
  var logicalDate: Timestamp
  var runAfter: Timestamp

  var record: OutputObject { ["logical_date": .time(logicalDate), "run_after": .time(runAfter)] }
}

enum UpcomingRuns {
  /// - Parameter last: the logical date of the newest run that the schedule has made.
  static func of(_ dag: DAGDescription, after last: Timestamp?, count: Int, now: Timestamp) -> [UpcomingRun] {
    guard let timetable = Timetable(dag.schedule) else { return [] }
    switch dag.schedule.kind {
    case .none: return []
    case .once:
      let date = dag.startDate ?? now
      return last == nil ? [UpcomingRun(logicalDate: date, runAfter: date)] : []
    case .continuous:
      // Each later one begins when the one before has ended, which nobody knows yet.
      let next = max(now, dag.startDate ?? now)
      return dag.endDate.map { next > $0 } == true ? [] : [UpcomingRun(logicalDate: next, runAfter: next)]
    case .cron, .dataInterval: break
    }
    let earliest = [last.map { $0.adding(microseconds: 1) }, dag.startDate].compactMap(\.self).max()
    var next = earliest.flatMap(timetable.first(notBefore:))
    // Without catchup, of the ticks that were missed only the newest one counts.
    if !dag.catchup || earliest == nil, let newest = timetable.newest(dueAt: now),
      earliest.map({ newest.logicalDate >= $0 }) ?? true
    {
      next = newest
    }
    var runs: [UpcomingRun] = []
    while let run = next, runs.count < count, dag.endDate.map({ run.logicalDate > $0 }) != true {
      runs.append(UpcomingRun(logicalDate: run.logicalDate, runAfter: run.runAfter))
      next = timetable.next(after: run.logicalDate)
    }
    return runs
  }
}
