/// Where jobs are kept, so that another process can continue them.
///
/// The runner's duty: save a job before it does what the job's new state asks for. When saving fails, nothing is done,
/// and it is tried again.
package protocol JobJournal: Sendable {
  /// All of them or none; durable when it returns.
  func save(_ jobs: [JobRecord]) throws
  func job(named name: String) throws -> JobRecord?
  /// Those that still have something in the cloud, or may.
  func unfinishedJobs() throws -> [JobRecord]
}
