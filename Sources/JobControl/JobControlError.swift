package import Clash
package import GoogleCloud

/// Why a job cannot be driven from here.
package enum JobControlError: Error, Hashable, Sendable {
  /// Another version of dagrun keeps it. What and what to do, in words.
  case unreadable(String)
  case invalidName(problem: String)
  /// The lock's file cannot be used.
  case lockUnavailable(String)
  /// Another process has the job.
  ///
  /// - Parameter waitedSeconds: for it to leave; nil for a server, which was asked to attach.
  case drivenElsewhere(job: String, process: Int32?, waitedSeconds: Int?)
  case belongsToTask(job: String)
  /// This home does not know the job, and the project to look into is not known.
  case unknown(job: String)
  /// There was nothing to attach to, or nothing was left by then.
  case cannotAttach(InfrastructureFailure)
  /// Nothing begins while it is not known what there is.
  case cannotLook(job: String, CloudError)
  /// All numbers of a series are used up.
  case seriesIsFull(base: String)
  case interruptedBeforeStart(job: String)
}
