internal import Dispatch
internal import Glibc
internal import Processes

/// Tells when something in a folder, or in a folder below it, was changed. Hidden folders are left out: they are other
/// programs' own.
///
/// Confined to a queue.
final class FolderWatcher: @unchecked Sendable {
  /// An editor writes a file in several steps; what comes within this time is one change.
  private static let settle = DispatchTimeInterval.milliseconds(50)
  private static let mask = UInt32(
    IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_DELETE_SELF | IN_ATTRIB)

  private let folder: String
  private let queue: DispatchQueue
  private let changed: () -> Void
  private let descriptor: Int32
  private let source: any DispatchSourceRead
  private var isReportDue = false

  /// - Throws: when the kernel has no watch left (`fs.inotify.max_user_watches`), or the folder is not there.
  init(_ folder: String, queue: DispatchQueue, changed: @escaping () -> Void) throws(SystemError) {
    self.folder = folder
    self.queue = queue
    self.changed = changed
    let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else { throw SystemError("watch the folder \(folder)") }
    self.descriptor = descriptor
    source = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    source.setCancelHandler { close(descriptor) }
    source.setEventHandler { [weak self] in self?.read() }
    source.resume()
    try watch()
  }

  deinit { source.cancel() }

  /// Watching a folder that is watched already changes nothing. One that may not be read, or has vanished meanwhile, is
  /// left out.
  private func watch() throws(SystemError) {
    let tree: FolderTree
    do throws(FileProblem) {
      tree = try FolderTree(folder)
    } catch {
      throw SystemError("watch the folder \(folder) (\(error))", code: ENOENT)
    }
    for below in tree.folders where inotify_add_watch(descriptor, below.path, Self.mask) < 0 {
      if below.path == folder || ![EACCES, ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG].contains(errno) {
        throw SystemError("watch the folder \(below.path)")
      }
    }
  }

  private func read() {
    var events = [UInt8](repeating: 0, count: 1 << 14)
    while retrying({ Glibc.read(descriptor, &events, events.count) }) > 0 {}
    guard !isReportDue else { return }
    isReportDue = true
    queue.asyncAfter(deadline: .now() + Self.settle) { [weak self] in
      guard let self else { return }
      isReportDue = false
      // A folder that was just made is watched from now on. One that vanished meanwhile is none to watch.
      try? watch()
      changed()
    }
  }
}
