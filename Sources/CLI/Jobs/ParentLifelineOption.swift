import ArgumentParser
import Foundation
import JobControl

/// `--leash FD`: whoever began this command holds the other end of a pipe, and says by it that he lives.
struct ParentLifelineOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The reading end of a pipe, inherited. At its end of file the process that began this command is dead, and the command leaves.",
      valueName: "descriptor"))
  var leash: Int32?

  func validate() throws {
    guard let leash else { return }
    let flags = fcntl(leash, F_GETFL)
    guard flags >= 0 else {
      throw ValidationError(
        "--leash \(leash): no such descriptor is open; pass on the reading end of a pipe (in Python: pass_fds)")
    }
    guard leash > STDERR_FILENO, flags & O_ACCMODE != O_WRONLY else {
      throw ValidationError("--leash \(leash) is not the reading end of a pipe")
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
