import Clash
import Synchronization

/// Who wants the job of a driver cancelled, if anybody does: Ctrl-C and SIGTERM, or `dagrun job cancel` of another process.
final class JobCancelling: Sendable {
  private struct State {
    var job: String?
    var project: String?
    var wasInterrupted = false
    var isUnderWay = false
  }

  private let runner: JobRunner
  private let workplace: JobHome
  private let state = Mutex(State())

  init(_ runner: JobRunner, _ workplace: JobHome) {
    self.runner = runner
    self.workplace = workplace
  }

  private var errors: Output { workplace.session.errors }

  var isUnderWay: Bool { state.withLock { $0.isUnderWay } }
  /// Also before there was a job to cancel.
  var wasInterrupted: Bool { state.withLock { $0.wasInterrupted } }

  /// This job is driven from now on. Somebody may have wanted to cancel it before it was known which it is.
  func aim(at job: String, project: String) {
    let isToCancel = state.withLock { state in
      (state.job, state.project) = (job, project)
      state.isUnderWay = state.wasInterrupted
      return state.isUnderWay
    }
    if isToCancel { cancel(job) }
  }

  func begin() {
    let job = state.withLock { state in
      state.isUnderWay = state.job != nil
      return state.job
    }
    if let job { runner.cancel(job) }
  }

  func byInterruption() -> Interruption {
    Interruption { [self] in
      let job = state.withLock { state in
        state.wasInterrupted = true
        state.isUnderWay = state.job != nil
        return state.job
      }
      if let job { cancel(job) }
    } onSecond: { [self] in
      let (aim, project) = state.withLock { ($0.job, $0.project) }
      guard let job = aim else { return }
      errors.line(
        "left. What job \(job) has may be there still, and cost money; remove it with: "
          + workplace.cancelCommand(job, project: project))
    }
  }

  private func cancel(_ job: String) {
    errors.line("cancelling job \(job) and removing what it has; once more leaves at once")
    runner.cancel(job)
  }
}
