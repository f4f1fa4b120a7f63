package import Foundation

/// How an emulator behaves. The defaults suit tests and the demonstration: an empty cloud in which everything succeeds
/// within a second.
package struct EmulatorOptions: Sendable {
  /// 0: any that is free.
  package var port = 0
  /// Where its VMs, objects and `service-account.json` are kept; nil: a temporary folder, removed when it stops.
  package var folder: String?
  package var machines = Machines.none
  /// Refuse requests without a token of ours (401). Without it a token is neither needed nor looked at.
  package var requiresTokens = false
  /// Compute Engine ignores fields that it does not know, where it refuses them otherwise.
  package var isLenient = false
  /// What the service accounts of VMs may do; nil: everything.
  package var machineRoles: MachineRoles?
  /// Refuse objects in buckets that nobody made. Without it a bucket comes into being with its first object.
  package var requiresBuckets = false
  /// Of everything that is left to chance: probabilities of faults, duplicates and reordering of messages.
  package var seed: UInt64 = 1
  package var timing = EmulatorTiming()
  package var delivery = MessageDelivery()
  /// Faults there are from the beginning.
  package var faults: [FaultRule] = []
  /// Secret Manager: `projects/P/secrets/S` or only `S` (in every project) -> the value of its versions.
  package var secrets: [String: String] = [:]
  /// Called for every request once it was answered, on the emulator's own thread: it must not wait.
  package var recorder: (@Sendable (Exchange) -> Void)?

  package init() {}

  /// Who runs the VMs.
  package enum Machines: Sendable {
    /// Nobody: instances are RUNNING and do nothing.
    case none
    case host(@Sendable (HostServices) throws -> any VirtualMachineHost)
  }
}

/// A request and what became of it.
package struct Exchange: Sendable {
  /// Google's name of the method: `pubsub.projects.topics.publish`.
  package var method: String
  /// Without the query.
  package var path: String
  /// Of the query; of two with one name the last.
  package var query: [String: String]
  package var body: Data
  /// Nil: nothing was done, and the connection was closed.
  package var answer: Data?
  package var status: Int
  /// The work was done, and whoever asked for it was not told.
  package var isAnswerLost: Bool
}

/// What the emulator gives to the host of its VMs.
package struct HostServices: Sendable {
  /// `http://127.0.0.1:PORT`: where all services are, for those who have a token (`issueToken`).
  package var address: String
  /// Kept for VMs and their host; one folder below it for each VM (`VirtualMachineDescription.folder`).
  package var folder: String
  /// A token for a VM's service account, as its metadata server hands out: accepted by all services of the emulator.
  package var issueToken: @Sendable (_ serviceAccount: String, _ scopes: [String]) async -> AccessToken

  package init(
    address: String, folder: String,
    issueToken: @escaping @Sendable (_ serviceAccount: String, _ scopes: [String]) async -> AccessToken
  ) {
    self.address = address
    self.folder = folder
    self.issueToken = issueToken
  }
}

/// An OAuth access token.
package struct AccessToken: Hashable, Sendable {
  package var value: String
  package var expiresAt: Date
}

/// How long things take, in seconds. Google's own times would be minutes.
package struct EmulatorTiming: Hashable, Sendable {
  /// An operation is PENDING, then RUNNING, then DONE.
  package var pendingSeconds = 0.05
  package var runningSeconds = 0.15
  /// A finished operation is forgotten after this.
  package var operationLifetimeSeconds = 3600.0
  /// `operations.wait` answers after this at the latest.
  package var operationWaitSeconds = 120.0
  /// An instance is PROVISIONING, then STAGING, then RUNNING.
  package var provisioningSeconds = 0.1
  package var stagingSeconds = 0.1
  /// A group tries again after this when its VM could not be created.
  package var creationRetrySeconds = 5.0
  /// Between the end of a VM and the group's repair.
  package var repairSeconds = 1.0
  /// From ACPI soft-off to the power going off.
  package var shutDownGraceSeconds = 30.0
  /// From the notice of a preemption to the power going off.
  package var preemptionGraceSeconds = 30.0
  /// An empty pull is answered after this.
  package var pullSeconds = 89.0

  package init() {}
}

/// What Pub/Sub may do to messages, and Google does seldom.
package struct MessageDelivery: Hashable, Sendable {
  /// Delivered once more than needed, though acknowledged or still leased.
  package var duplicateProbability = 0.0
  /// Not in the order in which they were published.
  package var isReordered = false

  package init() {}
}
