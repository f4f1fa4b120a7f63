internal import Basics
internal import Dagrun
internal import Processes

/// Decides when another worker process is started. It starts none itself, and is given the time: seconds on the clock
/// of `monotonicSeconds`.
///
/// A worker takes longer to start than a small task to run. So one is started at once only where none is; otherwise
/// when a try has waited for a moment. While tries end fast, more processes than cores only serve to have more results
/// in a commit: then they are added one after the other, which a run of many tasks is worth and a short one is not.
struct WorkerStarter {
  /// What the pool has.
  struct Load {
    /// Tries that no worker has been found for.
    var waiting: Int
    /// Since when the first of them has waited.
    var waitsSince: Double
    var busy: Int
    var starting: Int
    /// Workers that read a DAG file before their first try of it.
    var loading: Int
    /// All of them, in whatever state.
    var workers: Int
  }

  enum Decision: Equatable {
    case start(Int)
    case decideAgain(afterSeconds: Double)
    case startNone
  }

  /// Starting processes, and loading a DAG file, at once is only as good as there are cores for it.
  let maximumStarting: Int

  static let patienceSeconds = 0.003
  static let smallTaskSeconds = 0.0005
  static let growthSeconds = 0.04
  /// A worker more for each such part of a commit: so many small tasks end while it is written.
  static let commitSecondsPerWorker = 0.0002
  /// So many processes in a row end before they are ready, and tries are not held up any longer.
  static let mostFailedStarts = 3

  /// How long tries run, lately, and when the last one ended.
  private var meanSeconds = 0.0
  private var lastEnd = 0.0
  private var lastStart = 0.0
  /// How long a commit takes, lately.
  private var commitSeconds = 0.0
  private var failedStarts = 0
  /// Starts in a row that failed because something was lacking, and until when none is tried.
  private var shortages = 0
  private var pauseEnds = 0.0

  init(maximumStarting: Int) { self.maximumStarting = maximumStarting }

  func isPaused(at now: Double) -> Bool { now < pauseEnds }

  func decide(_ load: Load, at now: Double) -> Decision {
    guard load.waiting > 0 else { return .startNone }
    guard !isPaused(at: now) else { return .decideAgain(afterSeconds: pauseEnds - now) }
    let hasNone = load.busy == 0 && load.starting == 0
    let waited = now - load.waitsSince
    guard hasNone || waited >= Self.patienceSeconds else {
      return .decideAgain(afterSeconds: Self.patienceSeconds - waited)
    }
    let isFast = meanSeconds < Self.smallTaskSeconds && now - lastEnd < Self.patienceSeconds
    if isFast, load.workers > maximumStarting {
      let pause = lastStart + Self.growthSeconds - now
      guard pause <= 0, load.workers < workersForSmallTasks else {
        return .decideAgain(afterSeconds: max(pause, Self.patienceSeconds))
      }
    }
    let most = isFast ? 1 : maximumStarting
    let count = min(most - load.loading, load.waiting) - load.starting
    return count > 0 ? .start(count) : .startNone
  }

  /// All of them run one small task during a commit: the slower the disk, the more results each of its writes is worth.
  private var workersForSmallTasks: Int {
    (4 * maximumStarting).addingSaturating(Int(saturating: commitSeconds / Self.commitSecondsPerWorker))
  }

  // MARK: What has happened

  mutating func workerStarted(at now: Double) { lastStart = now }

  mutating func workerBecameReady() {
    shortages = 0
    failedStarts = 0
  }

  /// - Parameter ranSeconds: nil when it never began.
  mutating func tryEnded(ranSeconds: Double?, at now: Double) {
    if let ranSeconds { meanSeconds += (max(0, ranSeconds) - meanSeconds) / 8 }
    lastEnd = now
  }

  mutating func committed(inSeconds seconds: Double) { commitSeconds += (seconds - commitSeconds) / 8 }

  /// Starts none for a while, each time for longer.
  ///
  /// - Returns: for how many seconds.
  mutating func pause(at now: Double) -> Double {
    shortages += 1
    let pause = Backoff(firstSeconds: 0.1, longestSeconds: 5).seconds(doublings: shortages - 1)
    pauseEnds = now + pause
    return pause
  }

  /// A process ended before it was ready.
  ///
  /// - Returns: whether so many did that the tries that wait should fail.
  mutating func startFailed() -> Bool {
    failedStarts += 1
    guard failedStarts >= Self.mostFailedStarts else { return false }
    failedStarts = 0
    return true
  }
}
