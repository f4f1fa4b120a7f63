import Dagrun
package import Model

/// What the ends of the upstream tasks mean for a task.
package enum RuleDecision: Hashable, Sendable {
  case wait
  case run
  /// It will not run, and this is how it ends.
  case end(TaskState)
}

extension TriggerRule {
  /// Airflow's `TriggerRuleDep`, one rule a case: first what ends the task without running it, also early, then what
  /// lets it run.
  ///
  /// N upstream tasks, of which S succeeded, K were skipped, F failed, U are `upstream_failed`, R are removed; D are
  /// done.
  func decide(_ counts: UpstreamCounts, setups: SetupCounts = .init()) -> RuleDecision {
    let n = counts.upstream
    let (s, k, f, u, r) = (
      counts.succeeded, counts.skipped, counts.failed, counts.upstreamFailed, counts.removed
    )
    if n == 0 { return .run }
    let allDone = counts.done >= n
    switch self {
    case .always:
      return .run
    case .allSuccess:
      if f + u > 0 { return .end(.upstreamFailed) }
      if k > 0 { return .end(.skipped) }
      return n - s - r <= 0 ? .run : .wait
    case .allFailed:
      if s + k > 0 { return .end(.skipped) }
      return n - f - u - r <= 0 ? .run : .wait
    case .allDone:
      return allDone ? .run : .wait
    case .allDoneMinOneSuccess:
      if k > 0 { return .end(.skipped) }
      if allDone, s == 0 { return .end(.upstreamFailed) }
      return allDone ? .run : .wait
    case .allDoneSetupSuccess:
      if allDone, setups.setups > 0 {
        if setups.skipped >= setups.setups { return .end(.skipped) }
        if setups.succeeded == 0 { return .end(.upstreamFailed) }
      }
      return allDone ? .run : .wait
    case .oneSuccess:
      if s > 0 { return .run }
      if allDone { return .end(k == counts.done ? .skipped : .upstreamFailed) }
      return .wait
    case .oneFailed:
      if f + u > 0 { return .run }
      return allDone ? .end(.skipped) : .wait
    case .oneDone:
      if s + f > 0 { return .run }
      return allDone ? .end(.skipped) : .wait
    case .noneFailed:
      if f + u > 0 { return .end(.upstreamFailed) }
      return n - s - k - r <= 0 ? .run : .wait
    case .noneFailedMinOneSuccess:
      if f + u > 0 { return .end(.upstreamFailed) }
      if k == n { return .end(.skipped) }
      if allDone, s == 0 { return .end(.upstreamFailed) }
      return n - s - k - r <= 0 && s > 0 ? .run : .wait
    case .noneSkipped:
      if k > 0 { return .end(.skipped) }
      return allDone ? .run : .wait
    case .allSkipped:
      if s + f + u > 0 { return .end(.skipped) }
      return n - k <= 0 ? .run : .wait
    }
  }

  /// What the rule waits for, for a person.
  var requirement: String {
    switch self {
    case .allSuccess: "all upstream tasks to succeed"
    case .allFailed: "all upstream tasks to fail"
    case .allDone: "all upstream tasks to end"
    case .allDoneMinOneSuccess: "all upstream tasks to end, at least one of them with success"
    case .allDoneSetupSuccess: "all upstream tasks to end, and a setup to succeed"
    case .oneSuccess: "one upstream task to succeed"
    case .oneFailed: "one upstream task to fail"
    case .oneDone: "one upstream task to succeed or fail"
    case .noneFailed: "all upstream tasks to succeed or be skipped"
    case .noneFailedMinOneSuccess: "all upstream tasks to succeed or be skipped, at least one to succeed"
    case .noneSkipped: "all upstream tasks to end without being skipped"
    case .allSkipped: "all upstream tasks to be skipped"
    case .always: "nothing"
    }
  }
}
