package import Clash
internal import Dagrun
internal import Foundation
package import Model
package import Storage

/// The jobs that a home keeps: their rows in its database, their locks, cancel requests and logs in a folder.
package struct JobRepository: Sendable {
  package let store: JobStore
  /// Of locks and cancel requests.
  package let folder: String
  /// Where a job's log is, by its name.
  private let logOfJob: @Sendable (String) -> String
  /// The same of a task's job.
  private let logOfTask: @Sendable (JobTask) -> String

  package init(
    store: JobStore, folder: String, logOfJob: @escaping @Sendable (String) -> String,
    logOfTask: @escaping @Sendable (JobTask) -> String
  ) {
    self.store = store
    self.folder = folder
    self.logOfJob = logOfJob
    self.logOfTask = logOfTask
  }

  // Swift 6.3.1 crashes in optimized builds where a synchronous function that calls one with typed throws is inlined
  // into an asynchronous one ("while splitting coroutine"). Hence `@inline(never)` here and on others of that shape.

  /// - Throws: when another version of dagrun has written the job.
  @inline(never)
  package func find(_ name: String) throws -> JobRecord? {
    guard let record = try store.job(named: name) else { return nil }
    _ = try request(of: record)
    return record
  }

  /// - Throws: when another version of dagrun has written the job.
  @inline(never)
  package func request(of record: JobRecord) throws(JobControlError) -> JobRequest {
    do {
      return try record.decodedRequest()
    } catch {
      throw .unreadable(error.description)
    }
  }

  /// Takes the right to drive a job.
  @inline(never)
  package func lock(_ name: String) throws(JobLock.Refusal) -> JobLock { try JobLock(job: name, folder: folder) }

  /// The process that has the right to drive a job.
  package func driver(of name: String) -> Int32? { JobLock.holder(job: name, folder: folder) }

  package func logPath(of job: JobRecord) -> String { job.task.map(logOfTask) ?? logOfJob(job.name) }
  package func logPath(ofJob name: String) -> String { logOfJob(name) }

  package func cancelRequest(_ name: String) -> CancelRequestFile { CancelRequestFile(job: name, folder: folder) }

  /// Whether somebody asks to cancel the job that has the name now.
  func isCancelRequested(_ name: String) -> Bool {
    cancelRequest(name).isFor(try? find(name))
  }

  /// Before a job is driven: see `CancelRequestFile.removeUnlessFor`.
  func removeStaleCancelRequest(_ name: String) {
    do { cancelRequest(name).removeUnlessFor(try find(name)) } catch {
      // It stays where it is not known whom it is for.
    }
  }

  /// Notes that a result was received: it is not reported again.
  ///
  /// - Returns: false when no job of the name that has ended is kept here.
  @inline(never)
  @discardableResult
  package func acknowledgeResult(_ name: String) throws(StoreError) -> Bool {
    try store.acknowledgeResult(name, at: Timestamp(Date()))
  }

  @inline(never)
  func homeID() throws(StoreError) -> String { try store.homeID() }
}
