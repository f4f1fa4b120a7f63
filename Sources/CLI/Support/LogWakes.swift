import Dispatch
import Foundation
import Processes

/// When to look at a log again: it, or the database that says how its task is, was written.
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
  }

  /// - Parameter database: a path.
  init(database path: String) {
    let (wakes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
    (self.wakes, self.continuation) = (wakes, continuation)
    watched = Watched()
    database = try? FileChanges(of: path, queue: queue) { continuation.yield() }
  }

  /// The file's folder may not be there yet.
  func watch(_ file: String) {
    let folder = (file as NSString).deletingLastPathComponent
    queue.sync {
      guard watched.folders[folder] == nil else { return }
      watched.folders[folder] = try? FolderEvents(folder, .modified, queue: queue) { [continuation] _ in
        continuation.yield()
      }
    }
  }

  /// Returns when something was written since the last call, or after so long.
  func wait(atMost seconds: Double) async throws {
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
