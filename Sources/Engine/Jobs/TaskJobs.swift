internal import Clash
internal import Dagrun
internal import Dispatch
internal import Logging
internal import Workers

/// The tries whose work is done by jobs. A try has one, or those of a group; they outlive this process, and the next
/// scheduler goes on with them by their names.
///
/// Confined to the engine's queue. A job that waits costs an entry here.
final class TaskJobs: @unchecked Sendable {
  /// What a try's jobs make of it.
  enum News {
    /// The first container runs.
    case began
    /// In the order in which the jobs were given.
    case ended([JobOutcome], names: [String])
  }

  private struct Work {
    var group: JobGroup
    var hasBegun = false
    /// Nobody waits for its result any more.
    var isStopping = false
  }

  private let queue: DispatchQueue
  private let logger: Logger
  private let makeRunner: () throws -> JobRunner
  private let tell: (TryID, News) -> Void
  /// Made for the first job: most homes have none.
  private var runner: JobRunner?
  private var tries: [TryID: Work] = [:]

  init(
    queue: DispatchQueue, logger: Logger, makeRunner: @escaping () throws -> JobRunner,
    tell: @escaping (TryID, News) -> Void
  ) {
    self.queue = queue
    self.logger = logger
    self.makeRunner = makeRunner
    self.tell = tell
  }

  /// Being removed.
  private var strays: Set<String> = []
  /// Called when nothing is being removed any more.
  var removed: () -> Void = {}

  /// Jobs that nobody waits for have something in the cloud still: it costs money as long as nobody removes it.
  var isRemoving: Bool { !strays.isEmpty || tries.values.contains { $0.isStopping } }

  var activeCount: Int { tries.count + strays.count }

  /// Begins them, or goes on with those that have begun.
  ///
  /// - Throws: when there is no way to the cloud.
  func start(_ id: TryID, _ requests: [JobRequest], logPath: (_ index: Int) -> String) throws {
    let runner = try theRunner()
    tries[id] = Work(group: JobGroup(names: requests.map(\.name), at: now()))
    for (index, request) in requests.enumerated() {
      runner.start(request, logPath: logPath(index), observer: observer(id, index))
    }
  }

  /// Goes on with jobs that the journal has.
  func adopt(_ id: TryID, _ names: [String], logPath: (_ index: Int) -> String) throws {
    let runner = try theRunner()
    tries[id] = Work(group: JobGroup(names: names, at: now()))
    for (index, name) in names.enumerated() {
      runner.adopt(name, logPath: logPath(index), observer: observer(id, index))
    }
  }

  /// Removes all that the try's jobs have in the cloud, after which it ends as cancelled.
  ///
  /// - Returns: false when its work is none of jobs, or has ended.
  func stop(_ id: TryID) -> Bool {
    guard tries[id] != nil else { return false }
    tries[id]!.isStopping = true
    for index in tries[id]!.group.cancelAll() { runner?.cancel(tries[id]!.group.names[index]) }
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
    let runner = try theRunner()
    for name in names {
      strays.insert(name)
      runner.adopt(name, logPath: nil) { [queue, weak self] news in
        guard case .ended = news else { return }
        let me = self
        queue.async { me?.strayEnded(name) }
      }
      runner.cancel(name)
    }
  }

  private func strayEnded(_ name: String) {
    strays.remove(name)
    if !isRemoving { removed() }
  }

  /// Lets go of all jobs; they go on by themselves.
  func stop() {
    runner?.stop()
    tries = [:]
    strays = []
  }

  func theRunner() throws -> JobRunner {
    if let runner { return runner }
    let made = try makeRunner()
    runner = made
    return made
  }

  private func observer(_ id: TryID, _ index: Int) -> JobRunner.Observer {
    { [queue, weak self] news in
      let me = self
      switch news {
      // What a person wants to read is in the log already.
      case .note, .log: break
      case .began: queue.async { me?.began(id) }
      case .ended(let outcome): queue.async { me?.ended(id, index, outcome) }
      }
    }
  }

  private func began(_ id: TryID) {
    guard tries[id]?.hasBegun == false else { return }
    tries[id]?.hasBegun = true
    tell(id, .began)
  }

  private func ended(_ id: TryID, _ index: Int, _ outcome: JobOutcome) {
    guard var work = tries[id] else { return }
    for resource in outcome.leftBehind {
      logger.warning(
        "a job has left something behind; dagrun job gc removes it",
        metadata: ["job": "\(work.group.names[index])", "resource": "\(resource)"])
    }
    work.group.ended(index, outcome)
    guard work.group.isFinished else {
      tries[id] = work
      return
    }
    tries[id] = nil
    tell(id, .ended(work.group.outcomes.compactMap { $0 }, names: work.group.names))
    if work.isStopping, !isRemoving { removed() }
  }
}
