import Dagrun
import Dispatch
import Engine
import Foundation
import Scheduling

/// Follows a run to its end and shows how it goes. Ctrl-C cancels the run and follows it on to its end.
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
    case interrupted
    case cancelFailed(any Error)
    case ended((any Error)?)
  }

  /// - Throws: a `Complaint` with `.interrupted` when the run was cancelled from here; `SchedulerWentAway`.
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
    let clock = session.errors.isTerminal ? ticks(into: continuation) : nil
    defer { clock?.cancel() }

    var view = ProgressView(output: session.errors)
    defer { view.erase() }
    var last: RunProgress?
    var isCancelled = false
    follow: for await moment in moments {
      switch moment {
      case .progress(let progress):
        last = progress
        if showsProgress { view.report(progress, now: Timestamp(Date())) }
        for task in progress.moved where task.state.endsTry { tryEnded(task) }
        if progress.isFinal { break follow }
      case .tick: view.tick(now: Timestamp(Date()))
      case .interrupted:
        isCancelled = true
        view.erase()
        session.errors.line("cancelling run \(runID) of \(dagID); Ctrl-C again leaves at once")
        Task {
          do {
            let reply = try await control.send(.setRunState(dagID: dagID, runID: runID, .failed))
            if case .refused(let refusal) = reply { throw refusal }
          } catch {
            continuation.yield(.cancelFailed(error))
          }
        }
      case .cancelFailed(let error): throw error
      case .ended(let error):
        // Over the socket: the process at its other end has left.
        if control is SocketControl, (error as? ControlRefusal).map({ $0.kind == .gone }) ?? (error == nil) {
          throw SchedulerWentAway(runID: runID)
        }
        if let error { throw error }
        break follow
      }
    }
    if isCancelled {
      throw Complaint(
        .interrupted, "run \(runID) of \(dagID) was cancelled",
        hint: "'dagrun tasks clear \(dagID) --run-id \(ShellWord.quote(runID))' runs its tasks again")
    }
    guard let last, last.isFinal else {
      throw Complaint(
        .unavailable, "the scheduler stopped before run \(runID) of \(dagID) had ended", hint: "try again")
    }
    return last
  }

  private func ticks(into continuation: AsyncStream<Moment>.Continuation) -> any DispatchSourceTimer {
    let timer = DispatchSource.makeTimerSource()
    timer.schedule(deadline: .now() + 0.1, repeating: 0.1)
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
