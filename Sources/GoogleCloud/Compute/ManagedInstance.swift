/// A VM as its group sees it: also one that could not be made yet.
package struct ManagedInstance: Codable, Hashable, Sendable {
  package var name: String?
  /// A link to the VM; there before the VM is.
  package var instance: String?
  package var currentAction: Action?
  /// nil while no VM exists.
  package var instanceStatus: InstanceStatus?
  package var lastAttempt: LastAttempt?
  package var id: String?

  package init() {}

  /// Where the VM is, or would be: `.global` never.
  package var zone: String? {
    guard let instance, case .zone(let zone) = Scope(link: instance) else { return nil }
    return zone
  }

  /// The VM's name, also where an answer gives only the link.
  package var instanceName: String? { name ?? instance.map(resourceName(ofLink:)) }

  /// What kept the group from making the VM, the last time it tried.
  package var faults: [ComputeFault] { lastAttempt?.errors?.errors ?? [] }

  package struct Action: OpenValue {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    /// Nothing is to be done: the VM is as it should be.
    package static let none: Self = "NONE"
    package static let creating: Self = "CREATING"
    package static let creatingWithoutRetries: Self = "CREATING_WITHOUT_RETRIES"
    package static let recreating: Self = "RECREATING"
    package static let restarting: Self = "RESTARTING"
    package static let refreshing: Self = "REFRESHING"
    package static let verifying: Self = "VERIFYING"
    package static let starting: Self = "STARTING"
    package static let stopping: Self = "STOPPING"
    package static let suspending: Self = "SUSPENDING"
    package static let resuming: Self = "RESUMING"
    package static let deleting: Self = "DELETING"
    package static let abandoning: Self = "ABANDONING"
  }

  package struct LastAttempt: Codable, Hashable, Sendable {
    package var errors: FaultList?
    package init(errors: FaultList?) { self.errors = errors }
  }
}

/// One entry of a group's `listErrors`: what happened to a VM, and when.
package struct GroupError: Codable, Hashable, Sendable {
  package var error: ComputeFault?
  package var instanceActionDetails: ActionDetails?
  /// RFC 3339.
  package var timestamp: String?

  package init(error: ComputeFault?, instanceActionDetails: ActionDetails? = nil, timestamp: String? = nil) {
    self.error = error
    self.instanceActionDetails = instanceActionDetails
    self.timestamp = timestamp
  }

  package struct ActionDetails: Codable, Hashable, Sendable {
    package var action: ManagedInstance.Action?
    package var instance: String?
    package init(action: ManagedInstance.Action?, instance: String?) {
      self.action = action
      self.instance = instance
    }
  }
}

package struct InstanceStatus: OpenValue {
  package let rawValue: String
  package init(rawValue: String) { self.rawValue = rawValue }
  package static let pending: Self = "PENDING"
  package static let provisioning: Self = "PROVISIONING"
  package static let staging: Self = "STAGING"
  package static let running: Self = "RUNNING"
  package static let pendingStop: Self = "PENDING_STOP"
  package static let stopping: Self = "STOPPING"
  package static let stopped: Self = "STOPPED"
  package static let suspending: Self = "SUSPENDING"
  package static let suspended: Self = "SUSPENDED"
  package static let repairing: Self = "REPAIRING"
  package static let terminated: Self = "TERMINATED"
  package static let deprovisioning: Self = "DEPROVISIONING"

  /// Off, or on its way there: preempted, stopped, or ended by itself.
  package var isEnding: Bool {
    [.pendingStop, .stopping, .stopped, .suspending, .suspended, .terminated, .deprovisioning].contains(self)
  }
}
