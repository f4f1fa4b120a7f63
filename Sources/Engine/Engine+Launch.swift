internal import Dagrun
internal import Executors
internal import Model
internal import Preparation
internal import Scheduling
internal import Storage
internal import Workers

/// What launching the tasks of one run needs, found out when the first one starts; but for the variables.
struct RunLaunchContext {
  var number: Int64
  var plan: DAGPlan
  var facts: RunFacts
}

extension Engine {
  private var preparer: TaskPreparer { TaskPreparer(dagsFolder: options.dagsFolder) }

  func launch(_ key: TryKey) {
    do {
      let run = try launchedRun(key.run)
      guard let position = run.plan.position(of: key.taskID) else {
        throw LaunchError("the run's DAG has no such task", isRetryable: false)
      }
      let task = run.plan.description.tasks[position]
      let workload = try preparer.prepare(task, key, run.facts, try inputs(of: task, in: run))
      guard let workload else { preconditionFailure("\(key): a task without work was launched") }
      guard let executor = executors.first(where: { $0.id == task.executorID }) else {
        throw LaunchError("there is no executor '\(task.executorID.rawValue)'", isRetryable: false)
      }
      try executor.launch(workload, in: run.facts)
    } catch {
      launchFailed(key, error)
    }
  }

  func launchFailed(_ key: TryKey, _ error: any Error) {
    let (reason, isRetryable) =
      switch error {
      case let error as LaunchError: (error.description, error.isRetryable)
      case let error as PreparationError: (error.description, false)
      default: ("\(error)", true)
      }
    if let logPath = logPath(of: key) { WorkerOutput.note(reason, inLog: logPath) }
    // In the next round of this batch: the step that launched it is still being performed.
    finish(key, TaskResult(.failed(reason: reason, isRetryable: isRetryable)))
  }

  private func inputs(of task: TaskDescription, in run: RunLaunchContext) throws -> TaskInputs {
    let read = task.readOutputs
    guard !read.isEmpty else { return TaskInputs() }
    var inputs = TaskInputs(outputs: try store.outputs(run: run.number, read))
    for id in read where inputs.outputs[id] == nil {
      inputs.missing[id] = scheduler.taskInstance(TaskInstanceKey(run: run.number, taskID: id))?.state.rawValue
    }
    return inputs
  }

  private func launchedRun(_ number: Int64) throws -> RunLaunchContext {
    guard let run = scheduler.run(number), let plan = scheduler.plan(ofRun: number) else {
      preconditionFailure("run \(number) launches a task, and is not there")
    }
    // A run that was cleared may have moved to another version.
    if var known = runs[number], known.plan === plan {
      // What a variable is, a task finds out when it starts, as in Airflow.
      known.facts.context.variables = try store.variableValues()
      return known
    }
    guard let version = try store.version(run.version, dagID: run.dagID) else {
      throw LaunchError("version \(run.version) of DAG \(run.dagID) is not in the database", isRetryable: false)
    }
    let previous = try run.logicalDate.flatMap {
      try store.previousSuccessfulRun(dagID: run.dagID, before: $0)
    }
    let context = RunContext(
      of: run, previous: previous, parameters: try plan.description.resolveParameters(conf: run.conf),
      variables: try store.variableValues())
    let launched = RunLaunchContext(
      number: number, plan: plan,
      facts: RunFacts(
        context: context, logFolder: options.home.logFolder(dagID: run.dagID, runID: run.runID),
        library: version.libraryPath, entry: version.entryName, readTaskIDs: plan.readTaskIDs))
    runs[number] = launched
    return launched
  }

  func logPath(of key: TryKey) -> String? {
    scheduler.run(key.run).map { options.home.logPath(of: key, dagID: $0.dagID, runID: $0.runID) }
  }

  // MARK: What executors report

  func report(_ event: ExecutorEvent) {
    switch event {
    case .began(let key): pending.append(PendingEvent(.taskStarted(key)))
    case .ended(let key, let result):
      let now = clock.now()
      let (start, decision) = scheduler.startAndDecision(of: key.instance)
      finish(key, result.clampingDates(from: start ?? now, to: now).choosing(by: decision))
    case .neverBegan(let key):
      if scheduler.mayBegin(key) { launch(key) } else { finish(key, .stoppedBeforeStart(at: clock.now())) }
    case .orphansRemoved:
      for waiter in removalWaiters { waiter() }
      removalWaiters = []
      tellIfIdle()
    }
  }

  /// In the next round of the batch that is under way.
  func finish(_ key: TryKey, _ result: TaskResult) { pending.append(PendingEvent(.taskFinished(key, result))) }

  func stop(_ key: TryKey) { _ = executors.contains { $0.stop(key) } }
}
