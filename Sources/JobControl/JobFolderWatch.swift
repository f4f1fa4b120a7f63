internal import Dispatch
internal import Processes
internal import Synchronization

/// Tells of files that come to the folder of jobs: requests to cancel, and claims of attempts. Who makes one looks for
/// earlier files after that.
///
/// All of a folder share what the kernel has only some of for each user.
final class JobFolderWatch: Sendable {
  typealias Handler = @Sendable (_ files: Set<String>?) -> Void

  private struct Folder {
    var events: FolderEvents
    var handlers: [Int: Handler] = [:]
  }

  private static let folders = Mutex<(byPath: [String: Folder], last: Int)>(([:], 0))

  private let folder: String
  private let number: Int

  /// - Parameter changed: called with the names of new files; with nil when that may be any.
  init(_ folder: String, changed: @escaping Handler) throws(SystemError) {
    try makeFolders(folder, mode: 0o700)
    self.folder = folder
    number = try Self.folders.withLock { (folders) throws(SystemError) in
      if folders.byPath[folder] == nil { folders.byPath[folder] = Folder(events: try Self.events(of: folder)) }
      folders.last += 1
      folders.byPath[folder]?.handlers[folders.last] = changed
      return folders.last
    }
  }

  deinit {
    Self.folders.withLock { folders in
      folders.byPath[folder]?.handlers[number] = nil
      if folders.byPath[folder]?.handlers.isEmpty == true { folders.byPath[folder] = nil }
    }
  }

  private static func events(of folder: String) throws(SystemError) -> FolderEvents {
    try FolderEvents(folder, .completed, queue: DispatchQueue(label: "dagrun.jobs-folder")) { names in
      let handlers = folders.withLock { $0.byPath[folder]?.handlers ?? [:] }
      for handler in handlers.values { handler(names) }
    }
  }
}
