internal import Clash
internal import Dispatch
internal import Processes

/// Tells of requests to cancel jobs as they are written to a folder. Who makes one looks for earlier requests after that.
final class CancelRequestWatch: Sendable {
  private let events: FolderEvents

  /// - Parameter changed: called with the names of jobs for which there may be a request; with nil when that may be any.
  init(_ folder: String, changed: @escaping @Sendable (Set<String>?) -> Void) throws(SystemError) {
    try makeFolders(folder, mode: 0o700)
    events = try FolderEvents(folder, .completed, queue: DispatchQueue(label: "dagrun.cancel-requests")) { names in
      guard let names else { return changed(nil) }
      let jobs = Set(names.compactMap(CancelRequestFile.job(ofFile:)))
      if !jobs.isEmpty { changed(jobs) }
    }
  }
}
