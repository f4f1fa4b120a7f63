import Control
import Foundation
import Synchronization

/// What becomes of a command whose standard output can no longer be written.
///
/// A result that is not there in full is not a success. So a command that only prints ends at once: by SIGPIPE when its
/// reader has gone, as any program does in a pipe, otherwise with 5. One that is at work on a run or a job
/// (`Interruption`) does not end in the middle: when the reader of its log has gone, that asks it to end as SIGTERM
/// does; when the log cannot be written for another reason, it continues, and does not count as a success.
enum OutputLoss {
  private struct State {
    /// Who began this command has another way to tell its end (`--leash`).
    var hasLifeline = false
    var userError: UserError?
    var isWatching = false
  }

  private static let state = Mutex(State())

  static func noteLifeline() { state.withLock { $0.hasLifeline = true } }

  /// A write has failed.
  ///
  /// - Parameter isTerminal: it was one at the start. One that was closed fails with EIO.
  static func happened(_ code: Int32, isTerminal: Bool) {
    let isGone = code == EPIPE || (code == EIO && isTerminal)
    let hasLifeline = state.withLock { $0.hasLifeline }
    guard Interruption.isListening else {
      if isGone, !hasLifeline { endBySIGPIPE() }
      let userError = userError(code)
      Output.writeAll(userError.text, to: STDERR_FILENO, isTerminal: false)
      _exit(userError.status.rawValue)
    }
    if isGone {
      if !hasLifeline { Interruption.ask() }
      return
    }
    let isNews = state.withLock { state in
      defer { state.userError = userError(code) }
      return state.userError == nil
    }
    if isNews {
      Output.writeAll(
        "cannot write to the standard output: \(String(cString: strerror(code))); the work continues\n",
        to: STDERR_FILENO, isTerminal: false)
    }
  }

  /// What a command ends with whose output was lost in part.
  static func judge(_ status: CommandExit, _ session: Session) -> CommandExit {
    guard status == .success, let userError = state.withLock({ $0.userError }) else { return status }
    session.errors.write(userError.text)
    return userError.status
  }

  private static func userError(_ code: Int32) -> UserError {
    UserError(
      .unavailable, "cannot write to the standard output: \(String(cString: strerror(code)))",
      hint: "the result is not complete; nothing else was lost")
  }

  private static func endBySIGPIPE() -> Never {
    signal(SIGPIPE, SIG_DFL)
    var pipes = sigset_t()
    sigemptyset(&pipes)
    sigaddset(&pipes, SIGPIPE)
    pthread_sigmask(SIG_UNBLOCK, &pipes, nil)
    raise(SIGPIPE)
    _exit(128 + SIGPIPE)
  }

  /// Looks out for the reader of a log that is printed to standard output, which may have nothing to say for hours.
  /// With a lifeline, that tells it.
  static func watchReader() {
    let begins = state.withLock { state in
      guard !state.isWatching, !state.hasLifeline else { return false }
      state.isWatching = true
      return true
    }
    guard begins, isWatchable else { return }
    // A thread of its own: Dispatch does not tell a pipe's writer that the other side has closed.
    Thread.detachNewThread {
      var entry = pollfd(fd: STDOUT_FILENO, events: 0, revents: 0)
      while poll(&entry, 1, -1) < 0 && errno == EINTR {}
      if entry.revents != 0 { Interruption.ask() }
    }
  }

  /// A pipe, or a terminal that the command is not to outlive. The other end of a socket may come back, as a log
  /// service's.
  private static var isWatchable: Bool {
    var status = stat()
    guard fstat(STDOUT_FILENO, &status) == 0 else { return false }
    if status.st_mode & S_IFMT == S_IFIFO { return true }
    return isatty(STDOUT_FILENO) == 1 && !StandardDescriptors.ignoresHangUp
  }
}
