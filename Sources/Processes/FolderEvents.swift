package import Dispatch
internal import Glibc

/// Tells which files of one folder were changed (inotify), not those of folders below it.
///
/// Nothing is lost between a look and a wait when the look comes after this object is made.
package final class FolderEvents: @unchecked Sendable {
  package enum Kind: Sendable {
    /// A file is there in full: it was closed after writing, or moved into the folder.
    case completed
    /// Every write, and files that appear or go.
    case modified

    fileprivate var mask: UInt32 {
      switch self {
      case .completed: UInt32(IN_CLOSE_WRITE | IN_MOVED_TO)
      case .modified: UInt32(IN_MODIFY | IN_CREATE | IN_DELETE | IN_MOVED_TO | IN_MOVED_FROM)
      }
    }
  }

  private let source: any DispatchSourceProtocol
  private static let lookSeconds = 1.0

  /// Where the user or the process has no watch left (`fs.inotify.max_user_instances`), it calls once a second.
  ///
  /// - Parameter changed: called on the queue with the names of files, each once; nil when it may be any.
  /// - Throws: when the folder is not there.
  package convenience init(
    _ folder: String, _ kind: Kind, queue: DispatchQueue, changed: @escaping @Sendable (Set<String>?) -> Void
  ) throws(SystemError) {
    do throws(SystemError) {
      self.init(reading: try Self.watch(folder, kind.mask), queue: queue, changed: changed)
    } catch {
      guard [EMFILE, ENFILE, ENOSPC, ENOMEM].contains(error.code) else { throw error }
      self.init(lookingEvery: Self.lookSeconds, queue: queue, changed: changed)
    }
  }

  private init(
    reading descriptor: Int32, queue: DispatchQueue, changed: @escaping @Sendable (Set<String>?) -> Void
  ) {
    let reader = DispatchSource.makeReadSource(fileDescriptor: descriptor, queue: queue)
    reader.setCancelHandler { close(descriptor) }
    reader.setEventHandler { changed(Self.read(descriptor)) }
    reader.resume()
    source = reader
  }

  init(lookingEvery seconds: Double, queue: DispatchQueue, changed: @escaping @Sendable (Set<String>?) -> Void) {
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + seconds, repeating: seconds)
    timer.setEventHandler { changed(nil) }
    timer.resume()
    source = timer
  }

  private static func watch(_ folder: String, _ mask: UInt32) throws(SystemError) -> Int32 {
    let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
    guard descriptor >= 0 else { throw SystemError("watch the folder \(folder)") }
    guard inotify_add_watch(descriptor, folder, mask) >= 0 else {
      let error = SystemError("watch the folder \(folder)")
      close(descriptor)
      throw error
    }
    return descriptor
  }

  deinit { source.cancel() }

  private static func read(_ descriptor: Int32) -> Set<String>? {
    var names: Set<String> = []
    var hasLostSome = false
    var buffer = [UInt8](repeating: 0, count: 1 << 14)
    while true {
      let count = retrying { Glibc.read(descriptor, &buffer, buffer.count) }
      guard count > 0 else { return hasLostSome ? nil : names }
      buffer[..<count].withUnsafeBytes { bytes in
        var rest = bytes[...]
        while rest.count >= headerLength {
          let header = UnsafeRawBufferPointer(rebasing: rest)
          let mask = header.loadUnaligned(fromByteOffset: 4, as: UInt32.self)
          let length = Int(header.loadUnaligned(fromByteOffset: 12, as: UInt32.self))
          if mask & UInt32(IN_Q_OVERFLOW) != 0 { hasLostSome = true }
          let name = rest.dropFirst(headerLength).prefix(length).prefix { $0 != 0 }
          if !name.isEmpty { names.insert(String(decoding: name, as: UTF8.self)) }
          rest = rest.dropFirst(headerLength + length)
        }
      }
    }
  }

  /// Watch, mask, cookie and the length of the name that follows.
  private static let headerLength = 16
}
