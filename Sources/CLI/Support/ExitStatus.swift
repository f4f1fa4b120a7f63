/// How the process ends. One place, documented in docs/exit-codes.md.
struct ExitStatus: RawRepresentable, Hashable, Sendable {
  /// 0 to 255.
  let rawValue: Int32

  init(rawValue: Int32) { self.rawValue = rawValue }

  static let success = ExitStatus(rawValue: 0)
  static let runFailed = ExitStatus(rawValue: 1)
  static let wrongUsage = ExitStatus(rawValue: 2)
  static let notFound = ExitStatus(rawValue: 3)
  static let importErrors = ExitStatus(rawValue: 4)
  static let unavailable = ExitStatus(rawValue: 5)
  static let interrupted = ExitStatus(rawValue: 130)

  // Of `dagrun job run` and `job attach`, which otherwise end with the status of the job's program. Far from what shells,
  // docker (125 to 127) and programs use themselves.

  static let jobTimedOut = ExitStatus(rawValue: 240)
  static let noCapacity = ExitStatus(rawValue: 241)
  static let jobRefused = ExitStatus(rawValue: 242)
  static let machineLost = ExitStatus(rawValue: 243)
  static let containerNotStarted = ExitStatus(rawValue: 244)
  static let commandNotStarted = ExitStatus(rawValue: 245)
  static let dataNotMoved = ExitStatus(rawValue: 246)
  static let cloudFailed = ExitStatus(rawValue: 247)
  static let jobCancelled = ExitStatus(rawValue: 248)
}

extension ExitStatus: CaseIterable {
  /// Those that dagrun makes itself.
  static let allCases: [ExitStatus] = explanations.map(\.status)

  /// For the manual page.
  var explanation: String { Self.explanations.first { $0.status == self }?.text ?? "" }

  private static let explanations: [(status: ExitStatus, text: String)] = [
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
