import Foundation
import Model
import Scheduling
import Testing

@testable import Storage

/// Jobs and their ledger.
struct JobStoreTests {
  let folder = Folder()

  @Test func `a job and its attempts are found again as they were saved`() throws {
    let store = try JobStore(path: folder.database)
    let ledger = [attempt(1, ending: .preempted, cost: 0.25), attempt(2)]
    let saved = job("train", task: task(run: 7), attempts: ledger)
    try store.save([saved])
    #expect(try store.job(named: "train") == saved)
    #expect(try store.jobs(of: TryKey(run: 7, taskID: "train", number: 1)) == [saved])
    #expect(try store.unfinishedJobs() == [saved])
    #expect(try store.listJobs() == [saved])
    #expect(try store.job(named: "other") == nil)
  }

  @Test func `a later save replaces the earlier one`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train", attempts: [attempt(1)])])
    var later = job("train", isFinished: true, attempts: [attempt(1, ending: .succeeded, cost: 1.5)])
    later.state = #"{"now":"ended"}"#
    try store.save([later])
    #expect(try store.job(named: "train") == later)
  }

  @Test func `what has ended does not begin again`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train", isFinished: true)])
    let error = #expect(throws: StoreError.self) { try store.save([job("train")]) }
    guard case .guardFailed(let failure) = error?.code else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(failure.subject == "job \"train\"")
    #expect(try store.job(named: "train")?.isFinished == true)
  }

  @Test func `another job of the same name is refused, and so is all that came with it`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train", submittedAt: 100)])
    #expect(throws: StoreError.self) { try store.save([job("first"), job("train", submittedAt: 200)]) }
    #expect(try store.listJobs().map(\.name) == ["train"])
  }

  @Test func `that a result was taken is noted once, and only of what has ended`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train"), job("ended", isFinished: true)])
    #expect(try !store.acknowledgeResult("train", at: at(500)))
    #expect(try !store.acknowledgeResult("other", at: at(500)))
    #expect(try store.acknowledgeResult("ended", at: at(500)))
    #expect(try store.acknowledgeResult("ended", at: at(600)))
    #expect(try store.job(named: "ended")?.takenAt == at(500))
    // Saving it once more does not take that back.
    try store.save([job("ended", isFinished: true)])
    #expect(try store.job(named: "ended")?.takenAt == at(500))
    #expect(try store.job(named: "train")?.takenAt == nil)
  }

  @Test func `the jobs of a base are those whose names add a number to it`() throws {
    let store = try JobStore(path: folder.database)
    let names = ["train", "train-1", "train-12", "train-x", "train1", "trai-1", "train0-1", "z"]
    try store.save(names.map { job($0) })
    #expect(try store.jobs(begun: "train").map(\.name) == ["train-1", "train-12", "train-x"])
  }

  @Test func `unfinished jobs are those without an end`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("c"), job("b", isFinished: true), job("a")])
    #expect(try store.unfinishedJobs().map(\.name) == ["a", "c"])
  }

  @Test func `a list is narrowed by each filter`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([
      job("alone", submittedAt: 100), job("task", task: task(run: 1), submittedAt: 200),
      job("ended", isFinished: true, submittedAt: 300),
    ])
    func names(_ filter: JobFilter) throws -> [String] { try store.listJobs(filter).map(\.name) }
    #expect(try names(JobFilter()) == ["ended", "task", "alone"])
    #expect(try names(JobFilter(isFinished: false)) == ["task", "alone"])
    #expect(try names(JobFilter(isFinished: true)) == ["ended"])
    #expect(try names(JobFilter(dagID: "nightly")) == ["task"])
    #expect(try names(JobFilter(taskID: "other")) == [])
    #expect(try names(JobFilter(since: at(200))) == ["ended", "task"])
    #expect(try names(JobFilter(limit: 1)) == ["ended"])
  }

  @Test func `the ledger says for whom each machine was`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([
      job("alone", attempts: [attempt(1, requestedAt: 500)]),
      job("task", task: task(run: 1), attempts: [attempt(1, requestedAt: 100), attempt(2, requestedAt: 900)]),
    ])
    #expect(try store.ledger().map(\.job) == ["task", "alone", "task"])
    #expect(try store.ledger().map(\.taskID) == ["train", nil, "train"])
    #expect(try store.ledger(since: at(500), until: at(900)).map(\.job) == ["alone"])
    #expect(try store.ledger(dagID: "nightly").map(\.attempt.number) == [1, 2])
  }

  @Test func `old jobs are forgotten, unfinished ones never, and what they cost stays`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([
      job(
        "old", task: task(run: 1), isFinished: true, submittedAt: 100,
        attempts: [attempt(1, ending: .preempted, cost: 2), attempt(2, requestedAt: 120, ending: .succeeded)]),
      job("running", submittedAt: 50), job("new", isFinished: true, submittedAt: 800, attempts: [attempt(1)]),
    ])
    let ledger = try store.ledger()
    #expect(try store.prune(finishedBefore: at(500)) == ["old"])
    #expect(try store.listJobs().map(\.name) == ["new", "running"])
    #expect(try store.job(named: "old") == nil)
    #expect(try store.ledger() == ledger && ledger.count == 3)
    #expect(try store.ledger(dagID: "nightly").map(\.taskID) == ["train", "train"])
    #expect(try store.prune(finishedBefore: at(500)).isEmpty)
    // The name is free again.
    try store.save([job("old", submittedAt: 900, attempts: [attempt(1, requestedAt: 900)])])
    #expect(try store.ledger().count == 4)
  }

  @Test func `a ledger of an older dagrun is kept when the database is brought up to date`() throws {
    let store = try JobStore(path: folder.database)
    var old = attempt(1, ending: .outOfCapacity, cost: 0.5)
    old.machines = nil
    try store.save([job("train", attempts: [old])])
    try store.run(
      """
      DROP TABLE past_attempt; DROP VIEW job_attempts; ALTER TABLE job_attempt DROP COLUMN machines;
      CREATE VIEW job_attempts AS SELECT * FROM job_attempt;
      DELETE FROM grdb_migrations WHERE identifier = '0005 ledger' OR identifier LIKE '0009%'
      """)
    let new = try JobStore(path: folder.database)
    #expect(try new.job(named: "train")?.attempts == [old])
    let next = attempt(2, ending: .notOffered)
    try new.save([job("train", attempts: [next])])
    #expect(try new.job(named: "train")?.attempts == [old, next])
    #expect(try new.firstValue("SELECT cost FROM jobs") == "0.5")
  }

  @Test func `a home has one random name, the same for every connection`() throws {
    let store = try JobStore(path: folder.database)
    let other = Folder()
    let home = try store.homeID()
    #expect(home.count == 12)
    #expect(try StoreReader(path: folder.database).homeID() == home)
    #expect(try JobStore(path: other.database).homeID() != home)
  }

  @Test func `the schema refuses what cannot be`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train", attempts: [attempt(1)])])
    for sql in [
      "UPDATE job SET is_finished = 1", "UPDATE job SET dag_id = 'd'", "UPDATE job SET state = 'not json'",
      "UPDATE job_attempt SET ending = 'vanished', ended_at = 5", "UPDATE job_attempt SET ended_at = 5",
      "UPDATE job_attempt SET cost = -1", "INSERT INTO home VALUES ('abc', 2)",
      "INSERT INTO job_attempt SELECT 'nobody', 1, zone, region, machine_type, 0, 1, 1, 1, NULL, NULL, NULL, NULL FROM job_attempt",
      "UPDATE job_attempt SET machines = '['",
    ] {
      #expect(throws: (any Error).self, "\(sql)") { try store.run(sql) }
    }
  }

  @Test func `a person can read the tables`() throws {
    let store = try JobStore(path: folder.database)
    try store.save([job("train", submittedAt: 0, attempts: [attempt(1, cost: 2), attempt(2, cost: 0.5)])])
    #expect(try store.firstValue("SELECT cost FROM jobs WHERE submitted_at LIKE '1970-01-01T00:00:00%'") == "2.5")
    #expect(try store.firstValue("SELECT place FROM job_attempts") == "europe-west1-b")
    try store.save([job("ended", isFinished: true, attempts: [attempt(1, ending: .succeeded)])])
    #expect(
      try store.firstValue("SELECT machine_seconds_at_most FROM job_attempts WHERE job = 'ended'").flatMap(Double.init)
        == 79)
  }

  @Test func `several processes' connections write beside the scheduler, and nothing is lost`() async throws {
    let path = folder.database
    let scheduler = try Store(path: path)
    try scheduler.add()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for writer in 0..<4 {
        group.addTask {
          let store = try JobStore(path: path)
          for number in 0..<20 { try store.save([job("job-\(writer)-\(number)")]) }
        }
      }
      for number in 0..<40 { try scheduler.setVariable(Variable(key: "k\(number)", value: "v")) }
      try await group.waitForAll()
    }
    #expect(try scheduler.listJobs().count == 80)
  }
}

private func task(run: Int64) -> JobTask {
  JobTask(dagID: "nightly", runID: "manual__1", key: TryKey(run: run, taskID: "train", number: 1))
}

private func job(
  _ name: String, task: JobTask? = nil, isFinished: Bool = false, submittedAt: Int64 = 100, attempts: [JobAttempt] = []
) -> JobRecord {
  JobRecord(
    name: name, project: "my-project", task: task, isDetached: false, phase: isFinished ? "succeeded" : "running",
    isFinished: isFinished, submittedAt: at(submittedAt), finishedAt: isFinished ? at(submittedAt + 60) : nil,
    attempts: attempts, request: "{}", state: "{}")
}

private func attempt(
  _ number: Int, requestedAt: Int64 = 100, ending: JobAttempt.Ending? = nil, cost: Double? = nil
) -> JobAttempt {
  JobAttempt(
    number: number, zone: "europe-west1-b", region: "europe-west1", machineType: "n1-standard-4",
    isSpot: true,
    requestedAt: at(requestedAt), machineStartedAt: at(requestedAt + 1), containerStartedAt: at(requestedAt + 20),
    endedAt: ending == nil ? nil : at(requestedAt + 80), ending: ending, cost: cost,
    machines: ending == nil
      ? nil
      : [
        MachineUse(
          id: "7", name: "train-1-abcd", zone: "europe-west1-b", began: TimeBounds(at(requestedAt + 1)),
          ended: TimeBounds(at(requestedAt + 50), at(requestedAt + 80)), wasPreempted: true)
      ])
}
