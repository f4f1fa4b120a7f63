internal import CLinux
package import Glibc

/// Names one process for as long as the machine is up: pids are used again, a pid with its start time is not.
package struct ProcessIdentity: Hashable, Sendable {
  package var pid: pid_t
  /// Clock ticks from boot to the start of the process (field 22 of /proc/PID/stat).
  package var startTime: UInt64

  package init(pid: pid_t, startTime: UInt64) {
    self.pid = pid
    self.startTime = startTime
  }

  package static let current = ProcessIdentity(of: getpid())!

  /// nil when there is no such process, or it has ended and only waits to be reaped.
  package init?(of pid: pid_t) {
    guard let status = ProcessStatus(of: pid), !status.hasEnded else { return nil }
    self.init(pid: pid, startTime: status.startTime)
  }

  package var isAlive: Bool { ProcessIdentity(of: pid) == self }
}

/// What /proc/PID/stat says.
struct ProcessStatus {
  var hasEnded: Bool
  var startTime: UInt64
  var session: pid_t

  init?(of pid: pid_t) {
    guard let bytes = readWholeFile("/proc/\(pid)/stat") else { return nil }
    // The name in parentheses may hold anything, also parentheses and spaces: the fields start after the last one.
    guard let end = bytes.lastIndex(of: UInt8(ascii: ")")) else { return nil }
    let fields = bytes[(end + 1)...].split(separator: UInt8(ascii: " "))
    guard fields.count > 19, let state = fields[0].first,
      let session = pid_t(String(decoding: fields[3], as: UTF8.self)),
      let startTime = UInt64(String(decoding: fields[19], as: UTF8.self))
    else { return nil }
    hasEnded = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
    self.startTime = startTime
    self.session = session
  }
}

/// Another text after each boot of the machine.
package let bootID: String = {
  let bytes = readWholeFile("/proc/sys/kernel/random/boot_id") ?? []
  return String(decoding: bytes.prefix { $0 > 32 }, as: UTF8.self)
}()

/// A hold on one process: its end makes the descriptor readable, a signal through it never hits another process.
package final class ProcessDescriptor: Sendable {
  package let pid: pid_t
  /// Open as long as this object lives. Close-on-exec.
  package let descriptor: Int32

  /// - Throws: `ESRCH` when there is no such process.
  package init(pid: pid_t) throws(SystemError) {
    let descriptor = clinux_pidfd_open(pid)
    if descriptor < 0 { throw SystemError("watch process \(pid)") }
    self.pid = pid
    self.descriptor = descriptor
  }

  /// nil when that very process is gone. One whose first thread has ended is not, as long as it has others: until the
  /// last one has ended, its children have it for their parent.
  package init?(_ identity: ProcessIdentity) {
    let descriptor = clinux_pidfd_open(identity.pid)
    guard descriptor >= 0 else { return nil }
    self.pid = identity.pid
    self.descriptor = descriptor
    // Looked at after opening: the pid cannot pass to another process in between.
    if ProcessStatus(of: pid)?.startTime != identity.startTime { return nil }
  }

  deinit { close(descriptor) }

  /// Does nothing when the process has ended.
  package func signal(_ number: Int32) { _ = clinux_pidfd_send_signal(descriptor, number) }

  /// Whether the process has ended; waits for that at most so long.
  package func hasEnded(within milliseconds: Int32 = 0) -> Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return retrying { poll(&entry, 1, milliseconds) } > 0
  }
}
