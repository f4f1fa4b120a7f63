import Foundation

/// Descriptors 0 to 2, and the signals that are about them, as every command finds them.
enum StandardDescriptors {
  /// Opens those that are closed, before anything else takes their numbers: what is printed would go there.
  static func openClosed() {
    for number in STDIN_FILENO...STDERR_FILENO where fcntl(number, F_GETFD) < 0 {
      // The lowest number that is free is this one.
      _ = open("/dev/null", O_RDWR)
    }
  }

  /// A pipe that nobody reads, and a file that may not grow, are errors of a write, which is where they are judged.
  static func ignoreSignals() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
  }

  /// Whoever began this command has said that it is to outlive its terminal.
  static let ignoresHangUp: Bool = {
    var action = sigaction()
    guard sigaction(SIGHUP, nil, &action) == 0 else { return false }
    return unsafeBitCast(action.__sigaction_handler.sa_handler, to: Int.self) == unsafeBitCast(SIG_IGN, to: Int.self)
  }()
}
