internal import Dagrun
internal import Model

// The ledger: what the cloud says of each attempt's VMs, and what follows from it.
extension Job {
  /// Its group has had a VM, or has one.
  mutating func machineSeen(_ number: Int) {
    note(number) { $0.wasSeen = true }
  }

  /// A VM said something, and Pub/Sub took it then.
  mutating func machineSpoke(_ said: MachineMessage) {
    note(said.attempt) { evidence in
      evidence.wasSeen = true
      guard let moment = said.publishedAt else { return }
      evidence.firstWordAt = min(evidence.firstWordAt ?? moment, moment)
      switch said.content {
      case .preempted: evidence.preemptionWordAt = evidence.preemptionWordAt ?? moment
      case .result, .unreadableResult: evidence.resultWordAt = evidence.resultWordAt ?? moment
      case .started, .log, .heartbeat: break
      }
    }
  }

  mutating func machinesFound(_ plan: AttemptPlan, _ found: MachineFindings) {
    guard attempts.indices.contains(plan.number - 1) else { return }
    note(plan.number) { evidence in
      for fact in found.instances {
        evidence.instances.removeAll { $0.id == fact.id }
        evidence.instances.append(fact)
      }
      guard let operations = found.operations else { return }
      evidence.operations = operations
      evidence.areOperationsComplete = found.areOperationsComplete
    }
  }

  mutating func settleLedger(_ number: Int, _ fault: LadderFault) {
    if fault == .preempted { preemptions += 1 }
    attempts[number - 1].ending =
      switch fault {
      case .outOfCapacity, .noMachine: .outOfCapacity
      case .quotaExceeded: .quotaExceeded
      case .notOffered: .notOffered
      case .refused: .refused
      case .preempted: .preempted
      case .lost, .noBoot: .lost
      }
  }

  /// Its group is gone, and its VMs with it.
  mutating func closeLedger(_ number: Int, _ now: Timestamp) {
    guard attempts[number - 1].endedAt == nil else { return }
    note(number) { $0.groupGoneAt = now }
    // It was taken without a word.
    if attempts[number - 1].ending == .lost, attempts[number - 1].machines?.last?.wasPreempted == true {
      settleLedger(number, .preempted)
    }
    attempts[number - 1].endedAt = attempts[number - 1].machines?.compactMap(\.ended?.latest).max() ?? now
  }

  /// The job is over: nothing more will be known.
  mutating func closeLedgers(_ now: Timestamp) {
    for index in attempts.indices {
      attempts[index].evidence = nil
      guard attempts[index].endedAt == nil else { continue }
      // One that never had a group had no VM. A group that could not be removed is charged for still, if it has one.
      var machines = attempts[index].machines ?? []
      if machines.isEmpty, leavesGroup(of: attempts[index].number) {
        let bounds = TimeBounds(attempts[index].requestedAt, now)
        machines = [MachineUse(zone: attempts[index].zone, began: bounds, isDoubtful: true)]
      }
      attempts[index].machines = machines
      attempts[index].endedAt = now
    }
  }

  private func leavesGroup(of number: Int) -> Bool {
    resources.contains { if case .group(let plan) = $0.id { plan.number == number } else { false } }
  }

  private mutating func note(_ number: Int, _ change: (inout MachineEvidence) -> Void) {
    guard !isFinished else { return }
    let attempt = attempts[number - 1]
    // One that is closed without evidence is on another home's ledger, or an older dagrun's. A late word of it is no news.
    guard attempt.endedAt == nil || attempt.evidence != nil else { return }
    var evidence = attempt.evidence ?? MachineEvidence()
    if attempt.evidence == nil, attempt.machineStartedAt != nil { evidence.wasSeen = true }
    evidence.groupRepairs = request.isDetached
    change(&evidence)
    guard evidence != attempt.evidence else { return }
    attempts[number - 1].evidence = evidence
    let machines = MachineAccount.machines(of: attempts[number - 1], by: evidence)
    attempts[number - 1].machines = machines
    // One that nothing shows to have been up is none that was begun: the job may have as many as before.
    let begun = machines.first { !$0.isDoubtful } ?? (evidence.wasSeen ? machines.first : nil)
    attempts[number - 1].machineStartedAt = begun?.began.earliest
  }
}
