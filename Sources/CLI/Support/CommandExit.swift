/// How the process ends. One place, documented in docs/exit-codes.md.
struct CommandExit: RawRepresentable, Hashable, Sendable {
  /// 0 to 255.
  let rawValue: Int32

  init(rawValue: Int32) { self.rawValue = rawValue }

  static let success = CommandExit(rawValue: 0)
  static let runFailed = CommandExit(rawValue: 1)
  static let wrongUsage = CommandExit(rawValue: 2)
  static let notFound = CommandExit(rawValue: 3)
  static let importErrors = CommandExit(rawValue: 4)
  static let unavailable = CommandExit(rawValue: 5)
  static let interrupted = CommandExit(rawValue: 130)

  // Of `dagrun job run` and `job attach`, which otherwise end with the status of the job's program. Far from what
  // shells, docker (125 to 127) and programs use themselves.

  static let jobTimedOut = CommandExit(rawValue: 240)
  static let noCapacity = CommandExit(rawValue: 241)
  static let jobRefused = CommandExit(rawValue: 242)
  static let machineLost = CommandExit(rawValue: 243)
  static let containerNotStarted = CommandExit(rawValue: 244)
  static let commandNotStarted = CommandExit(rawValue: 245)
  static let dataNotMoved = CommandExit(rawValue: 246)
  static let cloudFailed = CommandExit(rawValue: 247)
  static let jobCancelled = CommandExit(rawValue: 248)
}

extension CommandExit: CaseIterable {
  /// Those that dagrun makes itself.
  static let allCases: [CommandExit] = explanations.map(\.status)

  /// For the manual page.
  var explanation: String { Self.explanations.first { $0.status == self }?.text ?? "" }

  private static let explanations: [(status: CommandExit, text: String)] = [
    (.success, "Done; where a run or a job was waited for, it succeeded."),
    (.runFailed, "The run that was waited for failed, or there was nothing to do."),
    (.wrongUsage, "The command line, or a value in it, is wrong. Nothing was changed."),
    (.notFound, "No such DAG, run, task, pool, variable, backfill or job."),
    (.importErrors, "A DAG file does not compile, or does not describe itself."),
    (.unavailable, "Another process holds what is needed, or the machine fails: disk, permissions, database."),
    (.interrupted, "Stopped by Ctrl-C, SIGTERM, a closed terminal or the end of its leash, or not confirmed."),
    (.jobTimedOut, "A job took longer than its --timeout."),
    (.noCapacity, "A job got no machine: no capacity, or no quota."),
    (.jobRefused, "A job was refused: permissions, or a request that Google does not take."),
    (.machineLost, "A job's machine did not start, or went silent."),
    (.containerNotStarted, "A job's image could not be pulled, or its container not be started."),
    (.commandNotStarted, "A job's command is not in the image, or cannot be executed."),
    (.dataNotMoved, "A job's mount, secret or output failed."),
    (.cloudFailed, "Something else of a job's surroundings failed."),
    (.jobCancelled, "A job was cancelled by somebody else."),
  ]
}
