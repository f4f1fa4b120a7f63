package import Dagrun
package import Foundation
package import GoogleCloud

/// What a job is told.
package enum JobEvent: Hashable, Sendable {
  /// The call has done its work, or found it done: what was to be made exists and carries this job's labels (made by
  /// this call, or adopted after 409); what was to be removed is gone (404 included).
  case done(JobCall)
  /// The call failed after all the retries that the transport makes. What it did is unknown unless the error says so.
  case failed(JobCall, CloudError)
  /// Something of that name exists and does not carry this job's labels. It was left alone.
  case ownedByOther(JobCall)

  /// Answer of `JobAction.inspect`. `plan.number` tells which attempt was looked at.
  case inspected(AttemptPlan, GroupReport)
  case inspectionFailed(AttemptPlan, CloudError)
  /// What was read of the attempt's VMs on such an occasion, or when its group was removed: for the ledger. Comes
  /// before the answer itself; that nothing comes does no harm but to the ledger's accuracy.
  case machinesFound(AttemptPlan, MachineFindings)

  /// What one pull brought, which may be nothing.
  case received([JobMessage])
  /// A pull failed in a way that may pass, and the driver repeats it. It may have been answered: what was in the answer
  /// is on loan, and comes again when the ack deadline is over.
  case pullLost
  /// A pull failed for good (not a timeout, not a lost connection: those the driver repeats by itself).
  case listeningFailed(CloudError)

  /// Somebody wants it to stop: everything is removed, then it ends as cancelled.
  case cancel
  /// `nextWake` has come. Too early or once too often does no harm.
  case wake
}

/// A message as Pub/Sub delivered it. What it means is decided by `MachineMessage`.
package struct JobMessage: Hashable, Sendable {
  package var ackID: String
  package var attributes: [String: String]
  package var data: Data
  package var publishedAt: Timestamp?

  package init(ackID: String, attributes: [String: String], data: Data, publishedAt: Timestamp? = nil) {
    self.ackID = ackID
    self.attributes = attributes
    self.data = data
    self.publishedAt = publishedAt
  }
}

/// How a group is doing: `listManagedInstances`, and `listErrors` where no machine is up.
package enum GroupReport: Hashable, Sendable {
  /// 404.
  case gone
  /// `faults`: those of the instance's last attempt and of the group, classified as any other `CloudError`.
  case present(Machine?, faults: [CloudError])

  package struct Machine: Hashable, Sendable {
    /// The last part of the instance's URL names it, and its URL the zone.
    package var zone: String?
    package var state: State
    /// nil: it was not asked for, or cannot be had: Google has none of a VM that is off.
    package var console: SerialConsole?

    package init(zone: String?, state: State, console: SerialConsole? = nil) {
      self.zone = zone
      self.state = state
      self.console = console
    }

    package enum State: Hashable, Sendable {
      /// No `instanceStatus` yet, or PROVISIONING, STAGING, REPAIRING, PENDING.
      case coming
      case running
      /// STOPPING, STOPPED, SUSPENDING, SUSPENDED, TERMINATED, DEPROVISIONING.
      case ended
    }
  }
}
