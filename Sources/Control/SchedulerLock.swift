package import Dagrun
internal import Foundation
internal import Glibc
package import Model
package import Processes

/// The right to change a home. One process has it at a time, and it ends with that process, however that ends.
///
/// The lock is a `flock` on a file that says who holds it. The kernel drops it while the holder's process is being torn
/// down, a moment before the process is gone; so whoever takes it next waits for that process, and afterwards knows
/// that no worker still has a living parent (Workers rely on it).
package final class SchedulerLock: Sendable {
  private let descriptor: Int32

  /// The file that is locked, whatever its path names by now.
  package var identity: FileIdentity? { FileIdentity(descriptor: descriptor) }

  /// Who holds, or held, the lock.
  package struct Holder: Codable, Hashable, Sendable {
    package var pid: Int32
    package var startTime: UInt64
    package var bootID: String
    package var since: Timestamp

    package var isAlive: Bool {
      bootID == Processes.bootID && ProcessIdentity(pid: pid, startTime: startTime).isAlive
    }
  }

  /// - Throws: `held` when another process holds the home, `unavailable` when the file cannot be opened.
  package init(_ home: Home) throws(ControlError) {
    do {
      try makeFolders(home.path, mode: 0o700)
    } catch {
      throw ControlError(.unavailable, "\(error); name another home with --home or DAGRUN_HOME")
    }
    let descriptor = open(home.lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else {
      throw ControlError(
        .unavailable, "\(SystemError("open \(home.lockPath)")); name another home with --home or DAGRUN_HOME")
    }
    guard Self.lock(descriptor, home) else {
      let holder = Self.holder(of: home)
      close(descriptor)
      let name = holder.map { "process \($0.pid)" } ?? "another process"
      throw ControlError(
        .held,
        "\(name) is the scheduler of \(home.path); wait until it has ended, or stop it (kill \(holder?.pid.description ?? "PID"))"
      )
    }
    self.descriptor = descriptor
    let last = Self.holder(of: home)
    guard Self.hasEnded(last) else {
      close(descriptor)
      throw ControlError(
        .held,
        "process \(last!.pid) was the scheduler of \(home.path) and has not ended yet; end it (kill \(last!.pid))")
    }
    do throws(SystemError) {
      try Self.write(
        Holder(
          pid: ProcessIdentity.current.pid, startTime: ProcessIdentity.current.startTime, bootID: bootID,
          since: Timestamp(Date())),
        to: descriptor, isFirstSinceBoot: last?.bootID != bootID)
    } catch {
      close(descriptor)
      throw ControlError(.unavailable, "cannot say in \(home.lockPath) who is the scheduler: \(error)")
    }
  }

  /// A process that is just being started shares all descriptors for a moment, this one too: hence the word for it.
  deinit {
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  /// False when a living process has the lock. A dead one may still seem to: it shared the lock with a process that it
  /// was just starting, until that one runs its own program.
  private static func lock(_ descriptor: Int32, _ home: Home) -> Bool {
    let deadline = monotonicSeconds() + patienceSeconds
    while retrying({ flock(descriptor, LOCK_EX | LOCK_NB) }) != 0 {
      if let holder = holder(of: home), holder.isAlive { return false }
      guard monotonicSeconds() < deadline else { return false }
      usleep(1_000)
    }
    return true
  }

  private static let patienceSeconds = 2.0

  /// Who last took the lock of the home; nil when nobody has, or the file cannot be read.
  package static func holder(of home: Home) -> Holder? {
    guard let bytes = readWholeFile(home.lockPath) else { return nil }
    return try? JSONDecoder().decode(Holder.self, from: Data(bytes))
  }

  /// Waits for its end, which follows at once, unless the process hangs, on a pipe that nobody reads for example.
  private static func hasEnded(_ holder: Holder?) -> Bool {
    guard let holder, holder.bootID == bootID, holder.pid != getpid() else { return true }
    let process = ProcessDescriptor(ProcessIdentity(pid: holder.pid, startTime: holder.startTime))
    return process?.hasEnded(within: 10_000) ?? true
  }

  /// The next scheduler has to know whose end to wait for, and whether the machine has been down since. So this is
  /// never missing: it is written over the last one, which takes no room on the disk, and reaches the disk before
  /// anything is started after a boot.
  private static func write(_ holder: Holder, to descriptor: Int32, isFirstSinceBoot: Bool) throws(SystemError) {
    // Encoding numbers and a short text cannot fail.
    var text = Array(try! JSONEncoder().encode(holder))
    text += Array(repeating: UInt8(ascii: " "), count: max(0, lengthBytes - text.count))
    let written = text.withUnsafeBytes { bytes in
      retrying { pwrite(descriptor, bytes.baseAddress, bytes.count, 0) }
    }
    if written < 0 { throw SystemError("write to it") }
    if written < text.count { throw SystemError("write to it", code: ENOSPC) }
    _ = ftruncate(descriptor, off_t(text.count))
    if isFirstSinceBoot, retrying({ fsync(descriptor) }) != 0 { throw SystemError("write it to the disk") }
  }

  private static let lengthBytes = 256
}
