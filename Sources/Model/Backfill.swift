package import Dagrun

/// Many runs of one DAG over a range of dates.
package struct Backfill: Hashable, Sendable {
  package var number: Int64
  package var dagID: String
  package var fromDate: Timestamp
  package var toDate: Timestamp
  package var maxActiveRuns: Int
  package var runsBackwards: Bool
  package var reprocess: ReprocessBehavior
  package var conf: String
  /// Only tasks whose whole id matches; nil: all.
  package var taskRegex: String?
  package var createdAt: Timestamp
  package var completedAt: Timestamp?
  /// The first date, in the order in which its runs are made, that it has not come to yet; nil: it has come to all.
  package var nextDate: Timestamp?

  package init(
    number: Int64, dagID: String, fromDate: Timestamp, toDate: Timestamp, maxActiveRuns: Int, runsBackwards: Bool,
    reprocess: ReprocessBehavior, conf: String, taskRegex: String?, createdAt: Timestamp, completedAt: Timestamp? = nil,
    nextDate: Timestamp? = nil
  ) {
    self.number = number
    self.dagID = dagID
    self.fromDate = fromDate
    self.toDate = toDate
    self.maxActiveRuns = maxActiveRuns
    self.runsBackwards = runsBackwards
    self.reprocess = reprocess
    self.conf = conf
    self.taskRegex = taskRegex
    self.createdAt = createdAt
    self.completedAt = completedAt
    self.nextDate = nextDate
  }

  /// What a backfill does with a run that exists already and has ended. Raw values are Airflow's.
  package enum ReprocessBehavior: String, Hashable, Sendable, CaseIterable, Codable {
    case none, failed, completed
  }
}
