package import Dagrun
internal import Model

// Time: what happens when nothing else does.
extension Job {
  /// The job's own limit, from the first start of its container.
  var deadline: Timestamp? {
    guard let firstStartedAt, let limit = request.spec.timeoutSeconds else { return nil }
    return firstStartedAt.adding(seconds: limit)
  }

  /// When to send `.wake` if nothing else happens; nil: not at all.
  package var nextWake: Timestamp? {
    var moments = [underWay?.retryAt, acknowledgeAt, gapEndsAt]
    switch phase {
    case .preparing, .finished: break
    case .pausing(_, let until): moments += [until, deadline.map(onceHeard)]
    case .attempting(_, _, let stage):
      moments.append(deadline.map(onceHeard))
      if looks(in: stage), !liveness.isInspecting { moments.append(liveness.lookAt) }
      if case .terminating(_, _, let until) = stage { moments.append(onceHeard(until)) }
    case .removing(_, let since):
      if underWay == nil { moments.append(since.adding(seconds: timings.logGraceSeconds)) }
    }
    return moments.compactMap { $0 }.min()
  }

  mutating func meetDeadlines(_ step: inout JobStep) {
    if let gapEndsAt, gapEndsAt <= step.now {
      liveness.gapSince = nil
      writeLog(log.passGaps(), &step)
    }
    acknowledgeIfDue(&step)
    switch phase {
    case .preparing, .removing, .finished: return
    case .attempting, .pausing: break
    }
    if let deadline, let firstStartedAt, onceHeard(deadline) <= step.now {
      step.note("the job's time is up")
      let seconds = step.now.seconds(since: firstStartedAt)
      return end(JobOutcome(.timedOut(afterSeconds: seconds)), attempt: .timedOut, &step)
    }
    switch phase {
    case .pausing(let position, let until) where until <= step.now: beginAttempt(at: position, &step)
    case .attempting(_, _, .terminating(let fault, _, let until)) where onceHeard(until) <= step.now:
      enter(.deletingGroup(fault, since: step.now), step.now)
    case .attempting(let plan, _, let stage): if looks(in: stage) { lookIfDue(plan, stage, &step) }
    case .preparing, .pausing, .removing, .finished: break
    }
  }

  /// What is missing of the log was acknowledged by somebody else, or is lost: it would have come again by now.
  private var gapEndsAt: Timestamp? {
    switch phase {
    case .preparing, .attempting, .pausing: liveness.gapSince?.adding(seconds: timings.loanSeconds)
    case .removing, .finished: nil
    }
  }

  private func looks(in stage: Stage) -> Bool {
    switch stage {
    case .waitingForMachine, .booting, .running: true
    case .makingTemplate, .makingGroup, .terminating, .deletingGroup: false
    }
  }

  private mutating func lookIfDue(_ plan: AttemptPlan, _ stage: Stage, _ step: inout JobStep) {
    guard !liveness.isInspecting, let lookAt = liveness.lookAt, lookAt <= step.now else { return }
    liveness.isInspecting = true
    step.actions.append(.inspect(plan, console: consoleReading(of: plan, in: stage)))
  }
}
