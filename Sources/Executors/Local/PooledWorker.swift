internal import Model
internal import Preparation
internal import Processes
internal import Workers

/// One worker process of this scheduler:  starting -> idle -> busy -> idle … -> leaving -> gone
final class PooledWorker {
  enum State {
    case starting
    case idle
    case busy(QueuedWorkload)
    /// Was told to leave, or has closed its end; its process is waited for.
    case leaving
  }

  let number: Int
  let link: WorkerLink
  var state: State = .starting
  /// The compiled DAG file it has loaded; nil: none yet, it can take any.
  var library: String?
  /// It is reading that file, before it begins its first try of it.
  var isLoading = false
  /// Runs whose context it has, with the variables that it was given.
  var knownRuns: [Int64: [String: String]] = [:]
  var isAwaitingRoom = false
  /// Its task has closed the socket, and the process was killed for it.
  var hasLostConnection = false

  init(number: Int, link: WorkerLink) {
    self.number = number
    self.link = link
  }

  // A worker has two descriptors in the poller: its socket, and its process.
  var socketToken: UInt64 { UInt64(number) << 1 }
  var processToken: UInt64 { UInt64(number) << 1 | 1 }

  /// The result, once the log of a task of another account is where logs are.
  func takingLog(of pending: QueuedWorkload, for result: TaskResult) -> TaskResult {
    guard pending.assignment.workload.user != nil else { return result }
    return result.adding(loss: WorkerFolder.takeLog(link.folder, logPath: pending.logPath))
  }

  /// Kills what the task has started, saves its log, and says how its worker's process ended.
  func resultOfDeath(under pending: QueuedWorkload, journal: WorkerJournal?, _ status: ExitStatus?) -> TaskResult {
    let note =
      hasLostConnection
      ? "the task closed the connection between its process and dagrun"
      : status.map { "the task's process ended with \($0)" }
    let loss = WorkerFolder.cleanUp(link.folder, journal: journal, logPath: pending.logPath, note: note)
    return hasLostConnection
      ? TaskResult(.lost(.connectionClosed), loss: loss) : TaskResult(workerEnded: status, loss: loss)
  }

  /// Nothing of any task is in its memory.
  var isFresh: Bool { library == nil && knownRuns.isEmpty }

  /// Another account's task gets a process that knows of no other one.
  func canRun(_ pending: QueuedWorkload) -> Bool {
    guard pending.assignment.workload.user == nil else { return isFresh }
    return switch (pending.library, library) {
    case (nil, _), (_, nil): true
    case (let wanted, let loaded): wanted == loaded
    }
  }
}

/// A try that has a slot, on its way to a worker.
struct QueuedWorkload {
  var assignment: TryAssignment
  var runMessage: RunContextMessage
  var logPath: String
  /// How many workers ended before they had begun it.
  var attempts = 0
  /// It was told to stop: it is not given to another worker.
  var isStopping = false
  /// On the clock of `monotonicSeconds`, while no worker is free.
  var waitsSince = 0.0

  var library: String? {
    if case .swift(let library, _, _) = assignment.workload.work { library } else { nil }
  }
}
