internal import Clash
internal import Dagrun
internal import Foundation
internal import Logging
package import Model
package import Storage

/// How long jobs are remembered that have ended: their request, their result and, of those without a task, their log.
/// The ledger of what they cost stays.
package struct JobRetention: Hashable, Sendable {
  /// nil: for ever.
  package var days: Double?

  package init(days: Double? = 90) { self.days = days }

  /// - Throws: when DAGRUN_JOB_RETENTION_DAYS is not a number of days.
  package init(environment: [String: String]) throws {
    self.init()
    guard let text = environment["DAGRUN_JOB_RETENTION_DAYS"], !text.isEmpty else { return }
    guard let days = Double(text), days >= 0, days.isFinite else {
      throw JobRetentionProblem(description: "DAGRUN_JOB_RETENTION_DAYS is '\(text)', which is not a number of days")
    }
    if let problem = NumberBound("DAGRUN_JOB_RETENTION_DAYS", 0, 1_000_000).problem(days) {
      throw JobRetentionProblem(description: problem)
    }
    self.days = days == 0 ? nil : days
  }

  /// - Returns: how many jobs were forgotten.
  @discardableResult
  package func forgetJobs(of home: Home, in store: JobStore) throws -> Int {
    guard let days else { return 0 }
    let names = try store.prune(finishedBefore: Timestamp(Date()).adding(seconds: -days * 86_400))
    for name in names { try? FileManager.default.removeItem(atPath: home.logPath(ofJob: name)) }
    return names.count
  }
}

package struct JobRetentionProblem: Error, CustomStringConvertible { package let description: String }
