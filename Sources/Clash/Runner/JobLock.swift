internal import Glibc
internal import Processes
internal import Synchronization

/// The right to drive a job. One process has it at a time, and it ends with that process, however that ends.
///
/// A `flock` on a file of the job's name in the home's `jobs` folder. The file is there only while somebody holds it,
/// or after a crash.
package final class JobLock: Sendable {
  private let descriptor: Int32
  private let path: String
  private let isReleased = Mutex(false)

  package struct Refusal: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Reason: Hashable, Sendable { case held, unavailable }
    package var reason: Reason
    package var description: String
  }

  /// - Parameter folder: is made where it is missing.
  /// - Throws: `held` when another process drives the job.
  package convenience init(job: String, folder: String) throws(Refusal) {
    try self.init(job: job, folder: folder, waits: false)
  }

  /// Blocks the thread until the lock is free. Nothing but the lock's release ends that: not for a thread of the
  /// concurrency pool.
  package convenience init(waitingFor job: String, folder: String) throws(Refusal) {
    try self.init(job: job, folder: folder, waits: true)
  }

  private init(job: String, folder: String, waits: Bool) throws(Refusal) {
    do {
      try makeFolders(folder, mode: 0o700)
    } catch {
      throw Refusal(reason: .unavailable, description: "\(error); name another home with --home or DAGRUN_HOME")
    }
    path = Self.path(job: job, folder: folder)
    while true {
      let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard descriptor >= 0 else {
        throw Refusal(
          reason: .unavailable,
          description: "\(SystemError("open \(path)")); name another home with --home or DAGRUN_HOME")
      }
      guard retrying({ flock(descriptor, waits ? LOCK_EX : LOCK_EX | LOCK_NB) }) == 0 else {
        let error = SystemError("lock \(path)")
        close(descriptor)
        guard error.code == EWOULDBLOCK else { throw Refusal(reason: .unavailable, description: "\(error)") }
        throw Refusal(
          reason: .held,
          description:
            "another process drives job \(job); follow it with `dagrun job logs -f \(job)`, or end that process")
      }
      if Self.isFile(descriptor, at: path) {
        self.descriptor = descriptor
        let text = "\(getpid())\n"
        ftruncate(descriptor, 0)
        // For whoever wants to tell the holder something; the lock does not depend on it.
        pwrite(descriptor, text, text.utf8.count, 0)
        return
      }
      // Its last holder has removed the file between our open and our lock.
      close(descriptor)
    }
  }

  /// Ends the right before the object goes.
  package func release() {
    let isFirst = isReleased.withLock { isReleased in
      defer { isReleased = true }
      return !isReleased
    }
    guard isFirst else { return }
    unlink(path)
    // A process that is just being started shares all descriptors for a moment, this one too: hence the explicit
    // unlock.
    flock(descriptor, LOCK_UN)
  }

  deinit {
    release()
    close(descriptor)
  }

  /// Whether some process drives the job; this one counts too.
  package static func isHeld(job: String, folder: String) -> Bool {
    let descriptor = open(path(job: job, folder: folder), O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return retrying { flock(descriptor, LOCK_SH | LOCK_NB) } != 0
  }

  /// The process that drives the job; nil when none does, or it has not said so yet.
  package static func holder(job: String, folder: String) -> Int32? {
    guard isHeld(job: job, folder: folder), let bytes = readWholeFile(path(job: job, folder: folder)) else {
      return nil
    }
    return Int32(String(decoding: bytes.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
  }

  private static func path(job: String, folder: String) -> String { "\(folder)/\(job).lock" }

  private static func isFile(_ descriptor: Int32, at path: String) -> Bool {
    var opened = stat()
    var named = stat()
    return fstat(descriptor, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino
      && opened.st_dev == named.st_dev
  }
}
