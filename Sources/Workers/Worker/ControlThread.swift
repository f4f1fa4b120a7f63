internal import Dagrun
internal import Glibc
internal import Processes

/// Listens for stops while a task runs: on the second socket, and for SIGTERM, which is how a scheduler stops a worker
/// that an earlier one started. Kills what does not end within its grace period.
final class ControlThread: @unchecked Sendable {
  private let socket: Int32
  private let current: CurrentTry
  private let signals: (readEnd: Int32, writeEnd: Int32)
  /// Called when the task has closed what this thread listens to. Never returns.
  private let lost: @Sendable () -> Never

  /// All that it works with.
  var descriptors: [Int32] { [socket, signals.readEnd, signals.writeEnd] }

  init(socket: Int32, current: CurrentTry, lost: @escaping @Sendable () -> Never) throws(SystemError) {
    self.lost = lost
    self.socket = socket
    self.current = current
    signals = try openPipe()
    signalPipe = signals.writeEnd
    // A handler, and not a blocked signal: what the task starts would inherit the block, and could not be ended.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      let code = errno
      // Without its pipe this process would be deaf.
      if write(signalPipe, "T", 1) < 0, errno == EBADF { _exit(WorkerExit.failure) }
      errno = code
    }
    action.sa_flags = Int32(SA_RESTART)
    sigaction(SIGTERM, &action, nil)
  }

  /// Makes the thread look at the deadline again.
  func wake() { _ = write(signals.writeEnd, "W", 1) }

  /// Never returns. When the scheduler is gone, it still listens for signals.
  func run() {
    var messages = MessageBuffer()
    var isConnected = true
    while true {
      var entries = [pollfd(fd: signals.readEnd, events: Int16(POLLIN), revents: 0)]
      if isConnected { entries.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
      let left = current.killAt.map { Int32(saturating: max(0, $0 - monotonicSeconds()) * 1000).addingSaturating(1) }
      _ = poll(&entries, nfds_t(entries.count), left ?? -1)
      if entries.contains(where: { $0.revents & Int16(POLLNVAL) != 0 }) { lost() }
      if entries[0].revents != 0 { readSignals() }
      if isConnected, entries[1].revents != 0 {
        isConnected = messages.fill(from: socket) != .end
        if !isConnected, !isOpen(socket) { lost() }
        while let request = try? messages.next({ (bytes) throws(MalformedBytes) in try WorkerRequest(bytes) }) {
          if case .stop(let id) = request { current.stop(id) }
        }
        if !isConnected { current.giverIsGone() }
      }
      current.killIfDue()
    }
  }

  private func readSignals() {
    var byte: UInt8 = 0
    while retrying({ read(signals.readEnd, &byte, 1) }) == 1 {
      if byte == UInt8(ascii: "T") { current.stop(nil) }
    }
    if !isOpen(signals.readEnd) { lost() }
  }
}

private func isOpen(_ descriptor: Int32) -> Bool { fcntl(descriptor, F_GETFD) >= 0 }

/// For the signal handler, which can capture nothing. Written once, before the handler is there.
private nonisolated(unsafe) var signalPipe: Int32 = -1
