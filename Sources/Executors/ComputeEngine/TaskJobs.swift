internal import Clash
internal import Dagrun
internal import Dispatch
internal import Logging
internal import Model
internal import Workers

/// The tries whose work is done by jobs. A try has one, or those of a group; they outlive this process, and the next
/// scheduler continues with them by their names.
///
/// Confined to the engine's queue. A job that waits costs an entry here.
final class TaskJobs: @unchecked Sendable {
  private struct Work {
    var job: ComputeEngineJobDescription
    var group: JobGroup
    var hasBegun = false
    /// Its jobs were told to stop: if they do, the try ends as stopped.
    var isStopping = false
  }

  private let queue: DispatchQueue
  private let logger: Logger
  private let makeRunner: () throws -> JobRunner
  private let report: (ExecutorEvent) -> Void
  /// Made for the first job: most homes have none.
  private var runner: JobRunner?
  private var tries: [TryKey: Work] = [:]

  init(
    queue: DispatchQueue, logger: Logger, makeRunner: @escaping () throws -> JobRunner,
    report: @escaping (ExecutorEvent) -> Void
  ) {
    self.queue = queue
    self.logger = logger
    self.makeRunner = makeRunner
    self.report = report
  }

  /// Being removed.
  private var orphanedJobs: Set<String> = []

  /// Jobs that nobody waits for have something in the cloud still: it costs money as long as nobody removes it.
  var isRemoving: Bool { !orphanedJobs.isEmpty || tries.values.contains { $0.isStopping } }

  var activeCount: Int { tries.count + orphanedJobs.count }

  /// Begins them, or continues with those that have begun.
  ///
  /// - Throws: when there is no way to the cloud.
  func start(
    _ key: TryKey, of job: ComputeEngineJobDescription, _ requests: [JobRequest], logPath: (_ index: Int) -> String
  ) throws {
    let runner = try runnerOrCreate()
    tries[key] = Work(job: job, group: JobGroup(names: requests.map(\.name)))
    for (index, request) in requests.enumerated() {
      runner.start(request, logPath: logPath(index), observer: observer(key, index))
    }
  }

  /// Continues with jobs that the journal has.
  func adopt(
    _ key: TryKey, of job: ComputeEngineJobDescription, _ names: [String], logPath: (_ index: Int) -> String
  ) throws {
    let runner = try runnerOrCreate()
    tries[key] = Work(job: job, group: JobGroup(names: names))
    for (index, name) in names.enumerated() {
      runner.adopt(name, logPath: logPath(index), observer: observer(key, index))
    }
  }

  /// Removes all that the try's jobs have in the cloud, after which the try ends as cancelled.
  ///
  /// - Returns: false when its work is not a job, or has ended.
  func stop(_ key: TryKey) -> Bool {
    guard tries[key] != nil else { return false }
    tries[key]!.isStopping = true
    for index in tries[key]!.group.cancelAll() { runner?.cancel(tries[key]!.group.names[index]) }
    return true
  }

  /// Cancels one job of a try by its name, as a person wants it.
  ///
  /// - Returns: false when no try has it.
  func cancel(_ name: String) -> Bool {
    guard tries.values.contains(where: { $0.group.names.contains(name) }) else { return false }
    runner?.cancel(name)
    return true
  }

  /// Cancels jobs that nobody waits for.
  func remove(_ names: [String]) throws {
    guard !names.isEmpty else { return }
    let runner = try runnerOrCreate()
    for name in names {
      orphanedJobs.insert(name)
      runner.adopt(name, logPath: nil) { [queue, weak self] update in
        guard case .ended = update else { return }
        let me = self
        queue.async { me?.orphanEnded(name) }
      }
      runner.cancel(name)
    }
  }

  private func orphanEnded(_ name: String) {
    orphanedJobs.remove(name)
    if !isRemoving { report(.orphansRemoved) }
  }

  /// Leaves all jobs; they run on by themselves.
  func stop() {
    runner?.stop()
    tries = [:]
    orphanedJobs = []
  }

  func runnerOrCreate() throws -> JobRunner {
    if let runner { return runner }
    let made = try makeRunner()
    runner = made
    return made
  }

  private func observer(_ key: TryKey, _ index: Int) -> JobRunner.Observer {
    { [queue, weak self] update in
      let me = self
      switch update {
      // What a person wants to read is in the log already.
      case .note, .log: break
      case .began: queue.async { me?.began(key) }
      case .ended(let outcome): queue.async { me?.ended(key, index, outcome) }
      }
    }
  }

  private func began(_ key: TryKey) {
    guard tries[key]?.hasBegun == false else { return }
    tries[key]?.hasBegun = true
    report(.began(key))
  }

  private func ended(_ key: TryKey, _ index: Int, _ outcome: JobOutcome) {
    guard var work = tries[key] else { return }
    for resource in outcome.leftBehind {
      logger.warning(
        "a job has left something behind; dagrun job gc removes it",
        metadata: ["job": "\(work.group.names[index])", "resource": "\(resource)"])
    }
    work.group.ended(index, outcome)
    guard work.group.isFinished else {
      tries[key] = work
      return
    }
    tries[key] = nil
    let outcomes = work.group.outcomes.compactMap { $0 }
    report(
      .ended(key, TaskResult(outcomes, of: work.job, names: work.group.names, wasStopping: work.isStopping)))
    if work.isStopping, !isRemoving { report(.orphansRemoved) }
  }
}
