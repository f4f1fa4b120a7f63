/// A DAG, written at the top level of a file in `dags/`:
///
///     DAG("nightly", schedule: .daily, startDate: "2026-01-01") {
///         let extract = BashOperator("extract", "extract.sh --day \(.ds)")
///         let load = BashOperator("load", "load.sh")
///         extract --> load
///     }
///
/// Nothing runs here: the closure only says which tasks there are.
public struct DAG {
  /// - Parameters:
  ///   - id: letters, digits, `_`, `.` and `-`; at most 250. Unique among all files.
  ///   - schedule: when runs are due; without one, only when triggered.
  ///   - startDate: `2026-01-31`, or with time and zone (ISO 8601; UTC when it has none). No scheduled run before it.
  ///     Without a time it is the beginning of that day in the schedule's time zone.
  ///   - endDate: as `startDate`; without a time, the end of that day. No scheduled run after it.
  ///   - catchup: whether ticks missed since the start date get a run each, or only the newest one.
  ///   - params: what a run can be given (`dagrun trigger -c`), checked when it is triggered.
  ///   - description: what people read of the DAG.
  ///   - defaults: settings of every task that does not say otherwise.
  ///   - maxActiveRuns: unfinished scheduled and manual runs at once.
  ///   - maxActiveTasks: running tasks at once, over all runs of the DAG.
  ///   - dagrunTimeout: a run that takes longer fails.
  ///   - tasks: makes the tasks and draws the arrows.
  @discardableResult
  public init(
    _ id: String, schedule: Schedule = .none, startDate: String? = nil, endDate: String? = nil, catchup: Bool = false,
    params: [Param] = [], tags: [String] = [], description: String = "", defaults: TaskDefaults = .init(),
    maxActiveRuns: Int = 16, maxActiveTasks: Int = 16, dagrunTimeout: Duration? = nil, file: String = #filePath,
    line: Int = #line, tasks: () throws -> Void
  ) rethrows {
    let location = SourceLocation(file: file, line: line)
    var dag = DAGDescription(id: id, location: location)
    dag.schedule = schedule
    dag.catchup = catchup
    dag.parameters = params.map(\.description)
    dag.tags = tags
    dag.documentation = description
    dag.maxActiveRuns = maxActiveRuns
    dag.maxActiveTasks = maxActiveTasks
    dag.dagrunTimeoutSeconds = dagrunTimeout?.inSeconds
    let builder = DAGBuilder(dag, defaults: defaults)
    builder.setDates(start: startDate, end: endDate)
    Registry.begin(builder)
    defer { Registry.end(builder) }
    try tasks()
  }
}

/// Settings of every task of a DAG that does not say otherwise.
public struct TaskDefaults {
  package var retries: Int
  package var retryDelay: Duration
  package var retryBackoff: Double?
  package var maxRetryDelay: Duration?
  package var retryRules: [RetryRule]
  package var executionTimeout: Duration?
  package var triggerRule: TriggerRule
  package var pool: String
  package var poolSlots: Int
  package var priorityWeight: Int
  package var weightRule: WeightRule
  package var dependsOnPast: Bool
  package var environment: [String: Template]
  package var workingDirectory: Template?
  package var runAsUser: String?

  /// - Parameters:
  ///   - retries: how often a failed task is tried again.
  ///   - retryBackoff: each further wait is this many times longer; nil: all are the same.
  ///   - maxRetryDelay: no wait is longer.
  ///   - retryOn: what follows a failure of a certain kind (`DAGTask.retry(on:)`).
  ///   - executionTimeout: a try that takes longer is stopped, and has failed.
  ///   - environment: of shell tasks, on top of what the scheduler was started with.
  ///   - workingDirectory: of shell tasks.
  ///   - runAsUser: the account of shell and Swift tasks (`DAGTask.runAsUser`).
  public init(
    retries: Int = 0, retryDelay: Duration = .minutes(5), retryBackoff: Double? = nil, maxRetryDelay: Duration? = nil,
    retryOn: [RetryRule] = [], executionTimeout: Duration? = nil, triggerRule: TriggerRule = .allSuccess,
    pool: String = "default_pool", poolSlots: Int = 1, priorityWeight: Int = 1, weightRule: WeightRule = .downstream,
    dependsOnPast: Bool = false,
    environment: [String: Template] = [:], workingDirectory: Template? = nil, runAsUser: String? = nil
  ) {
    self.retries = retries
    self.retryDelay = retryDelay
    self.retryBackoff = retryBackoff
    self.maxRetryDelay = maxRetryDelay
    retryRules = retryOn
    self.executionTimeout = executionTimeout
    self.triggerRule = triggerRule
    self.pool = pool
    self.poolSlots = poolSlots
    self.priorityWeight = priorityWeight
    self.weightRule = weightRule
    self.dependsOnPast = dependsOnPast
    self.environment = environment
    self.workingDirectory = workingDirectory
    self.runAsUser = runAsUser
  }
}
