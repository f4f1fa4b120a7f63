internal import Control
internal import Dispatch
internal import Glibc
internal import Logging
internal import Model
internal import Processes

/// Notices that a home was removed or replaced under its scheduler. The lock and the database stay open then, so that
/// everything seems to continue; but the path names others, or nothing, and another scheduler may start there.
///
/// Confined to a queue.
final class HomeWatch: @unchecked Sendable {
  private let home: Home
  private let lock: FileIdentity?
  private let database: FileIdentity?
  private var source: (any DispatchSourceRead)?

  /// - Parameter changed: called on the queue when something of the home was moved or removed.
  init(_ home: Home, lock: SchedulerLock?, queue: DispatchQueue, changed: @escaping () -> Void) {
    self.home = home
    self.lock = lock?.identity
    database = FileIdentity(home.databasePath)
    // Without it the next batch notices.
    let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else { return }
    let mask = UInt32(IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF)
    for path in [home.path, home.lockPath, home.databasePath] { inotify_add_watch(descriptor, path, mask) }
    let source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setCancelHandler { close(descriptor) }
    source.setEventHandler {
      var events = [UInt8](repeating: 0, count: 1 << 12)
      while retrying({ read(descriptor, &events, events.count) }) > 0 {}
      changed()
    }
    source.resume()
    self.source = source
  }

  deinit { source?.cancel() }

  /// What is not there any more, in words; nil when all is as it was.
  var loss: String? {
    for (path, identity) in [(home.lockPath, lock), (home.databasePath, database)] {
      guard let identity, FileIdentity(path) != identity else { continue }
      // A disk that fails shows nothing, and takes nothing away.
      if FileIdentity(path) == nil, errno != ENOENT, errno != ENOTDIR { continue }
      let fate = FileIdentity(path) == nil ? "is gone" : "is another file now"
      return "the home \(home.path) was removed or replaced: \(path) \(fate)"
    }
    return nil
  }
}

extension Engine {
  /// What this engine writes from now on nobody would find, and another scheduler may have begun.
  func leaveIfHomeIsLost() -> Bool {
    dispatchPrecondition(condition: .onQueue(queue))
    guard !isStopped, let loss = homeWatch?.loss else { return false }
    self.loss = "\(loss)\nthis scheduler has left it; start another one"
    logger.critical("this scheduler leaves", metadata: ["reason": "\(loss)"])
    end()
    return true
  }

  /// Returns when the engine has ended: why, when it did so by itself.
  package func waitForLoss() async -> String? {
    await withCheckedContinuation { continuation in
      queue.async { [self] in
        if isStopped {
          continuation.resume(returning: loss)
        } else {
          lossWaiters.append { continuation.resume(returning: $0) }
        }
      }
    }
  }
}
