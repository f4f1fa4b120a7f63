package import Clash
package import Model

/// What a server says of its jobs. In order, for each job.
package enum ServeEvent: Sendable {
  case note(job: String, String)
  /// Its container runs.
  case began(job: String, JobAttempt)
  /// Whole lines.
  case log(job: String, String)
  /// - Parameter attempt: which of its series it is.
  case ended(job: String, attempt: Int?, JobOutcome)
  /// It is not driven here.
  case failed(job: String, any Error)
  /// As was asked for.
  case left(job: String)
  /// A request that is not one, or that cannot be met. Why, in words.
  case refused(String)
}
