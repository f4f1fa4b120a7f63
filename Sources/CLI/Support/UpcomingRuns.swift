import Dagrun
import Scheduling

/// The scheduled runs that come next.
struct UpcomingRun {
  var logicalDate: Timestamp
  var runAfter: Timestamp

  var record: Record { ["logical_date": .time(logicalDate), "run_after": .time(runAfter)] }
}

enum UpcomingRuns {
  static func of(_ dag: DAGDescription, after: Timestamp?, count: Int, now: Timestamp) -> [UpcomingRun] { [] }
}
