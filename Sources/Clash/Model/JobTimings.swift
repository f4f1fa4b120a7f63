/// How long a job waits for what, in seconds. Kept with the job, so that a restart changes nothing.
package struct JobTimings: Codable, Hashable, Sendable {
  /// Between looks at a group whose VM is awaited: the first, and the longest that backoff makes of it.
  /// Google refills its rate limits each minute: not below 5 against the real API.
  package var firstLookSeconds = 5.0
  package var longestLookSeconds = 30.0
  /// A group that has neither a running VM nor an error: the next rung.
  package var machineLimitSeconds = 900.0
  /// Without a message although the VM runs, before its container has begun: GPU drivers and large images take a while.
  package var bootLimitSeconds = 1800.0
  /// Without a message, though the VM heartbeats each 60: look at it. At a Spot VM after half of it.
  package var silenceSeconds = 300.0
  /// Without a message although the VM is said to run: it is lost all the same.
  package var silenceLimitSeconds = 1800.0
  /// From the notice of a preemption, or the disappearance of a VM, until it is given up: its last words may be a
  /// result.
  package var graceSeconds = 45.0
  /// The same for a group that is gone without our doing, which is what a VM does after its result. The result may be
  /// on loan to a process or a connection that died: it comes again after Pub/Sub's ack deadline, which is 120.
  package var loanSeconds = 150.0
  /// For parts of the log that are still under way when the result is here and its tail does not cover them.
  package var logGraceSeconds = 10.0
  /// Between acknowledgements.
  package var acknowledgeSeconds = 60.0
  /// After a call failed in a way that may pass: the first wait, doubled up to the longest.
  package var firstBackoffSeconds = 5.0
  package var longestBackoffSeconds = 120.0
  /// Such failures of one call are tolerated for so long.
  package var patienceSeconds = 3600.0
  /// For removing everything. What remains then is `leftBehind`.
  package var removalLimitSeconds = 600.0
  /// Before the ladder is climbed again from the top: the first wait, doubled up to the longest.
  package var firstLadderPauseSeconds = 60.0
  package var longestLadderPauseSeconds = 300.0

  package init() {}
}
