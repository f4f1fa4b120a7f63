package import Clash
internal import Dagrun
internal import Foundation
package import Storage

/// The journal of jobs, in the database of a home.
package struct StoredJobJournal: JobJournal {
  private let store: JobStore
  /// Of the home: a label on everything that its jobs have in the cloud.
  package let homeID: String

  package init(store: JobStore) throws(StoreError) {
    self.store = store
    homeID = try store.homeID()
  }

  package func save(_ jobs: [StoredJob]) throws {
    try store.save(
      jobs.map { job in
        (try JobRecord(job), job.attempts.map { JobAttemptRecord($0, ofJob: job.request.name) })
      })
  }

  package func job(named name: String) throws -> StoredJob? { try store.job(named: name).map(stored) }

  package func unfinishedJobs() throws -> [StoredJob] {
    try store.unfinishedJobs().compactMap { record in
      do { return try stored(record) } catch is JobStateError { return nil }
    }
  }

  private func stored(_ record: JobRecord) throws -> StoredJob {
    try StoredJob(record, attempts: store.attempts(ofJob: record.name))
  }
}

extension StoredJob {
  /// - Throws: `JobStateError` when another dagrun has written the record, and this one cannot read it.
  package init(_ record: JobRecord, attempts: [JobAttemptRecord]) throws {
    let request: JobRequest
    do {
      request = try JSONDecoder().decode(JobRequest.self, from: Data(record.request.utf8))
    } catch let error as DecodingError {
      throw JobStateError(job: record.name, problem: error.inWords)
    }
    self.init(
      request: request, phase: record.phase,
      isFinished: record.isFinished, submittedAt: record.submittedAt, finishedAt: record.finishedAt,
      attempts: attempts.map(JobAttempt.init), state: Data(record.state.utf8))
    takenAt = record.takenAt
  }
}

extension JobRecord {
  init(_ job: StoredJob) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let task = job.request.origin.task.map { task in
      TaskOfJobRecord(
        dagID: task.dagID, runID: task.runID, taskID: task.taskID, tryNumber: task.tryNumber, run: task.run)
    }
    self.init(
      name: job.request.name, project: job.request.spec.config.project, task: task, isDetached: job.request.isDetached,
      phase: job.phase, isFinished: job.isFinished, submittedAt: job.submittedAt, finishedAt: job.finishedAt,
      request: String(decoding: try encoder.encode(job.request), as: UTF8.self),
      state: String(decoding: job.state, as: UTF8.self))
  }
}

extension JobAttemptRecord {
  init(_ attempt: JobAttempt, ofJob job: String) {
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
    // The schema knows the same endings.
    ending = record.ending.flatMap(Ending.init(rawValue:))
    cost = record.cost
  }
}
