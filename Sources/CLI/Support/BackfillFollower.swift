import Control
import Dagrun
import Dispatch
import Foundation
import Model
import Presentation
import Scheduling
import Storage

/// Follows the runs of a backfill until all have ended. Ctrl-C cancels the backfill and the runs under way. One that
/// can never continue is ended, as Airflow ends a deadlocked one.
struct BackfillFollower {
  let control: any Control
  let session: Session
  let dagID: String
  let backfill: Int64

  private enum Moment: Sendable {
    case moved
    case runEnded(RunSummary)
    case tick
    case waits(WaitingRuns?)
    case interrupted
    case endFailed(any Error)
    case ended((any Error)?)
  }

  /// - Throws: a `UserError` with `.interrupted` when the backfill was cancelled from here, with `.runFailed` when it
  ///   could not continue; `SchedulerWentAway`.
  func follow(_ runs: [DAGRun]) async throws -> [RunSummary] {
    let (moments, continuation) = AsyncStream.makeStream(of: Moment.self)
    let interruption = Interruption { continuation.yield(.interrupted) }
    defer { interruption.end() }
    let reports = Task { continuation.yield(.ended(await report(on: runs, to: continuation))) }
    defer { reports.cancel() }
    let clock = DispatchSource.makeTimerSource()
    clock.schedule(deadline: .now() + 1, repeating: 1)
    clock.setEventHandler { continuation.yield(.tick) }
    clock.resume()
    defer { clock.cancel() }

    var ended: [RunSummary] = []
    var notice = WaitingNotice(showsActive: true)
    /// What is thrown at the end, when the backfill was ended from here.
    var cause: UserError?
    follow: for await moment in moments {
      switch moment {
      case .moved: notice.moved()
      case .runEnded(let run):
        notice.moved()
        ended.append(run)
        report(ended, of: runs.count)
      case .tick:
        guard notice.isDue() else { continue }
        let numbers = runs.map(\.number)
        Task { continuation.yield(.waits(await control.waiting(ofRuns: numbers))) }
      case .waits(let waiting):
        let lines = notice.lines(waiting)
        if !lines.isEmpty, session.errors.isTerminal { session.errors.write("\r\u{1B}[K") }
        for line in lines { session.errors.line(line) }
        guard let waiting, waiting.isStuck, cause == nil else { continue }
        cause = waiting.userError(
          about: "backfill \(backfill) of \(dagID)",
          hint: "see to that, then again with --reprocess-behavior failed")
        endStuck(runs, continuation)
      case .interrupted:
        cause = UserError(.interrupted, "backfill \(backfill) of \(dagID) was cancelled")
        session.errors.line("cancelling backfill \(backfill) of \(dagID); Ctrl-C again leaves at once")
        end(runs, continuation)
      case .endFailed(let error): throw error
      case .ended(let error):
        if let refusal = error as? ControlError, refusal.kind == .gone, control.isElsewhere {
          throw SchedulerWentAway(runID: runs[ended.count].runID)
        }
        if let error { throw error }
        break follow
      }
    }
    if session.errors.isTerminal && !ended.isEmpty { session.errors.line() }
    if let cause { throw cause }
    guard ended.count == runs.count else {
      throw UserError(
        .unavailable, "the scheduler went away before backfill \(backfill) of \(dagID) had ended",
        hint: "it continues with the next scheduler: 'dagrun scheduler', or 'dagrun scheduler --until-idle'")
    }
    return ended
  }

  /// - Returns: what kept it from following them all.
  private func report(on runs: [DAGRun], to continuation: AsyncStream<Moment>.Continuation) async -> (any Error)? {
    do {
      for run in runs {
        // One after the other: those that have ended meanwhile say so at once.
        for try await progress in control.follow(run: run.number) {
          continuation.yield(progress.isFinal ? .runEnded(progress.run) : .moved)
        }
      }
      return nil
    } catch {
      return error
    }
  }

  private func endStuck(_ runs: [DAGRun], _ continuation: AsyncStream<Moment>.Continuation) {
    Task {
      do {
        let going = await control.waiting(ofRuns: runs.map(\.number)).map { Set($0.unfinishedRuns) }
        // The oldest first: the others wait for it.
        let byDate = runs.sorted { ($0.logicalDate ?? $0.queuedAt) < ($1.logicalDate ?? $1.queuedAt) }
        for run in byDate where going?.contains(run.number) ?? true {
          _ = try await control.send(.endStuckRun(dagID: dagID, runID: run.runID))
        }
      } catch {
        continuation.yield(.endFailed(error))
      }
      // The end of its last run may have completed it already.
      _ = try? await control.send(.cancelBackfill(number: backfill))
    }
  }

  private func end(_ runs: [DAGRun], _ continuation: AsyncStream<Moment>.Continuation) {
    Task {
      do {
        _ = try await control.send(.cancelBackfill(number: backfill))
        // Those that have ended stay as they are.
        let going = await control.waiting(ofRuns: runs.map(\.number)).map { Set($0.unfinishedRuns) }
        for run in runs where going?.contains(run.number) ?? true {
          _ = try await control.send(.setRunState(dagID: dagID, runID: run.runID, .failed))
        }
      } catch {
        continuation.yield(.endFailed(error))
      }
    }
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
}
