package import Clash
package import Model

/// What happens to a job while this process drives it, for people. In order.
package enum JobProgress: Sendable {
  /// What the job has printed: whole characters.
  case log(String)
  /// A step, in words.
  case note(String)
  /// Its container runs.
  case began(job: String, JobAttempt)

  /// Another process has it, and may be about to leave.
  case waiting(job: String, process: Int32?)
  /// It was stored before, and is driven again.
  case resuming(job: String)
  /// The same of a job that somebody has cancelled.
  case removing(job: String)
  /// Another home has begun it.
  case attaching(job: String)
  case starting(job: String)
  /// It has ended before, and nobody received its result.
  case reportingAgain(job: String)
  /// It is over and its result is nobody's: another one comes next.
  case isOver(job: String, JobOutcome)
  /// Another home has begun it, and nothing is left to attach to. Why, in words.
  case isOverElsewhere(job: String, String)

  /// A higher attempt of its series has come, and drives it from now on.
  case superseded(job: String)
  /// By a signal to this process.
  case cancelling(job: String)
  /// A request of another process to cancel it will not be seen. Why, in words.
  case cannotSeeCancelRequests(job: String, String)

  /// Returns when what it is told is written.
  package typealias Handler = @Sendable (JobProgress) -> Void
}
