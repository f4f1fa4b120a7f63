package import Dagrun
package import Model

/// A try that was under way when the last engine ended.
package struct ActiveTry: Sendable {
  package var key: TryKey
  package var task: TaskDescription
  package var dagID: String
  package var runID: String
  /// The run's; absolute.
  package var logFolder: String
  /// It was told to stop, or is past its timeout: what is left of it is ended.
  package var mustStop: Bool

  package init(
    _ key: TryKey, of task: TaskDescription, dagID: String, runID: String, logFolder: String, mustStop: Bool
  ) {
    self.key = key
    self.task = task
    self.dagID = dagID
    self.runID = runID
    self.logFolder = logFolder
    self.mustStop = mustStop
  }

  package var logPath: String { "\(logFolder)/\(LogPath.withinRun(key))" }
}

/// What became of it.
package enum Recovery {
  /// It is under way; its end will be reported.
  case running
  case ended(TaskResult)
  /// Nothing of it has begun, or not all: the engine launches it again, unless it must stop.
  case neverBegan
  /// Its executor cannot resume it.
  case failed(any Error)
}
