internal import Dispatch
internal import Foundation
package import Processes

/// Waits until a condition holds that follows from files, and looks again whenever something in the folder has changed.
///
/// - Parameter folder: it need not be there yet.
/// - Returns: false when the condition does not hold after so many seconds.
package func wait(
  forChangesIn folder: String, seconds: Double = 60, until condition: () throws -> Bool
) rethrows -> Bool {
  let deadline = DispatchTime.now() + seconds
  let changed = DispatchSemaphore(value: 0)
  let queue = DispatchQueue(label: "dagrun.test-wait")
  while true {
    let place = deepestFolder(of: folder)
    // Where a folder cannot be watched, only its deadline ends the wait.
    let events = try? FolderEvents(place, .modified, queue: queue) { _ in changed.signal() }
    defer { withExtendedLifetime(events) {} }
    if try condition() { return true }
    // A folder that was made before the watch was set tells nobody of it.
    guard place == deepestFolder(of: folder) else { continue }
    if changed.wait(timeout: deadline) == .timedOut { return try condition() }
  }
}

/// As `wait(forChangesIn:seconds:until:)`, without holding a thread.
package func awaitChanges(
  in folder: String, seconds: Double = 60, until condition: () throws -> Bool,
  isolation: isolated (any Actor)? = #isolation
) async rethrows -> Bool {
  let (changes, continuation) = AsyncStream.makeStream(of: Void.self, bufferingPolicy: .bufferingNewest(1))
  let queue = DispatchQueue(label: "dagrun.test-wait")
  queue.asyncAfter(deadline: .now() + seconds) { continuation.finish() }
  var iterator = changes.makeAsyncIterator()
  while true {
    let place = deepestFolder(of: folder)
    let events = try? FolderEvents(place, .modified, queue: queue) { _ in continuation.yield() }
    defer { withExtendedLifetime(events) {} }
    if try condition() { return true }
    guard place == deepestFolder(of: folder) else { continue }
    if await iterator.next(isolation: isolation) == nil { return try condition() }
  }
}

/// Waits until the process has ended, without holding a thread of those that run tasks.
///
/// - Returns: false when it has not after so many seconds.
package func awaitEnd(of process: ProcessDescriptor, seconds: Double = 60) async -> Bool {
  await withCheckedContinuation { continuation in
    Thread.detachNewThread {
      continuation.resume(returning: process.hasEnded(within: Int32(seconds * 1000)))
    }
  }
}

/// Waits until the file is there and holds something.
///
/// - Returns: false when it does not after so many seconds.
package func waitForContents(of path: String, seconds: Double = 60) -> Bool {
  wait(forChangesIn: (path as NSString).deletingLastPathComponent, seconds: seconds) {
    readWholeFile(path)?.isEmpty == false
  }
}

private func deepestFolder(of path: String) -> String {
  var folder = path
  var isFolder: ObjCBool = false
  while !(FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder) && isFolder.boolValue), folder != "/" {
    folder = (folder as NSString).deletingLastPathComponent
    if folder.isEmpty { folder = "." }
  }
  return folder
}
