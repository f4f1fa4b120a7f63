internal import Dagrun
internal import Model

// VMs that never speak: what they would do, nobody would know, and the next one would meet the same.
extension Job {
  private static let mostUnheard = 2

  /// When a look reads the console of the attempt's VM.
  func consoleReading(of plan: AttemptPlan, in stage: Stage) -> ConsoleReading {
    guard isUnheard(plan.number) else { return .never }
    switch stage {
    case .waitingForMachine: return .ofEnded
    case .booting: return .ofAny
    case .makingTemplate, .makingGroup, .running, .terminating, .deletingGroup: return .never
    }
  }

  private func isUnheard(_ number: Int) -> Bool { log.boots(ofAttempt: number) == 0 }

  /// This process has listened since before the VM was asked for, and no pull of it was lost; or what waited for it has
  /// had its chance to come.
  private func hasReceivedAll(ofAttempt number: Int, _ now: Timestamp) -> Bool {
    let requestedAt = attempts[number - 1].requestedAt
    if let resumedAt = liveness.resumedAt, max(resumedAt, liveness.leasedAt ?? resumedAt) <= requestedAt { return true }
    return hasReceivedWhatWaited(now)
  }

  /// The VM has said on its console why it cannot report: nothing else will come of it.
  ///
  /// - Returns: false where it has not, or where a message of it may still be waiting.
  mutating func metReportFault(_ plan: AttemptPlan, _ machine: GroupReport.Machine?, _ step: inout JobStep) -> Bool {
    guard let fault = machine?.console?.fault, isUnheard(plan.number), hasReceivedAll(ofAttempt: plan.number, step.now)
    else {
      return false
    }
    let verdict = fault.verdict(of: request.spec.config, on: plan.candidate)
    let isLast = (unheardMachines ?? 0) + 1 >= Self.mostUnheard || machinesBegun >= ladder.maxAttempts
    if verdict.isCertain || isLast {
      fail(verdict.kind, verdict.message, &step)
    } else {
      lose(.noBoot, verdict.message, &step)
    }
    return true
  }

  /// Counts the attempt's VM if it was there and never spoke. A Spot VM may have been taken before it could.
  ///
  /// - Returns: false when the job has had as many such VMs as it may: it has failed.
  mutating func mayFollowUnheard(_ fault: LadderFault, _ step: inout JobStep) -> Bool {
    guard let attempt = attempts.last else { return true }
    guard isUnheard(attempt.number) else {
      unheardMachines = nil
      return true
    }
    guard attempt.machineStartedAt != nil, fault == .noBoot || (fault == .lost && !attempt.isSpot) else { return true }
    let count = (unheardMachines ?? 0) + 1
    unheardMachines = count
    guard count >= Self.mostUnheard else { return true }
    fail(
      .machine,
      "\(count) VMs ran and never spoke; the job gets no more. Look at its log for what was seen of them, and see whether "
        + "its disk image boots here and has cloud-init, bash and curl", &step)
    return false
  }
}
