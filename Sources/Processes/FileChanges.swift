package import Dispatch
internal import Synchronization

/// Tells that a file was written, or one beside it whose name begins with its. Each change is reported at once, and
/// once more a little later: SQLite writes its log (-wal) before others can read the commit, and nothing reports that
/// moment.
package final class FileChanges: Sendable {
  private static let pauseSeconds = 0.2

  private let queue: DispatchQueue
  private let changed: @Sendable () -> Void
  private let state = Mutex(State())

  private struct State {
    var events: FolderEvents?
    /// The second call is due, and whether there was another change meanwhile.
    var isDue = false
    var isDueAgain = false
  }

  /// The first call comes without a change: about what was written before.
  ///
  /// - Parameter changed: called on the queue.
  /// - Throws: when its folder is not there.
  package init(of path: String, queue: DispatchQueue, changed: @escaping @Sendable () -> Void) throws(SystemError) {
    self.queue = queue
    self.changed = changed
    let cut = path.lastIndex(of: "/") ?? path.startIndex
    let name = String(path[cut...].drop { $0 == "/" })
    let events = try FolderEvents(String(path[..<cut]), .modified, queue: queue) { [weak self] names in
      if names?.contains(where: { $0.hasPrefix(name) }) ?? true { self?.tell() }
    }
    state.withLock { $0.events = events }
    queue.async { [weak self] in self?.tell() }
  }

  private func tell() {
    let isFirst = state.withLock { state in
      defer { (state.isDue, state.isDueAgain) = (true, state.isDue) }
      return !state.isDue
    }
    guard isFirst else { return }
    changed()
    tellLater()
  }

  private func tellLater() {
    queue.asyncAfter(deadline: .now() + Self.pauseSeconds) { [weak self] in
      guard let self else { return }
      let isAgain = state.withLock { state in
        defer { (state.isDue, state.isDueAgain) = (state.isDueAgain, false) }
        return state.isDueAgain
      }
      changed()
      if isAgain { tellLater() }
    }
  }
}
