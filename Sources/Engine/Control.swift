package import Dagrun
package import Model
internal import Scheduling

/// What a command asks of the scheduler, in names that people use. The engine looks the names up, loads what the pure
/// scheduler does not hold, and turns the request into an `Event`.
package enum ControlRequest: Codable, Hashable, Sendable {
  /// Answered by `.status`.
  case ping
  /// Reads the DAG files again, now. Answered by `.done` when that is through.
  case reload
  case trigger(dagID: String, runID: String?, logicalDate: Timestamp?, conf: String)
  case backfill(BackfillParameters)
  case cancelBackfill(number: Int64)
  case clear(TaskSelection, onNewestVersion: Bool)
  case setTaskState(dagID: String, runID: String, taskID: String, TaskState)
  case setRunState(dagID: String, runID: String, DAGRunState)
  /// Fails a run that is said to be stuck (`WaitingRuns.isStuck`).
  case endStuckRun(dagID: String, runID: String)
  case setPaused(dagID: String, Bool)
  case setPool(name: String, slots: Int, documentation: String, includeDeferred: Bool)
  case deletePool(name: String)
  case deleteDAG(dagID: String)
  /// Answered by `.reasons`.
  case explain(dagID: String, runID: String, taskID: String)
  /// What runs wait for, those that have ended aside. Answered by `.waiting`.
  case waiting(runs: [Int64])
  /// Removes what a task's job has in the cloud; its task fails. Answered by `.done` at once.
  case cancelJob(name: String)
  /// Lets somebody else drive a job that the scheduler has taken over. Answered by `.done` when it has let it go.
  case leaveJob(name: String)
  /// Answered by `.progress`, again and again, until the run has finished; the last one says so.
  case follow(run: Int64)
}

package enum ControlReply: Codable, Hashable, Sendable {
  case done
  case status(SchedulerStatus)
  case run(RunSummary, created: Bool)
  case backfill(number: Int64, rows: [BackfillRow])
  case cleared([ClearedTask])
  case reasons(state: String, [String])
  case waiting(WaitingRuns)
  case progress(RunProgress)
  case refused(ControlRefusal)
}

package struct BackfillParameters: Codable, Hashable, Sendable {
  package var dagID: String
  package var fromDate: Timestamp
  package var toDate: Timestamp
  package var maxActiveRuns = 10
  package var runsBackwards = false
  /// nil: `failed` where a task depends on its past, else `none`.
  package var reprocess: Backfill.ReprocessBehavior?
  package var taskRegex: String?
  package var conf = "{}"
  /// Answer with the plan and change nothing.
  package var isDryRun = false

  package init(dagID: String, fromDate: Timestamp, toDate: Timestamp) {
    self.dagID = dagID
    self.fromDate = fromDate
    self.toDate = toDate
  }
}

/// Which task instances of a DAG a command means.
package struct TaskSelection: Codable, Hashable, Sendable {
  package var dagID: String
  /// Only this run; nil: all runs between the dates.
  package var runID: String?
  /// Task ids in which the regular expression is found; nil: all.
  package var taskRegex: String?
  package var startDate: Timestamp?
  package var endDate: Timestamp?
  package var withUpstream = false
  package var withDownstream = false
  package var onlyFailed = false
  /// Answer with the selection and change nothing.
  package var isDryRun = false

  package init(dagID: String) { self.dagID = dagID }
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

/// Why a request was not done: a kind that decides the exit code, and the words.
package struct ControlRefusal: Error, Codable, Hashable, Sendable {
  package enum Kind: String, Codable, Sendable {
    /// No such DAG, run, task, pool, backfill. Exit code 3.
    case notFound
    /// The request contradicts itself or what is there. Exit code 2.
    case invalid
    /// The DAG's file does not compile or describe. Exit code 4.
    case importError
    /// Exit code 1, as in Airflow's backfill.
    case nothingToDo
    /// The machine failed: disk, database. Exit code 5 when another process holds what is needed.
    case unavailable
    /// Another process is the scheduler of the home. Exit code 5.
    case held
    /// The scheduler left before it answered. What it has committed it answers first, so nothing was done, unless it was
    /// killed. Exit code 5.
    case gone
  }

  package var kind: Kind
  package var message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }
}

/// A way to reach the scheduler of a home: the one in this process, or the one that listens on the home's socket.
package protocol Control: Sendable {
  func send(_ request: ControlRequest) async throws -> ControlReply
  /// Ends after the report with `isFinal`.
  func follow(run: Int64) -> AsyncThrowingStream<RunProgress, any Error>
}
