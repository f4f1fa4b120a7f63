package import Clash
internal import Synchronization

/// Who wants the job of a driver cancelled, if anybody does: a signal to this process, or a request of another one.
package final class JobCancellation: Sendable {
  private struct State {
    var job: String?
    var project: String?
    // Not kept: its file goes with whoever works for the attempt.
    weak var claim: AttemptClaim?
    var wasInterrupted = false
    var isUnderWay = false
  }

  private let runner: JobRunner
  private let report: JobProgress.Handler
  private let state = Mutex(State())

  package init(_ runner: JobRunner, report: @escaping JobProgress.Handler) {
    self.runner = runner
    self.report = report
  }

  package var isUnderWay: Bool { state.withLock { $0.isUnderWay } }
  /// Also before there was a job to cancel.
  package var wasInterrupted: Bool { state.withLock { $0.wasInterrupted } }
  /// The job that is driven, and its project; nil when none is yet.
  package var target: (job: String, project: String)? {
    state.withLock { state in state.job.map { ($0, state.project ?? "") } }
  }

  /// This job is driven from now on. A signal may have come before it was known which it is.
  func setTarget(_ job: String, project: String) {
    let isToCancel = state.withLock { state in
      (state.job, state.project) = (job, project)
      state.isUnderWay = state.wasInterrupted
      return state.isUnderWay
    }
    if isToCancel { cancel(job) }
  }

  /// This process works for an attempt of a series.
  func set(_ claim: AttemptClaim) { state.withLock { $0.claim = claim } }

  /// A signal asks this process to end. Where a higher attempt has come, that has the job: this process is about to
  /// leave it.
  package func interrupt() {
    if state.withLock(\.claim)?.isSuperseded == true { return }
    let job = state.withLock { state in
      state.wasInterrupted = true
      state.isUnderWay = state.job != nil
      return state.job
    }
    if let job { cancel(job) }
  }

  /// Another process asks, and reports the end itself. Nothing, when another job is driven by now.
  func begin(_ job: String) {
    let isDriven = state.withLock { state in
      guard state.job == job else { return false }
      state.isUnderWay = true
      return true
    }
    if isDriven { runner.cancel(job) }
  }

  private func cancel(_ job: String) {
    // Before the report, whose reader may have stopped reading: the job costs money until it is removed.
    runner.cancel(job)
    report(.cancelling(job: job))
  }
}
