package import Dagrun
package import Model

package enum ControlReply: Codable, Hashable, Sendable {
  case done
  case status(SchedulerStatus)
  case run(RunSummary, created: Bool)
  case backfill(number: Int64, rows: [BackfillRow])
  case cleared([ClearedTask])
  case reasons(state: String, [String])
  case waiting(WaitingRuns)
  case progress(RunProgress)
  case refused(ControlError)
}

package struct SchedulerStatus: Codable, Hashable, Sendable {
  package var pid: Int32
  package var version: String
  package var startedAt: Timestamp
  package var runningTasks: Int
  package var unfinishedRuns: Int

  package init(pid: Int32, version: String, startedAt: Timestamp, runningTasks: Int, unfinishedRuns: Int) {
    self.pid = pid
    self.version = version
    self.startedAt = startedAt
    self.runningTasks = runningTasks
    self.unfinishedRuns = unfinishedRuns
  }
}

package struct RunSummary: Codable, Hashable, Sendable {
  package var number: Int64
  package var dagID: String
  package var runID: String
  package var runType: DAGRunType
  package var state: DAGRunState
  package var logicalDate: Timestamp?
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  package var conf: String
  /// There is no scheduled run of its date: it is this one.
  package var standsForScheduled: Bool

  package init(_ run: DAGRun) {
    number = run.number
    dagID = run.dagID
    runID = run.runID
    runType = run.type
    state = run.state
    logicalDate = run.logicalDate
    startDate = run.startDate
    endDate = run.endDate
    conf = run.conf
    standsForScheduled = run.standsForScheduled
  }
}

package struct BackfillRow: Codable, Hashable, Sendable {
  package var logicalDate: Timestamp
  package var runID: String
  /// `create`, `clear`, `in flight`, `already exists`.
  package var verdict: String

  package init(logicalDate: Timestamp, runID: String, verdict: String) {
    self.logicalDate = logicalDate
    self.runID = runID
    self.verdict = verdict
  }
}

package struct ClearedTask: Codable, Hashable, Sendable {
  package var runID: String
  package var taskID: String
  package var state: TaskState

  package init(runID: String, taskID: String, state: TaskState) {
    self.runID = runID
    self.taskID = taskID
    self.state = state
  }
}

/// One report of a followed run: what moved since the last one.
package struct RunProgress: Codable, Hashable, Sendable {
  package var run: RunSummary
  package var moved: [MovedTask]
  /// Task instances of the run by state.
  package var counts: [String: Int]
  package var isFinal: Bool

  package init(run: RunSummary, moved: [MovedTask], counts: [String: Int], isFinal: Bool) {
    self.run = run
    self.moved = moved
    self.counts = counts
    self.isFinal = isFinal
  }

  package struct MovedTask: Codable, Hashable, Sendable {
    package var taskID: String
    package var state: TaskState
    package var tryNumber: Int
    package var at: Timestamp
    package var reason: String?

    package init(taskID: String, state: TaskState, tryNumber: Int, at: Timestamp, reason: String?) {
      self.taskID = taskID
      self.state = state
      self.tryNumber = tryNumber
      self.at = at
      self.reason = reason
    }
  }
}
