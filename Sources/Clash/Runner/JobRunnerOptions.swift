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

  package init() {}
}
