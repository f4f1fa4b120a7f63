import Clash
import Foundation
import Model
import ModelCloud
import Storage
import Testing

@testable import JobControl

@Suite(.timeLimit(.minutes(1))) struct JobCancellerTests {
  private let world: JobWorld

  init() throws { world = try JobWorld() }

  @Test func `the driver that was asked finishes the job, and the request goes`() async throws {
    let (driver, reports) = world.driver()
    let lock = try world.repository.lock("train")
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    let canceller = JobCanceller(world.repository, job: "train")
    try canceller.request(for: try world.stored())
    async let state = canceller.waitUntilLeft()
    _ = await end
    _ = consume lock
    guard case .finished(let job) = try await state else {
      Issue.record("it was left")
      return
    }
    #expect(job.isFinished && !world.exists("train.cancel"))
  }

  @Test func `a job whose driver dies before it meets the request is cancelled here`() async throws {
    let job = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    let canceller = JobCanceller(world.repository, job: "train")
    try canceller.request(for: job)
    async let state = canceller.waitUntilLeft()
    holder.die()
    guard case .left(_?, let lock) = try await state else {
      Issue.record("it was finished")
      return
    }
    #expect(world.exists("train.cancel"))
    let outcome = await canceller.cancel(world.runner(), project: nil, holding: lock)
    #expect(outcome?.ending == .cancelled && world.cloud.inventory == [])
    #expect(!world.exists("train.cancel"))
  }

  @Test func `a job that has ended is not waited for although its driver stays`() async throws {
    var job = try await world.abandonedJob()
    let holder = ForeignLock("train", in: world)
    let canceller = JobCanceller(world.repository, job: "train")
    async let state = canceller.waitUntilLeft()
    (job.isFinished, job.finishedAt) = (true, job.submittedAt)
    try JobWorld.anotherStore(of: world).save([job])
    guard case .finished(let ended) = try await state else {
      Issue.record("it was left")
      return
    }
    #expect(ended.isFinished)
    holder.die()
  }

  @Test func `the end of a job that another process writes is seen in the database`() async throws {
    var job = try await world.abandonedJob()
    let canceller = JobCanceller(world.repository, job: "train")
    async let ended = canceller.waitUntilFinished()
    (job.isFinished, job.finishedAt) = (true, job.submittedAt)
    let other = try JobWorld.anotherStore(of: world)
    try other.save([job])
    #expect(try await ended?.isFinished == true)
  }
}
