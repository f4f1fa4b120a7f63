internal import Dagrun
package import Model

/// What a runner reports about a job while it drives it. In order; `ended` is the last.
package enum JobUpdate: Hashable, Sendable {
  /// A step worth a line in the log: which machine is asked for where, what Google answered.
  case note(String)
  /// The container runs. Again after a preemption.
  case began(JobAttempt)
  /// More of what the container printed, in order, each byte once. Written to the job's log file already.
  case log([UInt8])
  case ended(JobOutcome)
}
