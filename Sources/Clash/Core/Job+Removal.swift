internal import Dagrun
internal import GoogleCloud
internal import Model

// The end: whatever the reason, everything goes, in an order in which each can go.
extension Job {
  /// Settles how the job ends. The first one to do so counts: a cancel does not undo a result, nor a result a cancel.
  ///
  /// - Parameter attempt: How the current attempt ends with it, unless that is known already.
  mutating func end(_ outcome: JobOutcome, attempt: JobAttempt.Ending, _ step: inout JobStep) {
    switch phase {
    case .preparing, .pausing: break
    case .attempting(let plan, _, _):
      if attempts[plan.number - 1].ending == nil { attempts[plan.number - 1].ending = attempt }
    case .removing, .finished: return
    }
    dropCallThatWaits()
    phase = .removing(outcome, since: step.now)
  }

  mutating func fail(_ kind: InfrastructureFailure.Kind, _ message: String, _ step: inout JobStep) {
    step.note(message)
    let ending: JobAttempt.Ending =
      switch kind {
      case .machine, .network, .cloud, .noCapacity, .signedOut, .endedElsewhere: .lost
      case .outputs: .failed
      case .quota: .quotaExceeded
      case .permission, .invalidRequest, .imagePull, .containerStart, .commandNotExecutable, .commandNotFound, .inputs:
        .refused
      }
    end(JobOutcome(.infrastructure(InfrastructureFailure(kind, message))), attempt: ending, &step)
  }

  /// The job is no longer this home's: its subscription went without this home's doing, and took the result with it. No
  /// machine is asked for any more, or the job might run twice.
  mutating func endElsewhere(_ step: inout JobStep) {
    resources.removeAll { $0.id == .subscription }
    switch phase {
    case .removing, .finished: return
    case .preparing, .attempting, .pausing: break
    }
    fail(
      .endedElsewhere,
      "the subscription of job \(request.name) is gone: another home that attached to it has brought it to its end and "
        + "has its result, or somebody has deleted the subscription", &step)
  }

  /// Group, subscription, topic, templates. The VM's last words are in the subscription until the VM is gone. To remove
  /// the subscription is to acknowledge the result: until then another home that takes the job up must find all it
  /// needs, so the template, which tells it what the job is, goes last.
  mutating func nextRemoval(_ step: inout JobStep) -> JobCall? {
    guard case .removing(let outcome, let since) = phase else { return nil }
    let wanted = resources.filter { $0.abandonedBecause == nil }
    for case .group(let plan) in wanted.map(\.id) { return .removeGroup(plan) }
    if isLogOpen {
      if log.isIncomplete, isSubscribed, step.now < since.adding(seconds: timings.logGraceSeconds) { return nil }
      writeLog(log.close(), &step)
    }
    if wanted.contains(where: { $0.id == .subscription }) { return .removeSubscription }
    if wanted.contains(where: { $0.id == .topic }) { return .removeTopic }
    for case .template(let plan) in wanted.map(\.id) {
      if resource(.group(plan)) == nil { return .removeTemplate(plan) }
      change(.template(plan)) { $0.abandonedBecause = "its instance group is still there" }
    }
    finish(outcome, &step)
    return nil
  }

  /// More of the log may come: as long as there may be a VM, or parts are known to be missing.
  var isLogOpen: Bool {
    resources.contains { if case .group = $0.id { $0.abandonedBecause == nil } else { false } } || log.isIncomplete
  }

  private var isSubscribed: Bool { resource(.subscription)?.existence == .made }

  mutating func removalFailed(_ call: JobCall, _ error: CloudError, _ step: inout JobStep) {
    change(call.resource) { $0.failuresToRemove += 1 }
    underWay = nil
    let failures = resource(call.resource)?.failuresToRemove ?? 1
    let retry = CallUnderWay(call: call, failingSince: nil, retryAt: backoff(failures, step.now))
    switch phase {
    case .preparing, .pausing, .finished: break
    case .attempting(_, _, .deletingGroup(_, let since)):
      guard case .group = call.resource else { break }
      if isHopeless(error, failures, since: since, patience: timings.patienceSeconds, step.now) {
        // Without that certainty a next machine could be a second one.
        fail(.cloud, "\(error.advice); without that no other machine may be asked for", &step)
      } else {
        if error.faultClass == .signedOut { _ = toleratesLostLogin(error, &step) }
        underWay = retry
      }
    case .attempting:
      // Taken back while a removal was under way: no such arrow.
      break
    case .removing(_, let since):
      if isHopeless(error, failures, since: since, patience: timings.removalLimitSeconds, step.now) {
        step.note("\(error.advice); it is left behind")
        change(call.resource) { $0.abandonedBecause = error.message }
      } else {
        if error.faultClass == .signedOut { tellThatNothingGoes(error, &step) }
        underWay = retry
      }
    }
  }

  private mutating func tellThatNothingGoes(_ error: CloudError, _ step: inout JobStep) {
    liveness.signedOutSince = liveness.signedOutSince ?? step.now
    guard !liveness.hasToldOfRemoval else { return }
    liveness.hasToldOfRemoval = true
    step.note(
      "\(error.adviceToSignIn); without a login nothing can be removed. It is tried for "
        + "\(Int(saturating: timings.removalLimitSeconds / 60)) min, and left behind then: `dagrun job gc` removes it later"
    )
  }

  /// What may pass is tolerated for a while, in which somebody must have tried; what a person must put right is tried
  /// three times.
  ///
  /// - Parameter patience: for a login; all else that may pass has `removalLimitSeconds`.
  private func isHopeless(
    _ error: CloudError, _ failures: Int, since: Timestamp, patience: Double, _ now: Timestamp
  ) -> Bool {
    let seconds = now.seconds(since: max(since, liveness.resumedAt ?? since))
    switch error.faultClass {
    case .passing, .capacity: return seconds >= timings.removalLimitSeconds
    case .signedOut: return seconds >= patience
    case .refusal: return failures >= 3
    }
  }

  private mutating func finish(_ outcome: JobOutcome, _ step: inout JobStep) {
    var outcome = outcome
    outcome.leftBehind = resources.map {
      "\($0.id.description(job: request.name)): \($0.abandonedBecause ?? "not removed")"
    }
    closeLedgers(step.now)
    phase = .finished(outcome, at: step.now)
    step.tell(.ended(outcome))
  }
}
