import Dagrun
import Model

extension Timetable {
  /// The run that the schedule will still make for `date`; nil: it makes none for it, or has made it.
  func dueRun(
    on date: Timestamp, at now: Timestamp, last: Timestamp?, startDate: Timestamp?, endDate: Timestamp?, catchup: Bool
  ) -> DueRun? {
    if let last, date <= last { return nil }
    if let startDate, date < startDate { return nil }
    if let endDate, date > endDate { return nil }
    switch rhythm {
    case .continuous: return nil
    case .once:
      guard last == nil, let startDate, date == startDate else { return nil }
      return DueRun(logicalDate: date, dataInterval: DataInterval(start: date, end: date), runAfter: date)
    case .ticks, .intervals:
      guard let run = first(notBefore: date), run.logicalDate == date else { return nil }
      // Without catchup only the newest of the missed ones is made.
      if !catchup, run.runAfter <= now, let newest = newest(dueAt: now), newest.logicalDate > date { return nil }
      return run
    }
  }
}
