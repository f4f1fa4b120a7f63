import Dagrun
import Dispatch
import Engine
import Foundation
import Scheduling
import Storage

/// Follows the runs of a backfill until all have ended. Ctrl-C cancels the backfill and the runs that go on.
struct BackfillFollower {
  let control: any Control
  let session: Session
  let dagID: String
  let backfill: Int64

  func follow(_ runs: [DAGRun]) async throws -> [RunSummary] {
    let isInterrupted = Flag()
    let interruption = Interruption {
      isInterrupted.set()
      session.errors.line("cancelling backfill \(backfill) of \(dagID); Ctrl-C again leaves at once")
      Task { try await cancel(runs) }
    }
    defer { interruption.end() }

    var ended: [RunSummary] = []
    do {
      for run in runs {
        // One after the other: those that have ended meanwhile say so at once.
        for try await progress in control.follow(run: run.number) where progress.isFinal {
          ended.append(progress.run)
          report(ended, of: runs.count)
        }
      }
    } catch let refusal as ControlRefusal where refusal.kind == .gone && control is SocketControl {
      throw SchedulerWentAway(runID: runs[ended.count].runID)
    }
    if session.errors.isTerminal && !ended.isEmpty { session.errors.line() }
    if isInterrupted.isSet { throw Complaint(.interrupted, "backfill \(backfill) of \(dagID) was cancelled") }
    guard ended.count == runs.count else {
      throw Complaint(
        .unavailable, "the scheduler went away before backfill \(backfill) of \(dagID) had ended",
        hint: "it goes on with the next scheduler: 'dagrun scheduler', or 'dagrun scheduler --until-idle'")
    }
    return ended
  }

  private func cancel(_ runs: [DAGRun]) async throws {
    _ = try await control.send(.cancelBackfill(number: backfill))
    for run in runs { _ = try await control.send(.setRunState(dagID: dagID, runID: run.runID, .failed)) }
  }

  private func report(_ ended: [RunSummary], of total: Int) {
    guard let last = ended.last else { return }
    if session.errors.isTerminal {
      let failed = ended.count { $0.state == .failed }
      let failures = failed == 0 ? "" : session.errors.style.red(", \(failed) failed")
      session.errors.raw("\r\u{1B}[K\(ShownText.line(dagID)): \(ended.count)/\(total) runs\(failures)")
    } else {
      session.errors.line("\(last.endDate?.iso8601 ?? "") \(last.runID) \(last.state.rawValue)")
    }
  }

  /// `backfill of nightly: 31 runs, 30 success, 1 failed`
  static func summary(_ runs: [RunSummary], of dagID: String, style: Style) -> String {
    var text = "backfill of \(dagID): \(runs.count) \(runs.count == 1 ? "run" : "runs")"
    for state in [DAGRunState.success, .failed] {
      let count = runs.count { $0.state == state }
      if count > 0 { text += ", \(count) \(style.state(state.rawValue))" }
    }
    return text
  }

  private final class Flag: @unchecked Sendable {
    private let lock = NSLock()
    private var value = false

    var isSet: Bool { lock.withLock { value } }

    func set() { lock.withLock { value = true } }
  }
}
