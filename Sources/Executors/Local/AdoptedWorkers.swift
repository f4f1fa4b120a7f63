internal import Dispatch
internal import Glibc
internal import Model
internal import Processes
internal import Workers

/// Workers that an earlier scheduler started, and that are still at their last try. They have no connection to this
/// process: their end is told by their pidfds, and the result by their journals.
///
/// Confined to the engine's queue.
final class AdoptedWorkers: @unchecked Sendable {
  struct Worker {
    var folder: String
    var key: TryKey
    var process: ProcessDescriptor
    /// nil: the database does not know the try as active, and nobody waits for its result.
    var logPath: String?
  }

  private let queue: DispatchQueue
  private var workers: [TryKey: (worker: Worker, source: any DispatchSourceRead)] = [:]

  init(queue: DispatchQueue) { self.queue = queue }

  /// Called when the process of a worker has ended.
  var ended: (Worker) -> Void = { _ in }

  /// Calls `ended` when its process has ended, at once if it has already.
  func watch(_ worker: Worker) {
    let source = DispatchSource.makeReadSource(fileDescriptor: worker.process.descriptor, queue: queue)
    workers[worker.key] = (worker, source)
    source.setEventHandler { [weak self] in
      guard let self, let (worker, source) = workers.removeValue(forKey: worker.key) else { return }
      source.cancel()
      ended(worker)
    }
    // Holds the descriptor open for as long as the source looks at it.
    source.setCancelHandler { withExtendedLifetime(worker.process) {} }
    source.resume()
  }

  /// A worker takes SIGTERM as the order to stop its task.
  func stop(_ key: TryKey) -> Bool {
    guard let (worker, _) = workers[key] else { return false }
    worker.process.signal(SIGTERM)
    worker.process.signal(SIGCONT)
    return true
  }

  func kill(_ key: TryKey) { workers[key]?.worker.process.signal(SIGKILL) }

  func stop() {
    for (_, source) in workers.values { source.cancel() }
    workers = [:]
  }
}
