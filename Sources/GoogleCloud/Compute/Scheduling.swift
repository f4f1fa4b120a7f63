/// How a VM is sold, and what ends it.
package struct Scheduling: Codable, Hashable, Sendable {
  package var provisioningModel: ProvisioningModel?
  package var automaticRestart: Bool?
  package var onHostMaintenance: OnHostMaintenance?
  package var instanceTerminationAction: TerminationAction?
  /// Google ends the VM after that time, whoever else has forgotten it: 30 s to 120 days. Needs
  /// `instanceTerminationAction`.
  package var maxRunDuration: SecondsDuration?
  /// The old spelling of Spot; true in answers for Spot VMs.
  package var preemptible: Bool?

  package init() {}

  package struct ProvisioningModel: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let spot: Self = "SPOT"
    package static let standard: Self = "STANDARD"
  }

  package struct OnHostMaintenance: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let terminate: Self = "TERMINATE"
    package static let migrate: Self = "MIGRATE"
  }

  package struct TerminationAction: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package static let stop: Self = "STOP"
    package static let delete: Self = "DELETE"
  }
}

/// Google's `Duration`, as Compute Engine writes it: `{"seconds": "3600"}`.
package struct SecondsDuration: Codable, Hashable, Sendable {
  package var seconds: Int64String
  package var nanos: Int?

  package init(seconds: Int64) { self.seconds = Int64String(seconds) }
}
