package import Dagrun
package import Model

/// The life of a job: a topic and a subscription, then attempts (a template and a group of one VM each) until one
/// brings a result or nothing more is to be had, then everything removed. docs/jobs.md draws it.
///
/// Pure: no clock, no I/O, no randomness. The same job, event and time always give the same actions. What must hold:
///
/// - One call is under way at a time, and attempt N's group is gone before attempt N+1's is asked for: never two VMs.
/// - What was asked for is in `resources` until it is known to be gone: nothing is left behind unnamed.
/// - A result that was taken is final, and no VM is asked for after it.
package struct Job: Codable, Hashable, Sendable {
  package let request: JobRequest
  package let submittedAt: Timestamp
  package let timings: JobTimings
  /// The ledger, in order.
  package internal(set) var attempts: [JobAttempt] = []
  var phase = Phase.preparing
  var underWay: CallUnderWay?
  /// All that exists in the cloud for this job, or may.
  var resources: [OwnedResource] = []
  var log = LogAssembler()
  var firstStartedAt: Timestamp?
  var preemptions = 0
  /// VMs that were there and never spoke. nil: none.
  var unheardMachines: Int?
  /// When the current attempt's VM was last heard from, to some minutes: a heartbeat is no reason to save.
  var heardOfAt: Timestamp?
  var liveness = Liveness()

  private enum CodingKeys: String, CodingKey {
    case request, submittedAt, timings, attempts, phase, underWay, resources, log, firstStartedAt, preemptions,
      unheardMachines, heardOfAt
  }

  /// A job nobody has done anything for. `resume` begins it.
  package init(_ request: JobRequest, timings: JobTimings = JobTimings(), at now: Timestamp) {
    self.request = request
    self.timings = timings
    submittedAt = now
  }

  package mutating func handle(_ event: JobEvent, at now: Timestamp) -> [JobAction] {
    var step = JobStep(now: now)
    switch event {
    case .done(let call): callDone(call, &step)
    case .failed(let call, let error): callFailed(call, error, &step)
    case .ownedByOther(let call): callMetAnotherOwner(call, &step)
    case .inspected(let plan, let report): inspected(plan, report, &step)
    case .machinesFound(let plan, let found): machinesFound(plan, found)
    case .inspectionFailed(let plan, let error): inspectionFailed(plan, error, &step)
    case .received(let messages): received(messages, &step)
    case .pullLost: liveness.leasedAt = now
    case .listeningFailed(let error): listeningFailed(error, &step)
    case .cancel: end(JobOutcome(.cancelled), attempt: .cancelled, &step)
    case .wake: break
    }
    meetDeadlines(&step)
    proceed(&step)
    return step.actions
  }

  /// What a job that was just made or restored needs done: the call that was under way, again, with its requestId.
  /// Nothing else is under way then: what a dead process had sent has arrived, or never will.
  ///
  /// - Parameter isOverElsewhere: The subscription is gone, though it had been made: another home has brought the job
  ///   to its end, and has its result.
  package mutating func resume(at now: Timestamp, isOverElsewhere: Bool = false) -> [JobAction] {
    var step = JobStep(now: now)
    liveness = Liveness()
    liveness.resumedAt = now
    liveness.lastHeardAt = heardOfAt
    liveness.leasedAt = now
    liveness.lookAt = now
    if isOverElsewhere { endElsewhere(&step) }
    takeUpCallAgain(&step)
    if case .attempting(_, _, .running) = phase, let attempt = attempts.last { step.tell(.began(attempt)) }
    proceed(&step)
    return step.actions
  }
}

/// What comes of one event.
struct JobStep {
  let now: Timestamp
  var actions: [JobAction] = []

  mutating func tell(_ update: JobUpdate) { actions.append(.tell(update)) }
  mutating func note(_ text: String) { tell(.note(text)) }
}

// MARK: - What a driver asks

extension Job {
  /// The subscription exists and what it has is of interest: keep one pull open.
  package var isListening: Bool {
    guard resource(.subscription)?.existence == .made else { return false }
    switch phase {
    case .preparing, .attempting, .pausing: return true
    case .removing: return isLogOpen
    case .finished: return false
    }
  }

  /// What it does next, after it was restored, is to ask for a machine, and nothing that it waits for would tell it
  /// before that another home has brought it to its end: look at the subscription, then `resume`.
  package var mustLookForSubscription: Bool {
    guard resource(.subscription)?.existence == .made else { return false }
    switch phase {
    case .preparing, .pausing: return true
    case .attempting(_, _, let stage):
      switch stage {
      case .makingTemplate, .makingGroup, .deletingGroup: return true
      case .waitingForMachine, .booting, .running, .terminating: return false
      }
    case .removing, .finished: return false
    }
  }

  /// Of the log's file, as of this state. After a restart the file is cut to it: what is beyond comes again.
  package var logLength: Int { log.length }

  /// A detached job that its VM can bring to its end: the process that began it may go.
  package var isHandedOver: Bool { request.isDetached && canBeHandedOver }

  /// Its machine is asked for, and all that somebody else needs to continue with it is in the cloud.
  package var canBeHandedOver: Bool {
    guard underWay == nil, case .attempting(_, _, let stage) = phase else { return false }
    switch stage {
    case .waitingForMachine, .booting, .running: return true
    case .makingTemplate, .makingGroup, .terminating, .deletingGroup: return false
    }
  }

  /// Somebody has cancelled it, and what it has is being removed.
  package var isBeingCancelled: Bool {
    guard case .removing(let outcome, _) = phase else { return false }
    return outcome.ending == .cancelled
  }

  package var isFinished: Bool { outcome != nil }

  /// When it is finished. Where its `logTail` is empty because no result came, the log's file has the log.
  package var outcome: JobOutcome? {
    guard case .finished(let outcome, _) = phase else { return nil }
    return outcome
  }

  package var finishedAt: Timestamp? {
    guard case .finished(_, let moment) = phase else { return nil }
    return moment
  }

  /// The container of the current attempt runs.
  package var isRunning: Bool {
    guard case .attempting(_, _, .running) = phase else { return false }
    return true
  }

  static let removingPhase = "removing"

  /// In a word or two, for people.
  package var phaseName: String {
    switch phase {
    case .preparing: return "preparing"
    case .attempting(_, _, let stage):
      switch stage {
      case .makingTemplate, .makingGroup: return "asking for a machine"
      case .waitingForMachine: return "waiting for capacity"
      case .booting: return "booting"
      case .running: return "running"
      case .terminating(let fault, _, _): return fault == .preempted ? "preempted" : "losing its machine"
      case .deletingGroup: return "giving up a machine"
      }
    case .pausing: return "waiting for capacity"
    case .removing: return Self.removingPhase
    case .finished(let outcome, _):
      switch outcome.ending {
      case .exited(status: 0): return "succeeded"
      case .infrastructure where outcome.hasEndedElsewhere: return "ended elsewhere"
      case .exited, .infrastructure: return "failed"
      case .cancelled: return "cancelled"
      case .timedOut: return "timed out"
      }
    }
  }
}
