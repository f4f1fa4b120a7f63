import Control
import Dagrun
import Dispatch
import Foundation
import Model
import Scheduling

/// Follows a run to its end and shows how it goes. Ctrl-C cancels the run and follows it on to its end. A run that can
/// never continue is ended.
struct RunFollower {
  let control: any Control
  let session: Session
  /// False where the run has ended before: what happened then is no news.
  var showsProgress = true
  /// Told when a try has ended.
  var tryEnded: @Sendable (RunProgress.MovedTask) -> Void = { _ in }

  private enum Moment: Sendable {
    case progress(RunProgress)
    case tick
    case waits(WaitingRuns?)
    case interrupted
    case endFailed(any Error)
    case ended((any Error)?)
  }

  /// - Throws: a `UserError` with `.interrupted` when the run was cancelled from here, with `.runFailed` when it could
  ///   not continue; `SchedulerWentAway`.
  func follow(_ run: RunSummary) async throws -> RunProgress {
    let (dagID, runID) = (run.dagID, run.runID)
    let (moments, continuation) = AsyncStream.makeStream(of: Moment.self)
    let interruption = Interruption { continuation.yield(.interrupted) }
    defer { interruption.end() }
    let reports = Task {
      do {
        for try await progress in control.follow(run: run.number) { continuation.yield(.progress(progress)) }
        continuation.yield(.ended(nil))
      } catch {
        continuation.yield(.ended(error))
      }
    }
    defer { reports.cancel() }
    let clock = ticks(into: continuation)
    defer { clock.cancel() }

    var view = ProgressView(output: session.errors)
    defer { view.erase() }
    var notice = WaitingNotice(showsActive: !session.errors.isTerminal)
    var last: RunProgress?
    /// What is thrown at the end, when the run was ended from here.
    var cause: UserError?
    follow: for await moment in moments {
      switch moment {
      case .progress(let progress):
        last = progress
        if !progress.moved.isEmpty { notice.moved() }
        if showsProgress { view.report(progress, now: Timestamp(Date())) }
        for task in progress.moved where task.state.endsTry { tryEnded(task) }
        if progress.isFinal { break follow }
      case .tick:
        view.tick(now: Timestamp(Date()))
        if notice.isDue() {
          Task { continuation.yield(.waits(await control.waiting(ofRuns: [run.number]))) }
        }
      case .waits(let waiting):
        let lines = notice.lines(waiting)
        if !lines.isEmpty { view.erase() }
        for line in lines { session.errors.line(line) }
        guard let waiting, waiting.isStuck, cause == nil else { continue }
        cause = waiting.userError(
          about: "run \(runID) of \(dagID)", hint: "see to that, then: \(Self.again(dagID, runID))")
        end(.endStuckRun(dagID: dagID, runID: runID), continuation)
      case .interrupted:
        cause = UserError(
          .interrupted, "run \(runID) of \(dagID) was cancelled",
          hint: "'\(Self.again(dagID, runID))' runs its tasks again")
        view.erase()
        session.errors.line("cancelling run \(runID) of \(dagID); Ctrl-C again leaves at once")
        end(.setRunState(dagID: dagID, runID: runID, .failed), continuation)
      case .endFailed(let error): throw error
      case .ended(let error):
        // Over the socket: the process at its other end has left.
        if control.isElsewhere, (error as? ControlError).map({ $0.kind == .gone }) ?? (error == nil) {
          throw SchedulerWentAway(runID: runID)
        }
        if let error { throw error }
        break follow
      }
    }
    if let cause { throw cause }
    guard let last, last.isFinal else {
      throw UserError(
        .unavailable, "the scheduler stopped before run \(runID) of \(dagID) had ended", hint: "try again")
    }
    return last
  }

  private func end(_ request: ControlRequest, _ continuation: AsyncStream<Moment>.Continuation) {
    Task {
      do {
        let reply = try await control.send(request)
        if case .refused(let refusal) = reply { throw refusal }
      } catch {
        continuation.yield(.endFailed(error))
      }
    }
  }

  private static func again(_ dagID: String, _ runID: String) -> String {
    "dagrun tasks clear \(dagID) --run-id \(ShellWord.quote(runID))"
  }

  private func ticks(into continuation: AsyncStream<Moment>.Continuation) -> any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource()
    // Only what is drawn again and again needs to be told often.
    let interval = session.errors.isTerminal ? 0.1 : 1
    timer.schedule(deadline: .now() + interval, repeating: interval)
    timer.setEventHandler { continuation.yield(.tick) }
    timer.resume()
    return timer
  }
}

extension TaskState {
  /// Reached from `running`: there is a log now.
  fileprivate var endsTry: Bool {
    switch self {
    case .success, .failed, .upForRetry, .skipped: true
    case .none, .removed, .scheduled, .queued, .running, .restarting, .upForReschedule, .upstreamFailed, .deferred,
      .awaitingInput:
      false
    }
  }
}
