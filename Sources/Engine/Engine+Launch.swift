internal import Dagrun
internal import Dispatch
internal import Foundation
internal import Model
internal import Processes
internal import Scheduling
internal import Storage
internal import Workers

/// What launching the tasks of one run needs, found out when the first one starts; but for the variables.
struct LaunchedRun {
  var plan: DAGPlan
  var briefing: RunBriefing
  var library: String
  var entry: String
}

/// Why a try could not be begun.
struct LaunchError: Error {
  var reason: String
  var isRetryable: Bool

  init(_ reason: String, isRetryable: Bool) {
    self.reason = reason
    self.isRetryable = isRetryable
  }
}

extension Engine {
  func launch(_ key: TryKey) {
    do {
      let run = try launchedRun(key.run)
      guard let position = run.plan.position(of: key.taskID) else {
        throw LaunchError("the run's DAG has no such task", isRetryable: false)
      }
      let task = run.plan.description.tasks[position]
      if case .computeEngineJob(let job) = task.work { return try launchJobs(job, key, in: run) }
      let assignment = try assignment(of: task, key, in: run)
      guard assignment.work.bytes <= TryAssignment.inputLimitBytes else {
        throw LaunchError(
          "the values that it is given have \(assignment.work.bytes) bytes together, and may have "
            + "\(TryAssignment.inputLimitBytes): hand on files' paths", isRetryable: false)
      }
      pool!.submit(
        PendingTry(
          assignment: assignment, briefing: run.briefing,
          logPath: run.briefing.logPath(of: key)))
    } catch {
      launchFailed(key, error)
    }
  }

  func launchFailed(_ key: TryKey, _ error: any Error) {
    let (reason, isRetryable) =
      switch error {
      case let error as LaunchError: (error.reason, error.isRetryable)
      case let error as RenderError: (error.description, false)
      default: ("\(error)", true)
      }
    let logPath = logPath(of: key)
    if let logPath { WorkerOutput.note(reason, inLog: logPath) }
    // In the next round of this batch: the step that launched it is still being performed.
    finish(key, TaskResult(.failed(reason: reason, isRetryable: isRetryable)))
  }

  private func assignment(of task: TaskDescription, _ key: TryKey, in run: LaunchedRun) throws -> TryAssignment {
    let read = task.readOutputs
    let outputs = try outputs(of: read, in: run)
    let missing = missingStates(of: read, having: outputs, in: run)
    let work = try work(of: task, key, in: run, outputs, missing)
    var assignment = TryAssignment(key, work: work, graceSeconds: options.graceSeconds)
    assignment.outputIsRead = run.plan.readTaskIDs.contains(task.id)
    assignment.missingOutputs = missing
    assignment.user = task.runAsUser
    if case .bash(let script) = task.work { assignment.hidesScript = script.holdsPrivateValues }
    return assignment
  }

  private func work(
    of task: TaskDescription, _ key: TryKey, in run: LaunchedRun, _ outputs: [String: String],
    _ missing: [String: String]
  ) throws -> TryAssignment.Work {
    switch task.work {
    case .swift:
      // What was skipped has no output; a closure that takes an optional gets nil.
      return .swift(library: run.library, entry: run.entry, inputs: task.inputs.map { outputs[$0] ?? "null" })
    case .bash(let script):
      let values = Template.Values(
        run: run.briefing.context, taskID: task.id, tryNumber: key.number, outputs: outputs, missing: missing)
      return .bash(
        script: try script.render(values, for: .shell),
        environment: try task.environment.mapValues { try $0.render(values, for: .plain) },
        workingDirectory: try task.workingDirectory.map { template in
          let path = try template.render(values, for: .plain)
          return path.hasPrefix("/") ? path : options.dagsFolder + "/" + path
        })
    case .empty, .computeEngineJob:
      preconditionFailure("\(task.id): a task without work for a worker was given to one")
    }
  }

  /// Task id -> its state, of those that have no output.
  func missingStates(of taskIDs: [String], having outputs: [String: String], in run: LaunchedRun) -> [String: String] {
    var states: [String: String] = [:]
    for id in taskIDs where outputs[id] == nil {
      let key = TaskInstanceKey(run: run.briefing.run, taskID: id)
      states[id] = scheduler.taskInstance(key)?.state.rawValue
    }
    return states
  }

  func outputs(of taskIDs: [String], in run: LaunchedRun) throws -> [String: String] {
    taskIDs.isEmpty ? [:] : try store.outputs(run: run.briefing.run, taskIDs)
  }

  private func launchedRun(_ number: Int64) throws -> LaunchedRun {
    guard let run = scheduler.run(number), let plan = scheduler.plan(ofRun: number) else {
      preconditionFailure("run \(number) launches a task, and is not there")
    }
    // A run that was cleared may have moved to another version.
    if var known = runs[number], known.plan === plan {
      // What a variable is, a task finds out when it starts, as in Airflow.
      known.briefing.context.variables = try store.variableValues()
      return known
    }
    guard let version = try store.version(run.version, dagID: run.dagID) else {
      throw LaunchError("version \(run.version) of DAG \(run.dagID) is not in the database", isRetryable: false)
    }
    let previous = try run.logicalDate.flatMap {
      try store.previousSuccessfulRun(dagID: run.dagID, before: $0)
    }
    let context = RunContext(
      dagID: run.dagID, runID: run.runID, logicalDate: run.logicalDate, dataIntervalStart: run.dataInterval?.start,
      dataIntervalEnd: run.dataInterval?.end, runAfter: run.runAfter,
      previousSuccessStart: previous?.effectiveInterval?.start,
      previousSuccessEnd: previous?.effectiveInterval?.end,
      parameters: try plan.description.resolveParameters(conf: run.conf), variables: try store.variableValues())
    let launched = LaunchedRun(
      plan: plan,
      briefing: RunBriefing(
        run: number, context: context, logFolder: options.home.logFolder(dagID: run.dagID, runID: run.runID),
        workingDirectory: options.dagsFolder),
      library: version.libraryPath, entry: version.entryName)
    runs[number] = launched
    return launched
  }

  func logPath(of key: TryKey) -> String? {
    scheduler.run(key.run).map { options.home.logPath(of: key, dagID: $0.dagID, runID: $0.runID) }
  }

  // MARK: The end of a try

  func tryEnded(_ key: TryKey, _ end: WorkerPool.TryEnd) {
    switch end {
    case .reported(let result):
      let now = now()
      let start = scheduler.taskInstance(key.instance)?.startDate ?? now
      finish(key, result.clampingDates(from: start, to: now))
    case .workerEnded(let status, let loss): finish(key, TaskResult(workerEnded: status, loss: loss))
    case .lostConnection(let loss): finish(key, TaskResult(.lost(.connectionClosed), loss: loss))
    case .failed(let reason): finish(key, TaskResult(.failed(reason: reason)))
    case .stoppedBeforeStart:
      let date = now()
      finish(key, TaskResult(.stopped(), startDate: date, endDate: date))
    }
  }

  func finish(_ key: TryKey, _ result: TaskResult) { pending.append(PendingEvent(.taskFinished(key, result))) }

  func stop(_ key: TryKey) {
    if jobs.stop(key) { return }
    if pool?.stop(key) == true || adopted?.stop(key) == true { killLater(key) }
  }

  /// The worker kills the task after its grace period. This is for a worker that does not.
  func killLater(_ key: TryKey) {
    queue.asyncAfter(deadline: .now() + options.graceSeconds + 5) { [weak self] in
      guard let self, !isStopped else { return }
      // Neither knows a try that has ended.
      pool?.kill(key)
      adopted?.kill(key)
    }
  }
}
