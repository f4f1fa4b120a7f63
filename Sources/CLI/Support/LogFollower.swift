import Engine
import Scheduling

/// Prints the log of a task, also while it grows.
struct LogFollower {
  let workspace: Workspace
  let run: DAGRun
  let taskID: String

  func printLog(ofTry tryNumber: Int, isRunning: Bool) throws {}
  func follow(from tryNumber: Int) async throws -> ExitStatus { .success }
}
