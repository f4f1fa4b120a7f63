import Dagrun
import Engine
import Scheduling
import Storage

/// How commands reach the scheduler of the home: the one that runs, or one in this process.
extension Workspace {
  /// Asks the scheduler that runs, or one in this process that starts nothing.
  func ask(_ request: ControlRequest, of control: (any Control)? = nil) async throws -> ControlReply {
    throw Complaint(.unavailable, "not wired")
  }

  /// Does something with a scheduler that runs tasks: the one that runs, or one in this process for as long.
  func withScheduler(_ body: (any Control) async throws -> ExitStatus) async throws -> ExitStatus {
    throw Complaint(.unavailable, "not wired")
  }

  func run(_ request: ControlRequest, by control: (any Control)?) async throws -> (RunSummary, created: Bool) {
    switch try await ask(request, of: control) {
    case .run(let run, let created): return (run, created)
    case let other: throw Complaint(unexpected: other)
    }
  }

  func serve(untilIdle: Bool) async throws -> ExitStatus {
    throw Complaint(.unavailable, "not wired")
  }

  /// What was stored needs a scheduler; says so where none runs.
  func mentionWhatRunsThem(_ what: String) async throws {
  }

  /// A paused DAG starts no tasks, so waiting for its run would never end.
  func refusePaused(_ dagID: String, hint: String) throws {
    guard try reader()?.dag(dagID)?.isPaused == true else { return }
    throw Complaint(.wrongUsage, "\(dagID) is paused", hint: hint)
  }
}
