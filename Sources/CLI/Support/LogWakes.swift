import Dispatch
import Foundation
import Processes

/// When to look at a log again: it was written, or the database that says how its task is.
final class LogWakes: Sendable {
  private let queue = DispatchQueue(label: "dagrun.log-changes")
  private let wakes: AsyncStream<Void>
  private let continuation: AsyncStream<Void>.Continuation
  private let database: FileChanges?
  private let watched: Watched

  /// Folders whose files are watched, as they come to be there.
  private final class Watched: @unchecked Sendable {
    // On the queue.
    var folders: [String: FolderEvents] = [:]
    var missing: Set<String> = []
  }

  /// Watches nothing yet but the database of that path, if there is one.
  init(database path: String? = nil) {
    let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    (self.wakes, self.continuation) = (wakes, continuation)
    watched = Watched()
    let queue = queue
    database = path.flatMap { path in try? FileChanges(of: path, queue: queue) { continuation.yield() } }
  }

  /// Call it before the file is read: what is written from then on ends a wait. Where its folder is not there yet,
  /// calls must be repeated, and waits are short.
  func watch(_ file: String) {
    let folder = (file as NSString).deletingLastPathComponent
    queue.sync {
      guard watched.folders[folder] == nil else { return }
      let events = try? FolderEvents(folder, .modified, queue: queue) { [continuation] _ in continuation.yield() }
      watched.folders[folder] = events
      if events == nil { watched.missing.insert(folder) } else { watched.missing.remove(folder) }
    }
  }

  func wake() { continuation.yield() }

  private static let secondsForMissingFolders = 0.2

  /// Returns when something was written since the last call, or after so long.
  func wait(atMost longest: Double) async throws {
    let hasMissing = queue.sync { !watched.missing.isEmpty }
    let seconds = hasMissing ? min(longest, Self.secondsForMissingFolders) : longest
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + seconds)
    timer.setEventHandler { [continuation] in continuation.yield() }
    timer.resume()
    defer { timer.cancel() }
    var iterator = wakes.makeAsyncIterator()
    _ = await iterator.next()
    try Task.checkCancellation()
  }
}
