import Dispatch
import Engine
import Foundation
import Processes
internal import Model

/// How one process asks another to cancel the job that it drives: a file beside the job's lock.
final class CancelWish {
  private let source: any DispatchSourceTimer

  static func path(_ home: Home, _ job: String) -> String { "\(home.jobsPath)/\(job).cancel" }

  /// Leaves the wish.
  static func leave(_ home: Home, _ job: String) throws {
    guard FileManager.default.createFile(atPath: path(home, job), contents: Data()) else {
      throw Complaint(.unavailable, "cannot write to \(home.jobsPath): \(String(cString: strerror(errno)))")
    }
  }

  static func remove(_ home: Home, _ job: String) { unlink(path(home, job)) }

  /// Calls back once when somebody leaves it.
  init(_ home: Home, _ job: String, onWish: @escaping @Sendable () -> Void) {
    let path = Self.path(home, job)
    // One from before is about another life of the job.
    unlink(path)
    let source = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "dagrun.cancel-wish"))
    source.schedule(deadline: .now() + 0.5, repeating: 0.5, leeway: .milliseconds(100))
    source.setEventHandler {
      guard access(path, F_OK) == 0 else { return }
      unlink(path)
      onWish()
    }
    source.resume()
    self.source = source
  }

  func end() { source.cancel() }
}
