/// What a DAG file says of one task. The closure of a Swift task stays in the compiled file; everything else is here.
package struct TaskDescription: Hashable, Sendable {
  package var id: String
  package var work: Work
  /// Tasks that come before this one: by an arrow or by an output. No duplicates, in the order they were drawn.
  package var upstream: [String] = []
  /// Tasks whose outputs are the arguments of the task's closure, in the closure's order. A subset of `upstream`.
  package var inputs: [String] = []
  /// What it is mapped over; nil: it has one instance in a run. The elements are the first arguments of its closure.
  package var mapping: TaskMapping?

  package var triggerRule: TriggerRule = .allSuccess
  package var role: Role = .work
  package var retries = 0
  package var retryDelaySeconds = 300.0
  /// Each further wait is this much longer; nil means a constant delay.
  package var retryBackoffMultiplier: Double?
  package var maxRetryDelaySeconds: Double?
  /// What follows a failure of a certain kind; the first that fits decides.
  package var failureRules: [FailureRule] = []
  package var executionTimeoutSeconds: Double?
  package var pool = Self.defaultPool
  package var poolSlots = 1
  package var priorityWeight = 1
  package var weightRule: WeightRule = .downstream
  package var dependsOnPast = false
  package var waitForPastDependsBeforeSkipping = false
  /// `max_active_tis_per_dag`: over all runs of the DAG.
  package var maxActivePerDAG: Int?
  /// `max_active_tis_per_dagrun`.
  package var maxActivePerRun: Int?
  package var environment: [String: Template] = [:]
  package var workingDirectory: Template?
  /// The account that a shell or Swift task runs under; nil: that of the scheduler.
  package var runAsUser: String?
  /// nil: where such work usually runs (`executorID`).
  package var executor: ExecutorID?
  /// What it decides over the tasks right below it; nil: nothing.
  package var decision: TaskDecision?
  /// The id of the innermost group it is in; empty: it is in none.
  package var groupID = ""
  package var documentation = ""
  package var location: SourceLocation

  package static let defaultPool = "default_pool"

  package init(id: String, work: Work, location: SourceLocation) {
    self.id = id
    self.work = work
    self.location = location
  }

  package enum Work: Hashable, Sendable {
    /// Nothing to run: finishes as soon as it may start.
    case empty
    /// A script for bash.
    case bash(script: Template)
    /// A script for bash that a closure in the compiled file makes of its arguments.
    case madeScript
    /// A closure in the compiled file, found by the DAG's and the task's id.
    case swift
    /// A container on a VM that lives only for this task.
    case computeEngineJob(ComputeEngineJobDescription)
  }

  /// Where it runs.
  package var executorID: ExecutorID { executor ?? work.defaultExecutor }

  package enum Role: Codable, Hashable, Sendable {
    case work
    case setup
    /// Runs after everything between it and its setups; its failure fails the run only if asked.
    case teardown(setups: [String], failsRun: Bool)
  }
}

/// How the priority of a task counts its relatives. Raw values are Airflow's.
public enum WeightRule: String, Codable, Hashable, Sendable, CaseIterable {
  /// Own weight plus that of all tasks downstream: what holds up the most goes first.
  case downstream
  /// Own weight plus that of all tasks upstream: runs that are nearly done go first.
  case upstream
  /// Own weight only.
  case absolute
}

/// When a task may start, given how its upstream tasks ended. Raw values and meanings are Airflow's
/// (`airflow.task.trigger_rule.TriggerRule`).
public enum TriggerRule: String, Codable, Hashable, Sendable, CaseIterable {
  case allSuccess = "all_success"
  case allFailed = "all_failed"
  case allDone = "all_done"
  case allDoneMinOneSuccess = "all_done_min_one_success"
  case allDoneSetupSuccess = "all_done_setup_success"
  case oneSuccess = "one_success"
  case oneFailed = "one_failed"
  case oneDone = "one_done"
  case noneFailed = "none_failed"
  case noneFailedMinOneSuccess = "none_failed_min_one_success"
  case noneSkipped = "none_skipped"
  case allSkipped = "all_skipped"
  case always
}

/// A place in a DAG file.
package struct SourceLocation: Codable, Hashable, Sendable {
  /// As the compiler was given it; empty when unknown.
  package var file: String
  /// From 1; 0 when unknown.
  package var line: Int

  package init(file: String, line: Int) {
    self.file = file
    self.line = line
  }
}
