internal import Model
internal import Processes
internal import Workers

/// What becomes of a try whose worker's process has ended under it.
enum TryAfterExit: Equatable {
  /// The worker noted its end before it died.
  case ended(TaskResult)
  /// It had begun, or may have.
  case died
  /// It has not begun, and is not wanted any more.
  case stopped
  /// It has not begun: the machine lacks something, which is not the task's fault.
  case waitsOutShortage
  /// It has not begun, and another worker gets it.
  case goesToAnother
  /// So many workers ended before they could begin it that it fails.
  case fails

  static let mostWorkers = 3

  /// - Parameters:
  ///   - entry: what the journal says of the try.
  ///   - hasJournal: there was one when the worker was ready. Where it cannot be read, it may say that the try has
  ///     begun.
  ///   - workers: how many have ended before they had begun it, with this one.
  init(
    entry: WorkerJournal.Entry?, hasJournal: Bool, status: ExitStatus?, isStopping: Bool, workers: Int
  ) {
    if let result = entry?.result {
      self = .ended(result)
    } else if entry != nil || !hasJournal {
      self = .died
    } else if isStopping {
      self = .stopped
    } else if status == .exited(WorkerExit.shortage) {
      self = .waitsOutShortage
    } else if workers < Self.mostWorkers {
      self = .goesToAnother
    } else {
      self = .fails
    }
  }
}
