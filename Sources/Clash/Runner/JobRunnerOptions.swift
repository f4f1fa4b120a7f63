/// How a `JobRunner` works.
package struct JobRunnerOptions: Sendable {
  /// For jobs that begin; a stored job keeps its own.
  package var timings = JobTimings()
  /// Without one, costs are unknown.
  package var prices: PriceTable?
  /// After the journal, or a pull, has failed: the first wait, doubled up to the longest.
  package var firstRetrySeconds = 1.0
  package var longestRetrySeconds = 30.0
  /// In one pull.
  package var maxMessages = 100

  /// What a runner that was killed had received and not acknowledged comes again after this; 10 to 600. Long enough for
  /// acknowledgements to be gathered (`JobTimings.acknowledgeSeconds`); `JobTimings.loanSeconds` is meant to be longer.
  package var acknowledgeLimitSeconds = 120

  /// How long a VM offers its first message where that is refused; nil: as its runner has it (`first_word_seconds`).
  package var firstWordSeconds: Int?

  /// Of a job that begins (`JobRequest.secret`).
  package var makeSecret: @Sendable () -> String? = { JobRequest.randomSecret() }

  package init() {}
}
