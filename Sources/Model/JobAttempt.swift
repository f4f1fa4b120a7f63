package import Dagrun

/// One attempt of a job to get a machine and run on it: a row of the ledger.
package struct JobAttempt: Codable, Hashable, Sendable {
  /// From 1.
  package var number: Int
  /// Known as soon as Google has chosen it.
  package var zone: String?
  package var region: String
  package var machineType: String
  package var isSpot: Bool
  package var requestedAt: Timestamp
  /// When Google began to charge for the first machine, at the earliest; nil when there was none.
  package var machineStartedAt: Timestamp?
  package var containerStartedAt: Timestamp?
  /// When its last machine had ended, at the latest; of an attempt without one, when it was given up.
  package var endedAt: Timestamp?
  package var ending: Ending?
  /// Estimated; nil without a price table.
  package var cost: Double?
  /// In order. nil when nothing but the fields above is known: of attempts that an older dagrun has written.
  package var machines: [MachineUse]?
  /// Kept with the job until it has ended, and not in the ledger.
  package var evidence: MachineEvidence?

  package init(
    number: Int, zone: String?, region: String, machineType: String, isSpot: Bool, requestedAt: Timestamp,
    machineStartedAt: Timestamp? = nil, containerStartedAt: Timestamp? = nil, endedAt: Timestamp? = nil,
    ending: Ending? = nil, cost: Double? = nil, machines: [MachineUse]? = nil
  ) {
    self.number = number
    self.zone = zone
    self.region = region
    self.machineType = machineType
    self.isSpot = isSpot
    self.requestedAt = requestedAt
    self.machineStartedAt = machineStartedAt
    self.containerStartedAt = containerStartedAt
    self.endedAt = endedAt
    self.ending = ending
    self.cost = cost
    self.machines = machines
  }

  package enum Ending: String, Codable, Hashable, Sendable, CaseIterable {
    case succeeded, failed, preempted
    case outOfCapacity = "out_of_capacity"
    case quotaExceeded = "quota_exceeded"
    /// The place does not have such a machine type, or such an accelerator.
    case notOffered = "not_offered"
    /// The VM was lost, or never came up.
    case lost
    case cancelled
    case timedOut = "timed_out"
    /// Google refused it, or docker did.
    case refused
  }
}
