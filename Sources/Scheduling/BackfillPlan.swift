package import Dagrun

/// What a backfill will do, readable before it is done.
package struct BackfillPlan: Hashable, Sendable {
  package var rows: [Row]

  package struct Row: Hashable, Sendable {
    package var logicalDate: Timestamp
    package var runID: String
    package var verdict: Verdict

    package init(logicalDate: Timestamp, runID: String, verdict: Verdict) {
      self.logicalDate = logicalDate
      self.runID = runID
      self.verdict = verdict
    }
  }

  package enum Verdict: String, Hashable, Sendable {
    case create
    case clear
    /// Airflow's words for why a run is left alone.
    case inFlight = "in flight"
    case alreadyExists = "already exists"
  }

  package init(rows: [Row]) { self.rows = rows }
}
