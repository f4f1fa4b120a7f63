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

  static func write(_ bytes: Data, to path: String) throws(DagBagError) {
    let temporary = temporaryPath(for: path)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failed("write", temporary) }
    do {
      defer { close(descriptor) }
      try bytes.withUnsafeBytes { try writeAll($0, to: descriptor) }
    } catch {
      unlink(temporary)
      throw DagBagError("cannot write \(temporary): \(error)")
    }
    try publish(temporary, as: path)
  }

  /// Makes a finished temporary file durable, and gives it its name.
  static func publish(_ temporary: String, as path: String) throws(DagBagError) {
    let descriptor = open(temporary, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failed("open", temporary) }
    defer { close(descriptor) }
    if fsync(descriptor) != 0 || rename(temporary, path) != 0 {
      let error = failed("write", path)
      unlink(temporary)
      throw error
    }
  }

  private static func failed(_ verb: String, _ path: String) -> DagBagError {
    DagBagError("cannot \(verb) \(path): \(String(cString: strerror(errno)))")
  }
}
