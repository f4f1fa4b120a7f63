internal import Basics
internal import Dagrun
internal import GoogleCloud

// One call at a time: what is asked for, its answer, and its repeats.
extension Job {
  /// Asks for what the phase needs next, unless a call is under way already.
  mutating func proceed(_ step: inout JobStep) {
    if let call = underWay {
      if let retryAt = call.retryAt, retryAt <= step.now { send(call.call, &step) }
      return
    }
    if let call = nextCall(&step) { send(call, &step) }
  }

  private mutating func nextCall(_ step: inout JobStep) -> JobCall? {
    switch phase {
    case .preparing:
      if resource(.topic)?.existence != .made { return .makeTopic }
      if resource(.subscription)?.existence != .made { return .makeSubscription }
      beginAttempt(at: Ladder.top, &step)
      return nextCall(&step)
    case .attempting(let plan, _, .makingTemplate): return .makeTemplate(plan)
    case .attempting(let plan, _, .makingGroup): return .makeGroup(plan)
    case .attempting(let plan, _, .waitingForMachine), .attempting(let plan, _, .booting),
      .attempting(let plan, _, .running):
      return staleTemplate(than: plan)
    case .attempting(_, _, .terminating): return nil
    case .attempting(let plan, let position, .deletingGroup(let fault, _)):
      if resource(.group(plan)) != nil { return .removeGroup(plan) }
      climb(after: fault, from: position, &step)
      return nextCall(&step)
    case .pausing: return nil
    case .removing: return nextRemoval(&step)
    case .finished: return nil
    }
  }

  /// An attempt's template goes when the next one's is there, so that another home finds one at any time. It costs
  /// nothing: if it will not go now, it goes at the end.
  private func staleTemplate(than plan: AttemptPlan) -> JobCall? {
    let known = resources.filter { $0.existence == .made && $0.failuresToRemove == 0 }
    for case .template(let older) in known.map(\.id)
    where older.number < plan.number {
      return .removeTemplate(older)
    }
    return nil
  }

  private mutating func send(_ call: JobCall, _ step: inout JobStep) {
    if resource(call.resource) == nil { resources.append(OwnedResource(id: call.resource)) }
    underWay = CallUnderWay(call: call, failingSince: underWay?.failingSince, retryAt: nil)
    step.actions.append(.call(request(for: call)))
  }

  private func request(for call: JobCall) -> CallRequest {
    let resource = resource(call.resource)
    let failures = (call.isRemoval ? resource?.failuresToRemove : resource?.failuresToMake) ?? 0
    let parts = [
      request.name, request.origin.homeID, "\(submittedAt.microseconds)", "\(call.resource.plan?.number ?? 0)",
      call.verb, "\(failures)",
    ]
    return CallRequest(
      call: call, requestID: .derived(from: parts), checksOwner: call.isRemoval && resource?.existence != .made)
  }

  /// After a restart: the same call with the same id. Not so a group or a template that nobody wants any more: whether
  /// it was made is found out by removing it.
  mutating func takeUpCallAgain(_ step: inout JobStep) {
    guard let call = underWay else { return }
    if !call.call.isRemoval {
      change(call.call.resource) { if $0.existence == .asked { $0.existence = .unknown } }
      if !isWanted(call.call) {
        underWay = nil
        return
      }
    }
    if call.retryAt == nil { step.actions.append(.call(request(for: call.call))) }
  }

  /// What is being made is of use. Otherwise its answer is only awaited to know what there is to remove.
  private func isWanted(_ making: JobCall) -> Bool {
    switch (phase, making) {
    case (.preparing, _), (.attempting(_, _, .makingTemplate), .makeTemplate),
      (.attempting(_, _, .makingGroup), .makeGroup):
      true
    // Its VM has spoken, so it is there; and yet Google has not said so.
    case (.attempting(_, _, .waitingForMachine), _), (.attempting(_, _, .booting), _), (.attempting(_, _, .running), _):
      true
    case (.attempting, _), (.pausing, _), (.removing, _), (.finished, _): false
    }
  }

  // MARK: Answers

  mutating func callDone(_ call: JobCall, _ step: inout JobStep) {
    guard underWay?.call == call else { return }
    underWay = nil
    liveness.signedOutSince = nil
    if call.isRemoval {
      resources.removeAll { $0.id == call.resource }
      if case .group(let plan) = call.resource { closeLedger(plan.number, step.now) }
      return
    }
    change(call.resource) { $0.existence = .made }
    guard case .attempting(let plan, let position, let stage) = phase else { return }
    switch (call, stage) {
    case (.makeTemplate(plan), .makingTemplate): phase = .attempting(plan, position, .makingGroup)
    case (.makeGroup(plan), .makingGroup): enter(.waitingForMachine(since: step.now), step.now)
    // The VM was faster than Google's word on its group, or its end was.
    default: break
    }
  }

  mutating func callMetAnotherOwner(_ call: JobCall, _ step: inout JobStep) {
    guard underWay?.call == call else { return }
    underWay = nil
    resources.removeAll { $0.id == call.resource }
    let thing = call.resource.description(job: request.name)
    if call.isRemoval {
      step.note("\(thing) is not this job's; it stays")
      if case .group(let plan) = call.resource { closeLedger(plan.number, step.now) }
    } else {
      fail(
        .invalidRequest,
        "the \(thing) exists and is not this job's. Give the job another name, or remove what has that "
          + "name (`dagrun job gc` finds what earlier jobs have left)", &step)
    }
  }

  mutating func callFailed(_ call: JobCall, _ error: CloudError, _ step: inout JobStep) {
    guard underWay?.call == call else { return }
    if call.isRemoval { removalFailed(call, error, &step) } else { makingFailed(call, error, &step) }
  }

  private mutating func makingFailed(_ call: JobCall, _ error: CloudError, _ step: inout JobStep) {
    let isNothingThere = resource(call.resource)?.existence == .asked && error.saysNothingWasDone
    change(call.resource) {
      $0.failuresToMake += 1
      $0.existence = .unknown
    }
    if isNothingThere { resources.removeAll { $0.id == call.resource } }
    guard isWanted(call) else {
      underWay = nil
      return
    }
    let since = max(underWay?.failingSince ?? step.now, liveness.resumedAt ?? submittedAt)
    underWay = nil
    switch error.faultClass {
    case .passing:
      let seconds = step.now.seconds(since: since)
      guard seconds < timings.patienceSeconds else {
        return fail(.cloud, "\(error.advice) (tried for \(Int(saturating: seconds)) s)", &step)
      }
      let failures = resource(call.resource)?.failuresToMake ?? 1
      underWay = CallUnderWay(call: call, failingSince: since, retryAt: backoff(failures, step.now))
      step.note("\(error); trying again")
    case .capacity(let fault):
      guard case .attempting = phase else { return fail(.quota, error.advice, &step) }
      lose(fault, "\(error)", &step)
    case .signedOut:
      guard toleratesLostLogin(error, &step) else { return fail(.signedOut, error.advice, &step) }
      // As long again as it has lasted.
      let lasted = step.now.seconds(since: liveness.signedOutSince ?? step.now)
      let pause = min(max(lasted, timings.firstBackoffSeconds), timings.longestBackoffSeconds)
      underWay = CallUnderWay(call: call, failingSince: since, retryAt: step.now.adding(seconds: pause))
    case .refusal(let kind):
      fail(kind, error.advice, &step)
    }
  }

  /// A login that has run out says nothing about the job: it is waited for as long as for Google itself. A job that
  /// never had one ends, for its owner is there to read why.
  mutating func toleratesLostLogin(_ error: CloudError, _ step: inout JobStep) -> Bool {
    guard !attempts.isEmpty || resources.contains(where: { $0.existence == .made }) else { return false }
    guard let since = liveness.signedOutSince else {
      liveness.signedOutSince = step.now
      step.note("\(error.adviceToSignIn); the job continues")
      return true
    }
    return step.now.seconds(since: since) < timings.patienceSeconds
  }

  func backoff(_ failures: Int, _ now: Timestamp) -> Timestamp {
    let pause = Backoff(firstSeconds: timings.firstBackoffSeconds, longestSeconds: timings.longestBackoffSeconds)
    return now.adding(seconds: pause.seconds(doublings: failures - 1))
  }

  /// A call that waits for its repeat is not under way: nothing of it is in flight.
  mutating func dropCallThatWaits() {
    if underWay?.retryAt != nil { underWay = nil }
  }

  // MARK: Resources

  func resource(_ id: ResourceID) -> OwnedResource? { resources.first { $0.id == id } }

  mutating func change(_ id: ResourceID, _ change: (inout OwnedResource) -> Void) {
    if let index = resources.firstIndex(where: { $0.id == id }) { change(&resources[index]) }
  }
}
