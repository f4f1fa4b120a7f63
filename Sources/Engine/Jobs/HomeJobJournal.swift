package import Clash
package import Dagrun
internal import Foundation
package import Storage

/// The jobs of a home, kept in its database.
package struct HomeJobJournal: JobJournal {
  private let store: JobStore

  package init(_ store: JobStore) { self.store = store }

  package func save(_ jobs: [StoredJob]) throws {
    try store.save(
      try jobs.map { job in (try JobRecord(job), job.attempts.map { JobAttemptRecord($0, ofJob: job.request.name) }) })
  }

  package func job(named name: String) throws -> StoredJob? {
    try store.job(named: name).map { try StoredJob($0, attempts: try store.attempts(ofJob: name)) }
  }

  package func unfinishedJobs() throws -> [StoredJob] {
    try store.unfinishedJobs().map { try StoredJob($0, attempts: try store.attempts(ofJob: $0.name)) }
  }
}

extension JobRecord {
  fileprivate init(_ job: StoredJob) throws {
    let request = job.request
    self.init(
      name: request.name, project: request.spec.config.project, task: request.origin.task.map(TaskOfJobRecord.init),
      isDetached: request.isDetached, phase: job.phase, isFinished: job.isFinished, submittedAt: job.submittedAt,
      finishedAt: job.finishedAt, request: String(decoding: try JSONEncoder().encode(request), as: UTF8.self),
      state: String(decoding: job.state, as: UTF8.self))
  }
}

extension TaskOfJobRecord {
  fileprivate init(_ task: TaskOfJob) {
    self.init(dagID: task.dagID, runID: task.runID, taskID: task.taskID, tryNumber: task.tryNumber, run: task.run)
  }
}

extension StoredJob {
  package init(_ record: JobRecord, attempts: [JobAttemptRecord]) throws {
    self.init(
      request: try JSONDecoder().decode(JobRequest.self, from: Data(record.request.utf8)), phase: record.phase,
      isFinished: record.isFinished, submittedAt: record.submittedAt, finishedAt: record.finishedAt,
      attempts: attempts.map(JobAttempt.init), state: Data(record.state.utf8))
  }
}

extension JobAttemptRecord {
  fileprivate init(_ attempt: JobAttempt, ofJob job: String) {
    self.init(
      job: job, number: attempt.number, zone: attempt.zone, region: attempt.region, machineType: attempt.machineType,
      isSpot: attempt.isSpot, requestedAt: attempt.requestedAt, machineStartedAt: attempt.machineStartedAt,
      containerStartedAt: attempt.containerStartedAt, endedAt: attempt.endedAt, ending: attempt.ending?.rawValue,
      cost: attempt.cost)
  }
}

extension JobAttempt {
  package init(_ record: JobAttemptRecord) {
    self.init(
      number: record.number, zone: record.zone, region: record.region, machineType: record.machineType,
      isSpot: record.isSpot, requestedAt: record.requestedAt)
    machineStartedAt = record.machineStartedAt
    containerStartedAt = record.containerStartedAt
    endedAt = record.endedAt
    ending = record.ending.flatMap(Ending.init(rawValue:))
    cost = record.cost
  }
}
