package import Foundation

/// A change in the cloud that a job asks for. A job has at most one under way; the next one waits for its answer.
///
/// That is what makes "never two VMs" provable: a group is not asked for while another may still be coming or going.
package enum JobCall: Codable, Hashable, Sendable {
  /// Topic and subscription are named after the job.
  case makeTopic
  case makeSubscription
  case makeTemplate(AttemptPlan)
  /// Done when Google's operation is, which is before there is a VM.
  case makeGroup(AttemptPlan)
  /// Done when the group and its VM are gone, not when the deletion has been asked for.
  case removeGroup(AttemptPlan)
  case removeTemplate(AttemptPlan)
  case removeSubscription
  case removeTopic
}

/// A `JobCall` as the driver performs it.
package struct CallRequest: Hashable, Sendable {
  package var call: JobCall
  /// The same for a repeat after a crash, so that Google does the work once. Another one after a failure, because
  /// Google answers a known id with the first operation, failed as it is.
  package var requestID: UUID
  /// For a removal: it is not certain that what has this name is the job's. The driver reads the labels first and
  /// removes only what has this job's; another owner's is `.ownedByOther`, nothing there is `.done`.
  package var checksOwner: Bool

  package init(call: JobCall, requestID: UUID, checksOwner: Bool) {
    self.call = call
    self.requestID = requestID
    self.checksOwner = checksOwner
  }
}
