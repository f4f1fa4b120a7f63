internal import Clash
internal import Dagrun
internal import Foundation
internal import Logging
internal import Model
internal import Scheduling
internal import Storage
internal import Workers
internal import Preparation

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

  /// - Throws: also when what the templates give cannot be a job.
  func launchJobs(_ specs: [JobSpec], _ key: TryKey, in run: LaunchedRun) throws {
    let context = run.facts.context
    guard let job = jobDescription(of: key.instance) else { preconditionFailure("\(key): jobs of a task without any") }
    let origins = job.origins(
      JobTask(dagID: context.dagID, runID: context.runID, key: key), homeID: try store.homeID())
    let requests = try zip(specs, origins).map { spec, origin in
      let request = JobRequest(name: origin.jobName, spec: spec, origin: origin)
      let problems = request.problems
      guard problems.isEmpty else { throw LaunchError(problems.joined(separator: "; "), isRetryable: false) }
      return request
    }
    try jobs.start(key, requests) { "\(run.logFolder)/\(LogPath.withinRun(origins[$0].task?.key ?? key))" }
  }

  /// Goes on with the jobs of a try that an earlier scheduler began.
  ///
  /// - Returns: false when the try's work is none of jobs.
  func recoverJobs(_ activeTry: Scheduler.ActiveTry, relaunch: () -> Void) -> Bool {
    let key = activeTry.key
    guard let job = jobDescription(of: key.instance) else { return false }
    // The last scheduler may have stopped it for its timeout, and this one's timers have not fired yet.
    let isToStop = activeTry.state == .restarting || scheduler.hasTimedOut(key, at: now())
    do {
      let known = Set(try store.jobs(of: key).map(\.name))
      if known.isEmpty || (!isToStop && known.count < job.specs.count) {
        // What has not begun begins, the rest goes on: the names are the same.
        if isToStop { tryEnded(key, .stoppedBeforeStart) } else { relaunch() }
        return true
      }
      guard let run = scheduler.run(key.run) else {
        preconditionFailure("\(key): active, and its run is not there")
      }
      let task = JobTask(dagID: run.dagID, runID: run.runID, key: key)
      let origins = job.origins(task, homeID: try store.homeID()).filter { known.contains($0.jobName) }
      try jobs.adopt(key, origins.map(\.jobName)) { [home = options.home] in
        home.logPath(of: origins[$0].task?.key ?? key, dagID: run.dagID, runID: run.runID)
      }
      if isToStop { _ = jobs.stop(key) }
    } catch {
      launchFailed(key, error)
    }
    return true
  }

  /// Jobs of tries that were stopped, or marked as ended, before the last scheduler could remove what they have.
  func removeStrayJobs(except wanted: Set<TryKey>) {
    do {
      try jobs.remove(try strayJobs(except: wanted))
    } catch {
      logger.error(
        "jobs that nobody waits for could not be removed; dagrun job gc does", metadata: ["reason": "\(error)"])
    }
  }

  private func strayJobs(except wanted: Set<TryKey>) throws -> [String] {
    let strays = try store.unfinishedJobs().filter { job in
      guard let task = job.task, !job.isDetached else { return false }
      return !wanted.contains(task.key.member(0))
    }
    return strays.map(\.name)
  }

  /// Jobs that nobody waits for any more and that are not known to be removed. An engine that starts nothing leaves them
  /// to the next one, and they cost money until then.
  package func unwantedJobs() async -> [String] {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        let wanted = scheduler.activeTries.filter { $0.state != .restarting }
        let keys = Set(wanted.map(\.key) + scheduler.deferredTries)
        continuation.resume(returning: isStopped ? [] : (try? strayJobs(except: keys)) ?? [])
      }
    }
  }

  private func jobDescription(of key: TaskInstanceKey) -> ComputeEngineJobDescription? {
    guard let plan = scheduler.plan(ofRun: key.run), let position = plan.position(of: key.taskID),
      case .computeEngineJob(let job) = plan.description.tasks[position].work
    else { return nil }
    return job
  }

  private func jobsOf(_ key: TryKey, _ news: TaskJobs.News) {
    guard !isStopped else { return }
    switch news {
    case .began: pending.append(PendingEvent(.taskStarted(key)))
    case .ended(let outcomes, let names, let wasStopping):
      // A run that was replanned without the task has nobody left who wants to know.
      if let job = jobDescription(of: key.instance) {
        finish(key, TaskResult(outcomes, of: job, names: names, wasStopping: wasStopping))
      }
    }
    handlePending()
  }
}

extension ComputeEngineJobDescription {
  /// Of each of the task's jobs, in order. A job that is not in a group is member 0.
  fileprivate func origins(_ task: JobTask, homeID: String) -> [JobOrigin] {
    specs.indices.map { index in
      var task = task
      if isGroup { task.key.member = Int32(clamping: index + 1) }
      return JobOrigin(homeID: homeID, task: task)
    }
  }
}

extension JobOrigin {
  /// Always the same for a try of a task.
  fileprivate var jobName: String {
    guard let task else { preconditionFailure("a job of no task has a name of its own") }
    return JobName.of(task, homeID: homeID)
  }
}
