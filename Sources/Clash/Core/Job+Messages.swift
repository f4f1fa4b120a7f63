internal import Basics
internal import Dagrun
internal import GoogleCloud
internal import Model

// What VMs say: stored first, then acknowledged. Other owners', repeated and late messages are acknowledged unread.
extension Job {
  private static let mostAckIDs = 500

  mutating func received(_ messages: [JobMessage], _ step: inout JobStep) {
    liveness.hasListened = true
    liveness.pullDeniedSince = nil
    var lastWords: (MachineMessage, MachineResult)?
    for message in messages {
      guard let said = MachineMessage(message, of: request), attempts.indices.contains(said.attempt - 1) else {
        settle([message.ackID], step.now)
        continue
      }
      received(said, &step)
      switch said.content {
      case .log(let offset, let bytes):
        writeLog(
          log.add(bytes, offset: offset, attempt: said.attempt, boot: said.boot, ackID: message.ackID), &step)
        liveness.gapSince = log.hasPartsThatWait ? liveness.gapSince ?? step.now : nil
        printed(said, &step)
        continue
      case .started(let moment): started(said, at: moment ?? step.now, &step)
      case .heartbeat: break
      case .preempted: preempted(said, &step)
      // Not acknowledged, ever: it waits for the job's next driver, until the subscription goes with all that is in it.
      case .result(let result):
        lastWords = lastWords ?? (said, result)
        continue
      case .unreadableResult(let why):
        let failure = InfrastructureFailure(.machine, "the machine's result cannot be read: \(why)")
        lastWords =
          lastWords
          ?? (said, MachineResult(status: nil, infrastructure: failure, startedAt: nil, endedAt: step.now))
        continue
      }
      settle([message.ackID], step.now)
    }
    // After all else of the same pull, whatever the order of delivery: a result outweighs what else a machine says.
    if let (said, result) = lastWords { take(result, said, &step) } else { limitBoots(&step) }
    acknowledgeIfDue(&step)
  }

  mutating func listeningFailed(_ error: CloudError, _ step: inout JobStep) {
    switch error.faultClass {
    case .passing, .capacity: break
    // A login that has run out, or a role that was taken away for a moment, is no reason to throw hours of work away:
    // its result waits in the subscription.
    case .signedOut where isRunning, .refusal(.permission) where isRunning:
      let kind: InfrastructureFailure.Kind = error.faultClass == .signedOut ? .signedOut : .permission
      if !isBorne(&step, error) { fail(kind, error.advice, &step) }
    case .signedOut:
      // Silence means nothing as long as nobody may listen.
      liveness.pullDeniedSince = liveness.pullDeniedSince ?? step.now
      if !toleratesLostLogin(error, &step) { fail(.signedOut, error.advice, &step) }
    case .refusal where error.reason == .notFound: endElsewhere(&step)
    case .refusal(let kind): fail(kind, error.advice, &step)
    }
  }

  private mutating func isBorne(_ step: inout JobStep, _ error: CloudError) -> Bool {
    guard let since = liveness.pullDeniedSince else {
      liveness.pullDeniedSince = step.now
      let advice = error.faultClass == .signedOut ? error.adviceToSignIn : error.advice
      step.note("\(advice). The job runs on meanwhile, and is listened to again as soon as that works")
      return true
    }
    return step.now.seconds(since: since) < timings.patienceSeconds
  }

  // MARK: What a message changes

  /// Any message shows that its VM is up.
  private mutating func received(_ said: MachineMessage, _ step: inout JobStep) {
    log.sees(boot: said.boot, attempt: said.attempt)
    machineSpoke(said)
    guard case .attempting(let plan, _, let stage) = phase, plan.number == said.attempt else { return }
    liveness.lastHeardAt = step.now
    if step.now.seconds(since: heardOfAt ?? submittedAt) >= timings.silenceSeconds { heardOfAt = step.now }
    switch stage {
    case .waitingForMachine: enter(.booting(since: step.now), step.now)
    case .running: if attempts[plan.number - 1].zone != nil { enter(stage, step.now) }
    case .makingTemplate, .makingGroup, .booting, .terminating, .deletingGroup: break
    }
  }

  /// The VM's clock may be wrong; its container cannot have begun before the VM was asked for, nor in the future.
  private func plausible(_ moment: Timestamp, of attempt: JobAttempt, _ now: Timestamp) -> Timestamp {
    min(max(moment, attempt.requestedAt), now)
  }

  private mutating func started(_ said: MachineMessage, at moment: Timestamp, _ step: inout JobStep) {
    let index = said.attempt - 1
    let began = plausible(moment, of: attempts[index], step.now)
    if attempts[index].containerStartedAt == nil { attempts[index].containerStartedAt = began }
    firstStartedAt = min(firstStartedAt ?? began, began)
    guard case .attempting(let plan, _, let stage) = phase, plan.number == said.attempt else { return }
    switch stage {
    case .makingTemplate, .deletingGroup: return
    // Not the VM that was just lost, but the next one of a repairing group, or the same one after a reboot.
    case .terminating(_, let boot, _) where boot == nil || boot == said.boot: return
    case .running(said.boot): return
    case .makingGroup, .waitingForMachine, .booting, .running, .terminating: break
    }
    attempts[index].ending = nil
    heardOfAt = step.now
    enter(.running(boot: said.boot), step.now)
    step.tell(.began(attempts[index]))
  }

  /// What prints has begun, though word of that is late, or somebody else took it.
  private mutating func printed(_ said: MachineMessage, _ step: inout JobStep) {
    guard case .attempting(let plan, _, let stage) = phase, plan.number == said.attempt else { return }
    switch stage {
    case .waitingForMachine, .booting: started(said, at: step.now, &step)
    case .makingTemplate, .makingGroup, .running, .terminating, .deletingGroup: break
    }
  }

  /// A repairing group makes machines for ever; the job may have as many as any other.
  private mutating func limitBoots(_ step: inout JobStep) {
    guard case .attempting(let plan, _, .running) = phase, log.boots(ofAttempt: plan.number) > 1,
      machinesBegun > ladder.maxAttempts
    else { return }
    fail(.machine, "the machine was begun \(machinesBegun) times; the job may have \(ladder.maxAttempts)", &step)
  }

  private mutating func preempted(_ said: MachineMessage, _ step: inout JobStep) {
    guard case .attempting(let plan, _, let stage) = phase, plan.number == said.attempt else { return }
    switch stage {
    // It was seen to stop before its word of why came.
    case .terminating(.lost, let boot, let until) where !request.isDetached && (boot == nil || boot == said.boot):
      return beginTerminating(.preempted, boot: said.boot, "preempted", for: until.seconds(since: step.now), &step)
    case .makingTemplate, .terminating, .deletingGroup: return
    // Of an earlier boot, whose end is known already.
    case .running(let boot) where boot != said.boot: return
    case .makingGroup, .waitingForMachine, .booting, .running: break
    }
    if request.isDetached {
      preemptions += 1
      step.note("attempt \(plan.number): preempted; the group makes its machine again")
      enter(.waitingForMachine(since: step.now), step.now)
    } else {
      beginTerminating(.preempted, boot: said.boot, "preempted", for: timings.graceSeconds, &step)
    }
  }

  // MARK: The result

  private mutating func take(_ result: MachineResult, _ said: MachineMessage, _ step: inout JobStep) {
    switch phase {
    case .preparing, .attempting, .pausing: break
    case .removing(let outcome, let since):
      // In time after all; it was the message that was late.
      guard case .timedOut = outcome.ending, let deadline, result.endedAt <= deadline else { return }
      phase = .removing(self.outcome(of: result, said, step.now), since: since)
      attempts[said.attempt - 1].ending = attemptEnding(of: result)
      return writeLog(
        log.end(attempt: said.attempt, boot: said.boot, total: result.logBytes, tail: result.logTail), &step)
    case .finished: return
    }
    if let began = result.startedAt, attempts[said.attempt - 1].containerStartedAt == nil {
      attempts[said.attempt - 1].containerStartedAt = plausible(began, of: attempts[said.attempt - 1], step.now)
    }
    writeLog(log.end(attempt: said.attempt, boot: said.boot, total: result.logBytes, tail: result.logTail), &step)
    attempts[said.attempt - 1].ending = attemptEnding(of: result)
    // A younger attempt is under way: it is not needed.
    end(outcome(of: result, said, step.now), attempt: .cancelled, &step)
    acknowledge(&step)
  }

  private func outcome(of result: MachineResult, _ said: MachineMessage, _ now: Timestamp) -> JobOutcome {
    let ending: JobOutcome.Ending =
      if let failure = result.infrastructure {
        .infrastructure(failure)
      } else if let status = result.status {
        .exited(status: status)
      } else {
        .infrastructure(InfrastructureFailure(.machine, "the machine gave no exit status"))
      }
    let attempt = attempts[said.attempt - 1]
    let jobResult = result.status.map { status in
      JobResult(
        exitStatus: status,
        durationSeconds: result.startedAt.map { max(result.endedAt.seconds(since: $0), 0) } ?? 0,
        totalSeconds: max(now.seconds(since: submittedAt), 0), zone: attempt.zone ?? attempt.region,
        machineType: attempt.machineType, isSpot: attempt.isSpot, attempts: max(attempts.count, machinesBegun),
        preemptions: preemptions)
    }
    return JobOutcome(
      ending, result: jobResult, output: result.output, logTail: WholeCharacters.text(ofTail: result.logTail))
  }

  private func attemptEnding(of result: MachineResult) -> JobAttempt.Ending {
    switch result.infrastructure?.kind {
    case nil: result.status == 0 ? .succeeded : result.status == nil ? .lost : .failed
    case .outputs: .failed
    case .machine, .network, .cloud, .noCapacity, .signedOut, .endedElsewhere: .lost
    case .quota, .permission, .invalidRequest, .imagePull, .containerStart, .commandNotExecutable, .commandNotFound,
      .inputs:
      .refused
    }
  }

  // MARK: The log, and acknowledgements

  mutating func writeLog(_ progress: LogAssembler.Progress, _ step: inout JobStep) {
    settle(progress.settled, step.now)
    if !progress.bytes.isEmpty { step.actions.append(.writeLog(progress.bytes, at: progress.at)) }
  }

  private mutating func settle(_ ackIDs: [String], _ now: Timestamp) {
    guard !ackIDs.isEmpty else { return }
    liveness.ackIDs += ackIDs
    liveness.oldestAckAt = liveness.oldestAckAt ?? now
  }

  /// Gathered, so that an undisturbed short job needs one request for all it received. The ack deadline is 120 s.
  mutating func acknowledgeIfDue(_ step: inout JobStep) {
    guard let due = acknowledgeAt else { return }
    if liveness.ackIDs.count >= Self.mostAckIDs || due <= step.now { acknowledge(&step) }
  }

  var acknowledgeAt: Timestamp? { liveness.oldestAckAt?.adding(seconds: timings.acknowledgeSeconds) }

  private mutating func acknowledge(_ step: inout JobStep) {
    if !liveness.ackIDs.isEmpty, resource(.subscription) != nil { step.actions.append(.acknowledge(liveness.ackIDs)) }
    liveness.ackIDs = []
    liveness.oldestAckAt = nil
  }
}
