import ArgumentParser
import Foundation

/// A pipe that was inherited from whoever runs this command: its end is his.
struct LeashOption: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The reading end of a pipe that was inherited; at its end the task is stopped.", valueName: "descriptor"))
  var leash: Int32?

  /// - Throws: when there is no such descriptor.
  func prepare() throws {
    guard let leash else { return }
    guard leash > 2, fcntl(leash, F_SETFD, FD_CLOEXEC) == 0 else {
      throw Complaint(
        .wrongUsage, "--leash \(leash) is no descriptor that this command was given",
        hint: "hand it the reading end of a pipe (in Python: pass_fds)")
    }
    // The outputs of a command whose owner is gone lead nowhere, which must not end it before it has stopped the task.
    signal(SIGPIPE, SIG_IGN)
  }
}
