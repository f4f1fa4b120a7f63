import ArgumentParser
import Foundation
import JobControl

/// `--leash FD`: the caller holds the other end of a pipe, which shows that it lives.
struct ParentLifelineOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The read end of an inherited pipe. At its end of file, the command leaves.",
      valueName: "descriptor"))
  var leash: Int32?

  func validate() throws {
    guard let leash else { return }
    let flags = fcntl(leash, F_GETFL)
    guard flags >= 0 else {
      throw ValidationError(
        "--leash \(leash): no such descriptor is open; pass on the read end of a pipe (in Python: pass_fds)")
    }
    guard leash > STDERR_FILENO, flags & O_ACCMODE != O_WRONLY else {
      throw ValidationError("--leash \(leash) is not the read end of a pipe")
    }
  }

  /// Watched from here on; nil where there is none.
  func take() -> ParentLifeline? {
    guard let leash else { return nil }
    // Who is dead reads nothing any more. What is still to be removed is removed all the same.
    OutputLoss.noteLifeline()
    return ParentLifeline(leash, afterEarlierSignals: InterruptionSignals.afterEarlierSignals)
  }
}
