internal import Clash
package import Dagrun
internal import Foundation
internal import Logging
internal import Scheduling
internal import Storage
internal import Workers

/// Tasks whose work is done by jobs on Compute Engine.
extension Engine {
  func makeTaskJobs() -> TaskJobs {
    let options = options
    let logger = logger
    let jobs = TaskJobs(queue: queue, logger: logger) {
      guard let makeAccess = options.jobAccess else {
        throw LaunchError("this engine has no way to Compute Engine", isRetryable: false)
      }
      do {
        return try options.home.jobRunner(try makeAccess(), logger: logger)
      } catch let error as StoreError {
        throw error
      } catch {
        // Credentials, prices: another try would find them the same.
        throw LaunchError("\(error)", isRetryable: false)
      }
    } tell: { [weak self] id, news in
      self?.jobsOf(id, news)
    }
    jobs.removed = { [weak self] in
      guard let self else { return }
      for waiter in removalWaiters { waiter() }
      removalWaiters = []
      tellIfIdle()
    }
    return jobs
  }

  func makeTakenJobs() -> TakenJobs {
    let taken = TakenJobs(
      queue: queue, logger: logger, folder: options.home.jobsPath,
      logPath: { [home = options.home] in home.logPath(ofJob: $0) }, runner: { [jobs] in try jobs.theRunner() })
    taken.ended = { [weak self] in self?.tellIfIdle() }
    return taken
  }

  /// Looks from time to time for jobs that nobody drives.
  func takeJobs() {
    guard !isStopped else { return }
    do {
      takenJobs.take(try store.unfinishedJobs())
    } catch {
      logger.debug("jobs that nobody drives could not be looked for", metadata: ["reason": "\(error)"])
    }
    queue.asyncAfter(deadline: .now() + Self.takingIntervalSeconds) { [weak self] in self?.takeJobs() }
  }

  private static let takingIntervalSeconds = 30.0

  /// As `stop`, but not before all is gone that stopped jobs had in the cloud. Nothing comes between the two: a request to
  /// stop another job is either waited for, or refused.
  package func stopWhenJobsAreRemoved() async {
    await withCheckedContinuation { continuation in
      queue.async { [self] in stopWhenJobsAreRemoved { continuation.resume() } }
    }
  }

  private func stopWhenJobsAreRemoved(_ done: @escaping @Sendable () -> Void) {
    guard !isStopped, jobs.isRemoving else {
      end()
      return done()
    }
    removalWaiters.append { [self] in
      // Whoever calls this is in the middle of something.
      queue.async { [self] in stopWhenJobsAreRemoved(done) }
    }
  }

  /// - Throws: also when a template asks for what is not there, or what it gives cannot be a job.
  func launchJobs(
    _ job: ComputeEngineJobDescription, _ id: TryID, in run: LaunchedRun
  ) throws {
    let read = job.templates.flatMap(\.usedOutputs)
    let outputs = try outputs(of: read, in: run)
    let values = Template.Values(
      run: run.briefing.context, taskID: id.taskID, tryNumber: id.tryNumber, outputs: outputs,
      missing: missingStates(of: read, having: outputs, in: run))
    let context = run.briefing.context
    let origin = JobOrigin(
      homeID: try store.homeID(),
      task: TaskOfJob(
        dagID: context.dagID, runID: context.runID, taskID: id.taskID, tryNumber: id.tryNumber, run: id.run))
    let names = origin.names(of: job)
    let requests = try job.specs.enumerated().map { index, spec in
      var rendered = try spec.render(job.job) { try $0.render(values, for: $1) }
      rendered.environment.merge(JobEnvironment.of(context, taskID: id.taskID, tryNumber: id.tryNumber)) { own, _ in own
      }
      let request = JobRequest(name: names[index], spec: rendered, origin: origin)
      let problems = request.problems
      guard problems.isEmpty else { throw LaunchError(problems.joined(separator: "; "), isRetryable: false) }
      return request
    }
    let path = run.briefing.logPath(taskID: id.taskID, tryNumber: id.tryNumber)
    try jobs.start(id, requests) { job.logPath(of: $0, try: path) }
  }

  /// Goes on with the jobs of a try that an earlier scheduler began.
  ///
  /// - Returns: false when the try's work is none of jobs.
  func recoverJobs(_ activeTry: Scheduler.ActiveTry, relaunch: () -> Void) -> Bool {
    guard let job = jobDescription(of: activeTry.key) else { return false }
    let id = TryID(activeTry.key, tryNumber: activeTry.tryNumber)
    let isToStop = activeTry.stopReason != nil || activeTry.state == .restarting
    do {
      let known = Set(try store.jobs(ofTask: id.taskID, tryNumber: id.tryNumber, run: id.run).map(\.name))
      if known.isEmpty || (!isToStop && known.count < job.specs.count) {
        // What has not begun begins, the rest goes on: the names are the same.
        if isToStop { tryEnded(id, .stoppedBeforeStart) } else { relaunch() }
        return true
      }
      guard let run = scheduler.run(id.run), let path = logPath(id.key, tryNumber: id.tryNumber) else {
        preconditionFailure("\(id): active, and its run is not there")
      }
      let origin = JobOrigin(
        homeID: try store.homeID(),
        task: TaskOfJob(
          dagID: run.dagID, runID: run.runID, taskID: id.taskID, tryNumber: id.tryNumber, run: id.run))
      let members = origin.names(of: job).enumerated().filter { known.contains($0.element) }
      try jobs.adopt(id, members.map(\.element)) { job.logPath(of: members[$0].offset, try: path) }
      if isToStop { _ = jobs.stop(id) }
    } catch {
      launchFailed(id, error)
    }
    return true
  }

  /// Jobs of tries that were stopped, or marked as ended, before the last scheduler could remove what they have.
  func removeStrayJobs(except wanted: Set<TryID>) {
    do {
      try jobs.remove(try strayJobs(except: wanted))
    } catch {
      logger.error(
        "jobs that nobody waits for could not be removed; dagrun job gc does", metadata: ["reason": "\(error)"])
    }
  }

  private func strayJobs(except wanted: Set<TryID>) throws -> [String] {
    let strays = try store.unfinishedJobs().filter { job in
      guard let task = job.task, !job.isDetached else { return false }
      return !wanted.contains(TryID(run: task.run, taskID: task.taskID, tryNumber: task.tryNumber))
    }
    return strays.map(\.name)
  }

  /// Jobs that nobody waits for any more and that are not known to be removed. An engine that starts nothing leaves them
  /// to the next one, and they cost money until then.
  package func unwantedJobs() async -> [String] {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let wanted = scheduler.activeTries.filter { $0.stopReason == nil && $0.state != .restarting }
        let ids = Set(wanted.map { TryID($0.key, tryNumber: $0.tryNumber) })
        continuation.resume(returning: isStopped ? [] : (try? strayJobs(except: ids)) ?? [])
      }
    }
  }

  private func jobDescription(of key: TaskInstanceKey) -> ComputeEngineJobDescription? {
    guard let plan = scheduler.plan(ofRun: key.run), let position = plan.position(of: key.taskID),
      case .computeEngineJob(let job) = plan.description.tasks[position].work
    else { return nil }
    return job
  }

  private func jobsOf(_ id: TryID, _ news: TaskJobs.News) {
    guard !isStopped else { return }
    switch news {
    case .began: pending.append(PendingEvent(.taskStarted(id.key, tryNumber: id.tryNumber)))
    case .ended(let outcomes, let names):
      let stopReason = stopReasons.removeValue(forKey: id)
      // A run that was replanned without the task has nobody left who wants to know.
      if let job = jobDescription(of: id.key) {
        let result = TaskResult(outcomes, of: job, names: names, stopReason: stopReason)
        pending.append(PendingEvent(.taskFinished(id.key, tryNumber: id.tryNumber, result)))
      }
    }
    handlePending()
  }
}

extension ComputeEngineJobDescription {
  /// Each job of a group has a log of its own beside that of the try.
  func logPath(of index: Int, try path: String) -> String {
    isGroup ? "\(path.dropLast(".log".count)).job=\(index + 1).log" : path
  }
}

extension JobOrigin {
  /// What the jobs of a task's try are called, always the same.
  fileprivate func names(of job: ComputeEngineJobDescription) -> [String] {
    guard let task else { preconditionFailure("jobs of no task") }
    return job.specs.indices.map { JobName.of(task, homeID: homeID, member: job.isGroup ? $0 + 1 : nil) }
  }
}

/// What a job knows of its task, as shell tasks do (`TaskEnvironment`).
package enum JobEnvironment {
  package static func of(_ run: RunContext, taskID: String, tryNumber: Int) -> [String: String] {
    [
      "DAGRUN_DAG_ID": run.dagID, "DAGRUN_RUN_ID": run.runID, "DAGRUN_TASK_ID": taskID,
      "DAGRUN_TRY_NUMBER": "\(tryNumber)", "DAGRUN_LOGICAL_DATE": (run.logicalDate ?? run.runAfter).iso8601,
    ]
  }
}
