import Dagrun

struct UpcomingRun: Hashable {
  var logicalDate: Timestamp
  var runAfter: Timestamp
  var record: Record { ["logical_date": .time(logicalDate), "run_after": .time(runAfter)] }
}
enum UpcomingRuns {
  static func of(_ dag: DAGDescription, after last: Timestamp?, count: Int, now: Timestamp) -> [UpcomingRun] { [] }
}
