internal import CLinux
package import Glibc

/// How a process ended.
package enum ExitStatus: Hashable, Sendable {
  case exited(Int32)
  case signaled(Int32)

  package init(waitStatus status: Int32) {
    self =
      clinux_wifsignaled(status) != 0
      ? .signaled(clinux_wtermsig(status)) : .exited(clinux_wexitstatus(status))
  }

  package var isSuccess: Bool { self == .exited(0) }
}

extension ExitStatus: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exited(let code): "exit code \(code)"
    case .signaled(let number): "signal \(number) (\(signalName(number)))"
    }
  }
}

/// `SIGKILL` for 9.
package func signalName(_ number: Int32) -> String {
  guard let abbreviation = clinux_signal_name(number) else { return "unknown" }
  return "SIG" + String(cString: abbreviation)
}

/// What a process and those of its descendants that were waited for have used.
package struct ResourceUsage: Hashable, Sendable {
  package var cpuSeconds: Double
  /// The largest resident size of any one of them.
  package var peakMemoryBytes: Int64

  package init(cpuSeconds: Double, peakMemoryBytes: Int64) {
    self.cpuSeconds = cpuSeconds
    self.peakMemoryBytes = peakMemoryBytes
  }

  package init(_ usage: rusage) {
    cpuSeconds =
      Double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
      + Double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6
    peakMemoryBytes = Int64(usage.ru_maxrss) * 1024
  }
}

package struct EndedProcess: Hashable, Sendable {
  package var pid: pid_t
  package var status: ExitStatus
  package var usage: ResourceUsage
}

/// Waits for a child and reaps it.
///
/// - Returns: nil when `pid` is not a child of this process, or, if not `blocking`, has not ended yet.
package func waitForChild(_ pid: pid_t, blocking: Bool = true) -> EndedProcess? {
  var status: Int32 = 0
  var usage = rusage()
  let ended = retrying { wait4(pid, &status, blocking ? 0 : WNOHANG, &usage) }
  guard ended > 0 else { return nil }
  return EndedProcess(pid: ended, status: ExitStatus(waitStatus: status), usage: ResourceUsage(usage))
}

package enum ReapedChild: Hashable, Sendable {
  case ended(EndedProcess)
  case stillRunning
  case noChildren
}

/// Reaps any child that has ended; waits for none.
package func reapChild() -> ReapedChild {
  var status: Int32 = 0
  var usage = rusage()
  let ended = retrying { wait4(-1, &status, WNOHANG, &usage) }
  if ended < 0 { return .noChildren }
  if ended == 0 { return .stillRunning }
  return .ended(EndedProcess(pid: ended, status: ExitStatus(waitStatus: status), usage: ResourceUsage(usage)))
}
