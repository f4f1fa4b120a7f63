internal import Dagrun

/// What a job remembers of its VM only as long as this process lives. None of it is in the journal, for all of it comes
/// again: messages that were not acknowledged are delivered again, and a group can be looked at again.
struct Liveness: Sendable {
  /// Of messages that are dealt with and can be acknowledged once the job is saved.
  var ackIDs: [String] = []
  var oldestAckAt: Timestamp?
  /// Since when this process drives the job.
  var resumedAt: Timestamp?
  /// A pull was answered since then: what waited in the subscription has had a chance to come.
  var hasListened = false
  /// When the current attempt's VM was last heard from.
  var lastHeardAt: Timestamp?
  /// When something may last have been delivered to nobody: to a pull that was lost, or to the process that drove the
  /// job before. It is on loan, and comes again when the ack deadline is over.
  var leasedAt: Timestamp?
  /// Since when Google refuses to deliver messages to the job's driver.
  var pullDeniedSince: Timestamp?
  /// Since when calls and looks fail because there is no login.
  var signedOutSince: Timestamp?
  /// Somebody was told that nothing can be removed without a login.
  var hasToldOfRemoval = false
  /// Since when parts of the log wait for an earlier one.
  var gapSince: Timestamp?
  var isInspecting = false
  var lookAt: Timestamp?
  /// Looks since the VM's state last changed, for backoff.
  var looks = 0
}

/// Two jobs are the same if the journal cannot tell them apart, so that a heartbeat is no reason to save.
extension Liveness: Hashable {
  static func == (left: Liveness, right: Liveness) -> Bool { true }
  func hash(into hasher: inout Hasher) {}
}
