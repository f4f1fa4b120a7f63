internal import Dagrun
internal import Foundation
internal import GoogleCloud

/// A job while a runner drives it. Confined to the runner's queue.
final class ActiveJob: @unchecked Sendable {
  let name: String
  let beginning: Beginning
  let logPath: String?
  var observer: JobRunner.Observer

  /// As it is in the journal; nil until it was loaded or made.
  var current: Job?
  /// False for a job of which the journal knows nothing yet.
  var isSaved = false
  var log: JobLog?
  var hasLeft = false

  /// What it has not been told yet.
  var inbox: [Input] = []
  /// It waits for the journal to work again, or for an answer of the cloud without which it cannot continue.
  var isHeld = false
  var failuresOfJournal = 0

  var pull: Task<Void, Never>?
  /// Of the last pull: what an earlier one still brings is not looked at.
  private(set) var pullNumber = 0
  var failuresOfPull = 0
  var inspections = 0
  /// When its `nextWake` is looked at.
  var armedWake: Timestamp?
  /// The last one that was reported.
  var metWake: Timestamp?
  private var handOverWaiters: [HandOverWaiter] = []

  private var tasks: [Int: Task<Void, Never>] = [:]
  private var lastTask = 0

  /// How it came here.
  enum Beginning: Sendable {
    case start(JobRequest)
    case adopt
    case attach(project: String, likely: JobRequest?)
  }

  enum Input: Sendable {
    /// First of all, and only then: what was under way is done again.
    case resume(isOverElsewhere: Bool)
    case event(JobEvent)
  }

  init(name: String, beginning: Beginning, logPath: String?, observer: @escaping JobRunner.Observer) {
    self.name = name
    self.beginning = beginning
    self.logPath = logPath
    self.observer = observer
  }

  /// - Parameter body: runs anywhere; is cancelled when the runner leaves the job.
  func spawn(on queue: DispatchQueue, _ body: @escaping @Sendable () async -> Void) {
    lastTask += 1
    let number = lastTask
    tasks[number] = Task {
      await body()
      queue.async { self.tasks[number] = nil }
    }
  }

  func startPull(_ body: @escaping @Sendable (_ number: Int) async -> Void) {
    pullNumber += 1
    let number = pullNumber
    pull = Task { await body(number) }
  }

  func stopPull() {
    pull?.cancel()
    pull = nil
    pullNumber += 1
  }

  func detach() {
    hasLeft = true
    inbox = []
    stopPull()
    for task in tasks.values { task.cancel() }
    tasks = [:]
    for waiter in handOverWaiters { waiter.continuation.resume(returning: false) }
    handOverWaiters = []
  }

  // MARK: Handing over

  private struct HandOverWaiter {
    let toAnybody: Bool
    let continuation: CheckedContinuation<Bool, Never>
  }

  /// - Parameter toAnybody: somebody else will continue with it, though it is not detached.
  func waitUntilHandedOver(toAnybody: Bool, _ continuation: CheckedContinuation<Bool, Never>) {
    handOverWaiters.append(HandOverWaiter(toAnybody: toAnybody, continuation: continuation))
    if let current { tellHandOver(current) }
  }

  func tellHandOver(_ state: Job) {
    guard state.canBeHandedOver else { return }
    for waiter in handOverWaiters where waiter.toAnybody || state.isHandedOver {
      waiter.continuation.resume(returning: true)
    }
    handOverWaiters.removeAll { $0.toAnybody || state.isHandedOver }
  }
}
