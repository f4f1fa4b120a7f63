internal import Dagrun
internal import Glibc
internal import Processes

/// Listens for stops while a task runs: on the second socket, and for SIGTERM, which is how a scheduler stops a worker
/// that an earlier one started. Kills what does not end within its grace period.
final class ControlThread: @unchecked Sendable {
  private let socket: Int32
  private let current: CurrentTry
  private let signals: (readEnd: Int32, writeEnd: Int32)

  init(socket: Int32, current: CurrentTry) throws(SystemError) {
    self.socket = socket
    self.current = current
    signals = try openPipe()
    signalPipe = signals.writeEnd
    // A handler, and not a blocked signal: what the task starts would inherit the block, and could not be ended.
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { _ in
      let code = errno
      _ = write(signalPipe, "T", 1)
      errno = code
    }
    action.sa_flags = Int32(SA_RESTART)
    sigaction(SIGTERM, &action, nil)
  }

  /// Makes the thread look at the deadline again.
  func wake() { _ = write(signals.writeEnd, "W", 1) }

  /// Never returns. When the scheduler is gone, it goes on listening for signals.
  func run() {
    var messages = MessageBuffer()
    var isConnected = true
    while true {
      var entries = [pollfd(fd: signals.readEnd, events: Int16(POLLIN), revents: 0)]
      if isConnected { entries.append(pollfd(fd: socket, events: Int16(POLLIN), revents: 0)) }
      let left = current.killAt.map { Int32(saturating: max(0, $0 - monotonicSeconds()) * 1000).addingSaturating(1) }
      _ = poll(&entries, nfds_t(entries.count), left ?? -1)
      if entries[0].revents != 0 { readSignals() }
      if isConnected, entries[1].revents != 0 {
        isConnected = messages.fill(from: socket) != .end
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
  }
}

/// For the signal handler, which can capture nothing. Written once, before the handler is there.
private nonisolated(unsafe) var signalPipe: Int32 = -1
