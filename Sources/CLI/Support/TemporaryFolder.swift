import Foundation
import Processes
import Synchronization

/// Gone with its owner.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/dagrun-\(UUID().uuidString)"
    try makeFolders(path, mode: 0o700)
  }

  /// It is needed for longer than its owner lives.
  func keep() { isKept.store(true, ordering: .relaxed) }

  private let isKept = Atomic(false)

  deinit {
    if !isKept.load(ordering: .relaxed) { try? FileManager.default.removeItem(atPath: path) }
  }
}
