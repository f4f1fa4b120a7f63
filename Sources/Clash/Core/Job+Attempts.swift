internal import Basics
internal import Dagrun
internal import GoogleCloud
internal import Model

// Attempts: how one begins, how its machine is watched, and what comes after it.
extension Job {
  var ladder: Ladder { Ladder(request.spec.config) }

  mutating func beginAttempt(at position: LadderPosition, _ step: inout JobStep) {
    let plan = AttemptPlan(number: attempts.count + 1, candidate: ladder.candidate(at: position))
    attempts.append(
      JobAttempt(
        number: plan.number, zone: plan.candidate.place.zone, region: plan.candidate.place.region,
        machineType: plan.candidate.machineType, isSpot: plan.candidate.isSpot, requestedAt: step.now))
    phase = .attempting(plan, position, .makingTemplate)
    liveness.lookAt = nil
    step.note("attempt \(plan.number): asking for \(plan.candidate)")
    if plan.number == 1, request.hasDefaultRunLimit {
      step.note(
        "a machine ends after \(JobConfig.defaultRunSeconds / 3600) h, and the job with it; max_run_duration sets another "
          + "limit, and `none` takes it away")
    }
  }

  /// Moves the current attempt to another stage, and says when to look at its group next.
  mutating func enter(_ stage: Stage, _ now: Timestamp) {
    guard case .attempting(let plan, let position, _) = phase else { return }
    phase = .attempting(plan, position, stage)
    liveness.looks = 0
    switch stage {
    case .waitingForMachine: liveness.lookAt = now.adding(seconds: timings.firstLookSeconds)
    case .booting: liveness.lookAt = now.adding(seconds: timings.longestLookSeconds)
    case .running:
      liveness.lookAt = now.adding(seconds: attempts[plan.number - 1].zone == nil ? 0 : silenceBeforeLook(plan))
    case .makingTemplate, .makingGroup, .terminating, .deletingGroup: liveness.lookAt = nil
    }
  }

  // MARK: Watching the machine

  /// A VM says each minute that it lives. A Spot VM may be taken without a word, so that two minutes without one are
  /// reason enough to look.
  private func silenceBeforeLook(_ plan: AttemptPlan) -> Double {
    plan.candidate.isSpot ? timings.silenceSeconds / 2 : timings.silenceSeconds
  }

  mutating func inspected(_ plan: AttemptPlan, _ report: GroupReport, _ step: inout JobStep) {
    liveness.signedOutSince = nil
    guard let stage = stageOfLook(at: plan, step.now) else { return }
    guard case .present(let machine, let faults) = report else {
      // The VM removes its own group once its result is published.
      return beginTerminating(.lost, boot: nil, "its instance group is gone", for: timings.loanSeconds, &step)
    }
    if let zone = machine?.zone { attempts[plan.number - 1].zone = zone }
    switch machine?.state {
    case .running:
      machineSeen(plan.number)
      if case .waitingForMachine = stage {
        step.note("attempt \(plan.number): the machine is up")
        return enter(.booting(since: step.now), step.now)
      }
      if !metReportFault(plan, machine, &step) { judgeSilence(stage, machine?.console, step.now, &step) }
    case .ended:
      machineSeen(plan.number)
      if metReportFault(plan, machine, &step) { return }
      if stage.awaitsFirstWord, let (kind, error) = faults.lazy.compactMap(\.refusal).first {
        // It could not be brought up, and the next one could not either.
        fail(kind, error.advice, &step)
      } else if request.isDetached {
        guard case .waitingForMachine = stage else { return enter(.waitingForMachine(since: step.now), step.now) }
      } else {
        beginTerminating(.lost, boot: nil, "its machine has stopped", for: timings.graceSeconds, &step)
      }
    case .coming, nil:
      judgeWaiting(plan, stage, faults, &step)
    }
  }

  mutating func inspectionFailed(_ plan: AttemptPlan, _ error: CloudError, _ step: inout JobStep) {
    guard let stage = stageOfLook(at: plan, step.now) else { return }
    switch (error.faultClass, stage) {
    case (.passing, _), (.capacity, _): break
    case (.signedOut, .waitingForMachine), (.signedOut, .booting):
      if !toleratesLostLogin(error, &step) { fail(.signedOut, error.advice, &step) }
    case (.refusal(let kind), .waitingForMachine), (.refusal(let kind), .booting): fail(kind, error.advice, &step)
    // It runs: a result is worth more than a look.
    case (.signedOut, _), (.refusal, _): judgeSilence(stage, nil, step.now, &step)
    }
  }

  /// The stage of the current attempt, if that is what was looked at and it is still of interest. Sets the next look.
  private mutating func stageOfLook(at plan: AttemptPlan, _ now: Timestamp) -> Stage? {
    liveness.isInspecting = false
    guard case .attempting(plan, _, let stage) = phase else { return nil }
    liveness.looks += 1
    switch stage {
    case .waitingForMachine:
      let pause = Backoff(firstSeconds: timings.firstLookSeconds, longestSeconds: timings.longestLookSeconds)
      liveness.lookAt = now.adding(seconds: pause.seconds(doublings: liveness.looks))
    case .booting: liveness.lookAt = now.adding(seconds: timings.longestLookSeconds)
    case .running:
      let silentAt = (liveness.lastHeardAt ?? now).adding(seconds: silenceBeforeLook(plan))
      liveness.lookAt = max(silentAt, now.adding(seconds: 2 * timings.longestLookSeconds))
    case .makingTemplate, .makingGroup, .terminating, .deletingGroup:
      liveness.lookAt = nil
      return nil
    }
    return stage
  }

  /// No VM yet, and perhaps the reason why.
  private mutating func judgeWaiting(
    _ plan: AttemptPlan, _ stage: Stage, _ faults: [CloudError], _ step: inout JobStep
  ) {
    var capacity: (LadderFault, CloudError)?
    for error in faults {
      switch error.machineFaultClass {
      case .refusal(let kind): return fail(kind, error.advice, &step)
      // In a region, one zone may not have the machine, and another one may have none left: that one may have one
      // later.
      case .capacity(let fault):
        if capacity == nil || capacity?.0 == .notOffered || capacity?.0 == .refused { capacity = (fault, error) }
      case .passing, .signedOut: break
      }
    }
    guard case .waitingForMachine(let since) = stage else {
      // It was up. A repairing group makes it again; another one has lost it, whatever the cloud does with it now.
      if !request.isDetached {
        // Google's word on its group may be older than the machine's own.
        if let heardAt = liveness.lastHeardAt, step.now.seconds(since: heardAt) < silenceBeforeLook(plan) { return }
        return beginTerminating(.lost, boot: nil, "its machine is gone", for: timings.graceSeconds, &step)
      }
      return enter(.waitingForMachine(since: step.now), step.now)
    }
    if let (fault, error) = capacity {
      lose(fault, fault == .refused ? error.advice : error.message, &step)
    } else if step.now.seconds(since: since) >= timings.machineLimitSeconds {
      lose(.noMachine, "no machine and no reason within \(Int(saturating: timings.machineLimitSeconds)) s", &step)
    }
  }

  /// The VM is said to run, or cannot be looked at.
  private mutating func judgeSilence(
    _ stage: Stage, _ console: SerialConsole?, _ now: Timestamp, _ step: inout JobStep
  ) {
    switch stage {
    // Pulling a large image takes its time; what it says meanwhile counts.
    case .booting(let since) where isSilent(for: timings.bootLimitSeconds, since: since, now):
      let end = console?.lastLine.map { "; its serial console ends with “\($0)”" } ?? ""
      lose(
        .noBoot, "its machine runs and has said nothing for \(Int(saturating: timings.bootLimitSeconds)) s\(end)", &step
      )
    case .running where isSilent(for: timings.silenceLimitSeconds, since: submittedAt, now):
      lose(.lost, "its machine has said nothing for \(Int(saturating: timings.silenceLimitSeconds)) s", &step)
    case .makingTemplate, .makingGroup, .waitingForMachine, .booting, .running, .terminating, .deletingGroup: break
    }
  }

  /// Silent for so long; and this process has listened long enough to have received heartbeats.
  private func isSilent(for seconds: Double, since: Timestamp, _ now: Timestamp) -> Bool {
    liveness.pullDeniedSince == nil && hasReceivedWhatWaited(now)
      && now.seconds(since: max(since, liveness.lastHeardAt ?? since)) >= seconds
      && now.seconds(since: liveness.resumedAt ?? now) >= min(timings.silenceSeconds, seconds) / 2
  }

  /// What waited in the subscription when this process took the job up has had its chance to come: only then may
  /// something be concluded from silence or from a deadline.
  func hasReceivedWhatWaited(_ now: Timestamp) -> Bool {
    liveness.hasListened || now >= listeningChanceEndsAt
  }

  private var listeningChanceEndsAt: Timestamp {
    (liveness.resumedAt ?? submittedAt).adding(seconds: timings.silenceSeconds)
  }

  /// Not before what waited in the subscription has had its chance to come, and what is on loan has come again: it may
  /// be the result. Not for ever either, for pulls may fail without end.
  func onceHeard(_ moment: Timestamp) -> Timestamp {
    let moment = liveness.hasListened ? moment : max(moment, listeningChanceEndsAt)
    // Before its VM was asked for, nothing of the attempt can have been lent.
    guard let leasedAt = liveness.leasedAt, let attempt = attempts.last, attempt.requestedAt < leasedAt else {
      return moment
    }
    return min(
      max(moment, leasedAt.adding(seconds: timings.loanSeconds)),
      moment.adding(seconds: 4 * timings.loanSeconds))
  }

  // MARK: Losing it

  /// The VM is going or gone. A result may still be under way, so the next machine waits a while.
  mutating func beginTerminating(
    _ fault: LadderFault, boot: String?, _ reason: String, for seconds: Double, _ step: inout JobStep
  ) {
    guard case .attempting(let plan, _, _) = phase else { return }
    step.note("attempt \(plan.number): \(reason)")
    settleLedger(plan.number, fault)
    enter(.terminating(fault, boot: boot, until: step.now.adding(seconds: seconds)), step.now)
  }

  /// The attempt is given up: its group goes now.
  mutating func lose(_ fault: LadderFault, _ reason: String, _ step: inout JobStep) {
    guard case .attempting(let plan, var position, let stage) = phase else { return }
    step.note("attempt \(plan.number): \(reason)")
    settleLedger(plan.number, fault)
    dropCallThatWaits()
    if fault == .refused {
      position.refusal = reason
      phase = .attempting(plan, position, stage)
    }
    enter(.deletingGroup(fault, since: step.now), step.now)
  }

  /// Group and template are gone: on to the next rung.
  mutating func climb(after fault: LadderFault, from position: LadderPosition, _ step: inout JobStep) {
    writeLog(log.close(attempt: attempts.count), &step)
    guard mayFollowUnheard(fault, &step) else { return }
    switch ladder.step(after: fault, at: position, machinesBegun: machinesBegun) {
    case .climb(let next):
      beginAttempt(at: next, &step)
    case .pause(let next):
      let pause = Backoff(
        firstSeconds: timings.firstLadderPauseSeconds, longestSeconds: timings.longestLadderPauseSeconds
      ).seconds(doublings: next.climbs - 1)
      step.note("no machine anywhere; trying again in \(Int(saturating: pause)) s")
      phase = .pausing(next, until: step.now.adding(seconds: pause))
    case .giveUp:
      let count = attempts.count == 1 ? "1 attempt" : "\(attempts.count) attempts"
      let refusal = position.refusal.map { ". Of one that it refused, Google said: \($0)" } ?? ""
      switch fault {
      case .refused where !ladder.hasOthers(than: position):
        fail(.cloud, position.refusal ?? "Google refuses the job's machines", &step)
      case .outOfCapacity, .noMachine, .refused:
        fail(
          .noCapacity,
          "no machine to be had in \(count). Add zones, regions or machine types, or allow more attempts\(refusal)",
          &step)
      case .notOffered where !ladder.isOfferedNowhere(position):
        fail(
          .noCapacity,
          "no machine to be had in \(count): some places have none left, the others do not have its type\(refusal)",
          &step)
      case .notOffered:
        fail(
          .invalidRequest,
          "none of the job's zones and regions has \(machineDescription). \(Self.offerAdvice)\(refusal)",
          &step)
      case .quotaExceeded:
        fail(.quota, "the project's quota allows no such machine (\(count)). Raise it, or add zones or regions", &step)
      case .preempted:
        fail(.machine, "preempted on each of \(machinesBegun) machines. Allow more attempts, or on-demand ones", &step)
      case .lost, .noBoot:
        fail(.machine, "\(machinesBegun) machines were lost; the job may have no more. Its log may say why", &step)
      }
    }
  }

  private var machineDescription: String {
    let config = request.spec.config
    let accelerators = config.accelerators.map { "\($0.count) x \($0.type)" }.joined(separator: ", ")
    return config.machineTypes.joined(separator: " or ") + (accelerators.isEmpty ? "" : " with \(accelerators)")
  }

  private static let offerAdvice =
    "`gcloud compute machine-types list --filter=name=TYPE` tells where there is one, and "
    + "`gcloud compute accelerator-types list` the same of accelerators"

  /// VMs that were begun, as far as is known; a VM that was repaired or rebooted is another one each time.
  var machinesBegun: Int {
    attempts.reduce(0) { sum, attempt in
      sum + max(log.boots(ofAttempt: attempt.number), attempt.machineStartedAt == nil ? 0 : 1)
    }
  }
}
