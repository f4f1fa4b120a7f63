import Foundation
import Processes
import Synchronization

/// Files that are there whole or not at all, also after a power cut: temporary name, fsync, rename.
enum AtomicFile {
  private static let counter = Atomic<Int>(0)

  /// A name beside the final one that no other process or thread uses.
  static func temporaryPath(for path: String) -> String {
    "\(path).tmp-\(getpid())-\(counter.add(1, ordering: .relaxed).newValue)"
  }

  /// - Parameter mode: whatever the umask: what is in the cache is run, and so only its owner may write it.
  static func write(_ bytes: Data, to path: String, mode: mode_t = 0o600) throws(DagBagError) {
    let temporary = temporaryPath(for: path)
    let descriptor = openPrivately(temporary, O_WRONLY | O_EXCL)
    guard descriptor >= 0 else { throw failed("write", temporary) }
    do {
      defer { close(descriptor) }
      try bytes.withUnsafeBytes { try writeAll($0, to: descriptor) }
    } catch {
      unlink(temporary)
      throw DagBagError("\(path): \(error)")
    }
    try publish(temporary, as: path, mode: mode)
  }

  /// Makes a finished temporary file durable, and gives it its name.
  ///
  /// - Parameter mode: nil: as it is.
  static func publish(_ temporary: String, as path: String, mode: mode_t? = 0o600) throws(DagBagError) {
    let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed("open", temporary) }
    defer { close(descriptor) }
    if mode.map({ fchmod(descriptor, $0) != 0 }) ?? false || fsync(descriptor) != 0 || rename(temporary, path) != 0 {
      let error = failed("write", path)
      unlink(temporary)
      throw error
    }
  }

  /// Removes what processes that were killed have left half written in a folder.
  static func removeLeftovers(in folder: String) {
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    for name in names {
      // NAME.tmp-PID-NUMBER, and for the compiler's object files .o after it.
      guard let marker = name.lastRange(of: ".tmp-"),
        let pid = name[marker.upperBound...].split(separator: "-").first.flatMap({ pid_t($0) }), pid > 0,
        kill(pid, 0) != 0, errno == ESRCH
      else { continue }
      unlink(folder + "/" + name)
    }
  }

  private static func failed(_ verb: String, _ path: String) -> DagBagError {
    DagBagError("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}

extension String {
  fileprivate func lastRange(of text: String) -> Range<Index>? { ranges(of: text).last }
}
