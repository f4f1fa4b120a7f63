internal import Clash
package import Dagrun
internal import Dispatch
internal import Foundation
package import Logging
package import Model
package import Preparation
package import Storage

/// Runs containers on machines of Compute Engine that live only for their job.
package final class ComputeEngineExecutor: Executor, @unchecked Sendable {
  package struct Options: Sendable {
    /// The way to Compute Engine, asked for when the first job begins; nil: there is none.
    package var access: (@Sendable () throws -> JobAccess)?
    /// How long ended jobs are remembered.
    package var retention: JobRetention

    package init(access: (@Sendable () throws -> JobAccess)?, retention: JobRetention) {
      self.access = access
      self.retention = retention
    }
  }

  package let id = ExecutorID.computeEngine
  private let options: Options
  private let home: Home
  private let store: StoreConnection
  private let host: ExecutorHost
  private let logger: Logger
  private let jobs: TaskJobs
  private let undriven: TakenJobs
  private var isStopped = false

  /// - Parameter store: the home's database, to read.
  package init(_ options: Options, home: Home, store: StoreConnection, host: ExecutorHost, logger: Logger) {
    (self.options, self.home, self.store, self.host, self.logger) = (options, home, store, host, logger)
    jobs = TaskJobs(queue: host.queue, logger: logger) {
      try Self.makeRunner(options, home, logger)
    } report: { event in
      host.report(event)
      host.handleEvents()
    }
    undriven = TakenJobs(
      queue: host.queue, logger: logger, folder: home.jobsPath, logPath: { home.logPath(ofJob: $0) },
      runner: { [jobs] in try jobs.runnerOrCreate() }, ended: host.handleEvents)
  }

  private static func makeRunner(_ options: Options, _ home: Home, _ logger: Logger) throws -> JobRunner {
    guard let makeAccess = options.access else {
      throw LaunchError("this engine has no way to Compute Engine", isRetryable: false)
    }
    do {
      return try home.jobRunner(try makeAccess(), logger: logger)
    } catch let error as StoreError {
      throw error
    } catch {
      // Credentials, prices: another try would find them the same.
      throw LaunchError("\(error)", isRetryable: false)
    }
  }

  // MARK: Tries

  /// - Throws: also when what the templates give cannot be a job.
  package func launch(_ workload: TaskWorkload, in run: RunFacts) throws {
    guard case .jobs(let job, let specs) = workload.work else {
      throw LaunchError("Compute Engine runs jobs, and this task is none", isRetryable: false)
    }
    let task = JobTask(dagID: run.context.dagID, runID: run.context.runID, key: workload.key)
    let origins = job.origins(task, homeID: try store.homeID())
    let requests = try zip(specs, origins).map { spec, origin in
      let request = JobRequest(name: origin.jobName, spec: spec, origin: origin.origin)
      let problems = request.problems
      guard problems.isEmpty else { throw LaunchError(problems.joined(separator: "; "), isRetryable: false) }
      return request
    }
    try jobs.start(workload.key, of: job, requests) { origins[$0].logPath(in: run.logFolder) }
  }

  package func stop(_ key: TryKey) -> Bool { jobs.stop(key) }

  package func recover(_ tries: [ActiveTry], lastBootID: String?) -> [TryKey: Recovery] {
    var found: [TryKey: Recovery] = [:]
    for activeTry in tries {
      do {
        found[activeTry.key] = try recover(activeTry)
      } catch {
        found[activeTry.key] = .failed(error)
      }
    }
    return found
  }

  private func recover(_ activeTry: ActiveTry) throws -> Recovery {
    let key = activeTry.key
    guard let job = activeTry.task.work.job else { return .neverBegan }
    let known = Set(try store.jobs(of: key).map(\.name))
    // What has not begun begins, the rest continues: the names are the same.
    guard !known.isEmpty, activeTry.mustStop || known.count == job.specs.count else { return .neverBegan }
    let task = JobTask(dagID: activeTry.dagID, runID: activeTry.runID, key: key)
    let origins = job.origins(task, homeID: try store.homeID()).filter { known.contains($0.jobName) }
    try jobs.adopt(key, of: job, origins.map(\.jobName)) { origins[$0].logPath(in: activeTry.logFolder) }
    if activeTry.mustStop { _ = jobs.stop(key) }
    return .running
  }

  package var activeCount: Int { jobs.activeCount + undriven.count }

  package func shutDown() {
    isStopped = true
    jobs.stop()
    undriven.stop()
  }

  // MARK: What no try waits for

  package func orphans(except wanted: Set<TryKey>) throws -> [String] {
    try store.unfinishedJobs().filter { job in
      guard let task = job.task, !job.isDetached else { return false }
      return !wanted.contains(task.key.member(0))
    }.map(\.name)
  }

  package func removeOrphans(except wanted: Set<TryKey>) throws { try jobs.remove(try orphans(except: wanted)) }

  package var isRemovingOrphans: Bool { jobs.isRemoving }

  package func cancel(named name: String) -> Bool { jobs.cancel(name) || undriven.cancel(name) }

  package func release(named name: String) -> Bool { undriven.leave(name) }

  package func startMaintenance() {
    forgetOldJobs()
    takeUndrivenJobs()
  }

  private static let takingIntervalSeconds = 30.0

  /// Looks from time to time for jobs that nobody drives.
  private func takeUndrivenJobs() {
    guard !isStopped else { return }
    do {
      undriven.take(try store.unfinishedJobs())
    } catch {
      logger.debug("jobs that nobody drives could not be looked for", metadata: ["reason": "\(error)"])
    }
    host.queue.asyncAfter(deadline: .now() + Self.takingIntervalSeconds) { [weak self] in self?.takeUndrivenJobs() }
  }

  /// Now and each day. On a queue of its own: nothing waits for it.
  private func forgetOldJobs() {
    guard !isStopped, options.retention.days != nil else { return }
    let (retention, home, logger) = (options.retention, home, logger)
    DispatchQueue.global(qos: .utility).async {
      do {
        let count = try retention.forgetJobs(of: home, in: JobStore(path: home.databasePath))
        if count > 0 { logger.info("forgot jobs that ended long ago", metadata: ["jobs": "\(count)"]) }
      } catch {
        logger.warning("old jobs could not be forgotten", metadata: ["reason": "\(error)"])
      }
    }
    host.queue.asyncAfter(wallDeadline: .now() + .seconds(86_400)) { [weak self] in self?.forgetOldJobs() }
  }
}

extension ComputeEngineJobDescription {
  /// Of each of the task's jobs, in order. A job that is not in a group is member 0.
  fileprivate func origins(_ task: JobTask, homeID: String) -> [TaskJobOrigin] {
    specs.indices.map { index in
      var task = task
      if isGroup { task.key.member = Int32(clamping: index + 1) }
      return TaskJobOrigin(homeID: homeID, task: task)
    }
  }
}

/// Where a job of a task comes from, and so what it is called.
private struct TaskJobOrigin {
  var homeID: String
  var task: JobTask

  /// Always the same for a try of a task.
  var jobName: String { JobName.of(task, homeID: homeID) }
  var origin: JobOrigin { JobOrigin(homeID: homeID, task: task) }

  func logPath(in folder: String) -> String { "\(folder)/\(LogPath.withinRun(task.key))" }
}
