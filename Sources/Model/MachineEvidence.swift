package import Dagrun

/// What the cloud has said of an attempt's VMs. The ledger is made of it (`MachineAccount`).
package struct MachineEvidence: Codable, Hashable, Sendable {
  /// The newest word on each, by its id.
  package var instances: [InstanceFact] = []
  /// The zone's operations on them; nil when they were not read, or may not be.
  package var operations: [OperationFact]?
  /// None of them is forgotten yet: the cloud remembers the one that made the group, which came first.
  package var areOperationsComplete = false
  /// When Pub/Sub took the first message of one of them, the notice of its preemption, its result.
  package var firstWordAt: Timestamp?
  package var preemptionWordAt: Timestamp?
  package var resultWordAt: Timestamp?
  /// The group has had a VM.
  package var wasSeen = false
  /// The group makes a lost VM again.
  package var groupRepairs = false
  /// The group was known to be gone, by this machine's clock. Its VMs were gone before that.
  package var groupGoneAt: Timestamp?

  package init() {}
}

/// A VM as `instances.get` shows it.
package struct InstanceFact: Codable, Hashable, Sendable {
  package var id: String
  package var name: String
  package var zone: String?
  package var createdAt: Timestamp?
  /// When it last became RUNNING, from which moment on Google charges.
  package var startedAt: Timestamp?
  /// When it last became TERMINATED.
  package var stoppedAt: Timestamp?
  /// TERMINATED, or another state in which nothing of it runs.
  package var isOff: Bool

  package init(
    id: String, name: String, zone: String? = nil, createdAt: Timestamp? = nil, startedAt: Timestamp? = nil,
    stoppedAt: Timestamp? = nil, isOff: Bool = false
  ) {
    self.id = id
    self.name = name
    self.zone = zone
    self.createdAt = createdAt
    self.startedAt = startedAt
    self.stoppedAt = stoppedAt
    self.isOff = isOff
  }
}

/// An operation on a VM that did not fail: somebody's call, or what the cloud did by itself.
package struct OperationFact: Codable, Hashable, Sendable {
  /// `insert`, `delete`, `compute.instances.preempted`, …
  package var type: String
  package var instanceID: String
  package var instanceName: String
  package var zone: String?
  package var askedAt: Timestamp
  /// nil while it continues.
  package var endedAt: Timestamp?

  package init(
    type: String, instanceID: String, instanceName: String, zone: String? = nil, askedAt: Timestamp,
    endedAt: Timestamp? = nil
  ) {
    self.type = type
    self.instanceID = instanceID
    self.instanceName = instanceName
    self.zone = zone
    self.askedAt = askedAt
    self.endedAt = endedAt
  }
}
