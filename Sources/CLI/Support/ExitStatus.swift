/// How the process ends. One place, documented in docs/exit-codes.md.
enum ExitStatus: Int32, CaseIterable, Sendable {
  /// Done; where a run was waited for, it succeeded.
  case success = 0
  /// The run that was waited for failed, or there was nothing to do.
  case runFailed = 1
  /// The command line, or a value in it, is wrong. Nothing was changed.
  case wrongUsage = 2
  /// No such DAG, run, task, pool, variable or backfill.
  case notFound = 3
  /// A DAG file does not compile, or does not describe itself.
  case importErrors = 4
  /// Another process holds what is needed, or the machine fails: disk, permissions, database.
  case unavailable = 5
  /// Stopped by Ctrl-C or SIGTERM.
  case interrupted = 130

  /// For the manual page.
  var explanation: String {
    switch self {
    case .success: "Done; where a run was waited for, it succeeded."
    case .runFailed: "The run that was waited for failed, or there was nothing to do."
    case .wrongUsage: "The command line, or a value in it, is wrong. Nothing was changed."
    case .notFound: "No such DAG, run, task, pool, variable or backfill."
    case .importErrors: "A DAG file does not compile, or does not describe itself."
    case .unavailable: "Another process holds what is needed, or the machine fails: disk, permissions, database."
    case .interrupted: "Stopped by Ctrl-C or SIGTERM, or not confirmed."
    }
  }
}
