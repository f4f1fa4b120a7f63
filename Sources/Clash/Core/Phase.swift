internal import Dagrun

/// Where a job is. Drawn, with every arrow, in docs/jobs.md.
///
/// A phase says what the job wants; `Job.underWay` says which call it still waits for. The two are apart because what a
/// job wants can change at any moment, and a call cannot be called back.
enum Phase: Codable, Hashable, Sendable {
  /// Topic and subscription are being made.
  case preparing
  case attempting(AttemptPlan, LadderPosition, Stage)
  /// The whole ladder was climbed in vain: again from the top, later.
  case pausing(LadderPosition, until: Timestamp)
  /// How it ends is settled; what it has in the cloud goes.
  case removing(JobOutcome, since: Timestamp)
  case finished(JobOutcome, at: Timestamp)
}

/// How far an attempt has come.
enum Stage: Codable, Hashable, Sendable {
  case makingTemplate
  case makingGroup
  /// The group exists; Google has not made its VM yet. Or, if it repairs, not again.
  case waitingForMachine(since: Timestamp)
  /// The VM runs and has said nothing yet.
  case booting(since: Timestamp)
  /// The container has begun.
  case running(boot: String)
  /// The VM is going or gone. Its last words may be under way, and they may be a result.
  case terminating(LadderFault, boot: String?, until: Timestamp)
  /// The group goes, then the template; then the ladder says how to continue.
  case deletingGroup(LadderFault, since: Timestamp)

  /// As the journal has them.
  private enum CodingKeys: String, CodingKey {
    case makingTemplate, makingGroup, waitingForMachine, booting, running
    case terminating = "fading"
    case deletingGroup = "withdrawing"
  }

  /// The VM has not said anything yet.
  var awaitsFirstWord: Bool {
    switch self {
    case .makingTemplate, .makingGroup, .waitingForMachine, .booting: true
    case .running, .terminating, .deletingGroup: false
    }
  }
}

/// A call whose answer is awaited, or that is repeated in a while.
struct CallUnderWay: Codable, Hashable, Sendable {
  let call: JobCall
  /// Since when it fails in ways that may pass.
  var failingSince: Timestamp?
  /// When to repeat it; nil while its answer is awaited.
  var retryAt: Timestamp?
}

/// Something of the job in the cloud, from the moment it is asked for until it is known to be gone.
struct OwnedResource: Codable, Hashable, Sendable {
  let id: ResourceID
  var existence = Existence.asked
  var failuresToMake = 0
  var failuresToRemove = 0
  /// Why it could not be removed; nothing more is tried then.
  var abandonedBecause: String?

  enum Existence: String, Codable, Hashable, Sendable {
    /// One call was sent: if it is refused, there is nothing.
    case asked
    /// A call was sent whose fate is unknown.
    case unknown
    case made
  }
}

enum ResourceID: Codable, Hashable, Sendable {
  case topic
  case subscription
  case template(AttemptPlan)
  case group(AttemptPlan)
}

extension JobCall {
  var resource: ResourceID {
    switch self {
    case .makeTopic, .removeTopic: .topic
    case .makeSubscription, .removeSubscription: .subscription
    case .makeTemplate(let plan), .removeTemplate(let plan): .template(plan)
    case .makeGroup(let plan), .removeGroup(let plan): .group(plan)
    }
  }

  var isRemoval: Bool {
    switch self {
    case .makeTopic, .makeSubscription, .makeTemplate, .makeGroup: false
    case .removeTopic, .removeSubscription, .removeTemplate, .removeGroup: true
    }
  }

  /// Part of the `requestId`; never changes.
  var verb: String {
    switch self {
    case .makeTopic: "make topic"
    case .makeSubscription: "make subscription"
    case .makeTemplate: "make template"
    case .makeGroup: "make group"
    case .removeGroup: "remove group"
    case .removeTemplate: "remove template"
    case .removeSubscription: "remove subscription"
    case .removeTopic: "remove topic"
    }
  }
}

extension ResourceID {
  var plan: AttemptPlan? {
    switch self {
    case .topic, .subscription: nil
    case .template(let plan), .group(let plan): plan
    }
  }

  /// For people: `instance group train-1 in europe-west1-b`.
  func description(job: String) -> String {
    switch self {
    case .topic: "topic \(job)"
    case .subscription: "subscription \(job)"
    case .template(let plan): "instance template \(plan.resourceName(job: job))"
    case .group(let plan): "instance group \(plan.resourceName(job: job)) in \(plan.candidate.place.name)"
    }
  }
}
