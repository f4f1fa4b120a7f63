import Clash
import Dispatch
import Foundation
import Model
import ModelCloud
import Testing

@testable import JobControl

@Suite(.timeLimit(.minutes(1))) struct JobDriverTests {
  private let world: JobWorld

  init() throws { world = try JobWorld() }

  private func expectCancelled(_ end: JobRunResult.End) {
    guard case .finished(let outcome, _, let wasInterrupted) = end else {
      Issue.record("\(end)")
      return
    }
    #expect(outcome.ending == .cancelled && !wasInterrupted)
    #expect(world.cloud.inventory == [])
    #expect(!world.exists("train.cancel"))
  }

  // MARK: Requests to cancel

  @Test(arguments: [1, 2]) func `a request cancels the job while it runs, also when it comes twice`(times: Int)
    async throws
  {
    let (driver, reports) = world.driver()
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    for _ in 0..<times { try world.repository.cancelRequest("train").write(for: try world.stored()) }
    expectCancelled(await end)
  }

  /// What a reader that has stopped reading does to whoever writes to it.
  @Test(.serialized, arguments: [true, false]) func `a job is cancelled although nobody reads what is said of it`(
    bySignal: Bool
  )
    async throws
  {
    let isReading = DispatchSemaphore(value: 0)
    let reports = Reports<JobProgress>()
    let driver = JobDriver(world.repository, world.runner()) { progress in
      reports.add(progress)
      switch progress {
      case .began, .cancelling:
        isReading.wait()
        isReading.signal()
      default: break
      }
    }
    defer { isReading.signal() }
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    if bySignal {
      Thread.detachNewThread { driver.cancellation.interrupt() }
    } else {
      try world.repository.cancelRequest("train").write(for: try world.stored())
    }
    #expect(try await JobCanceller(world.repository, job: "train").waitUntilFinished()?.isFinished == true)
    #expect(world.cloud.inventory == [])
    isReading.signal()
    _ = await end
  }

  @Test func `an empty request, as an older dagrun writes it, cancels the job that runs`() async throws {
    let (driver, reports) = world.driver()
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    #expect(FileManager.default.createFile(atPath: world.home + "/jobs/train.cancel", contents: nil))
    expectCancelled(await end)
  }

  @Test func `a request that a dead driver did not meet is met by the next one`() async throws {
    let job = try await world.abandonedJob()
    try world.repository.cancelRequest("train").write(for: job)
    let (driver, _) = world.driver()
    expectCancelled(await driver.drive("train", .stored(job)))
  }

  @Test func `a request for an earlier job of the name does not cancel the next one`() async throws {
    var earlier = try await world.abandonedJob("other")
    earlier.name = "train"
    try world.repository.cancelRequest("train").write(for: earlier)
    let (driver, reports) = world.driver()
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    #expect(!world.exists("train.cancel"))
    world.cloud.finish("train", attempt: 1)
    guard case .finished(let outcome, _, _) = await end else {
      Issue.record("it was left")
      return
    }
    #expect(outcome.ending == .exited(status: 0))
  }

  @Test func `a request for one job leaves another as it is`() async throws {
    let (driver, reports) = world.driver()
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    let other = try await world.abandonedJob("other")
    try world.repository.cancelRequest("other").write(for: other)
    world.cloud.finish("train", attempt: 1)
    guard case .finished(let outcome, _, _) = await end else {
      Issue.record("it was left")
      return
    }
    #expect(outcome.ending == .exited(status: 0))
    #expect(world.exists("other.cancel"))
  }

  @Test func `jobs that are driven in one process are each told of their own requests`() async throws {
    let (first, firstReports) = world.driver()
    let (second, secondReports) = world.driver()
    async let end = first.drive("train", .request(jobRequest()))
    async let otherEnd = second.drive("other", .request(jobRequest("other")))
    await firstReports.began()
    await secondReports.began()
    try world.repository.cancelRequest("train").write(for: try world.stored())
    guard case .finished(let outcome, _, _) = await end else {
      Issue.record("it was left")
      return
    }
    #expect(outcome.ending == .cancelled)
    // The other one still listens.
    #expect(try !world.stored("other").isFinished)
    try world.repository.cancelRequest("other").write(for: try world.stored("other"))
    guard case .finished(let other, _, _) = await otherEnd else { return }
    #expect(other.ending == .cancelled && world.cloud.inventory == [])
  }

  @Test func `a signal cancels the job, also one that came before there was one`() async throws {
    let (driver, reports) = world.driver()
    driver.cancellation.interrupt()
    let end = await driver.drive("train", .request(jobRequest()))
    guard case .finished(let outcome, _, true) = end else {
      Issue.record("\(end)")
      return
    }
    #expect(outcome.ending == .cancelled)
    #expect(reports.all.contains { if case .cancelling("train") = $0 { true } else { false } })
  }

  // MARK: The lifeline

  @Test func `the end of the lifeline leaves the job as it is`() async throws {
    let pipe = Pipe()
    let (driver, reports) = world.driver(lifeline: ParentLifeline(pipe.reading) { $0() })
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    pipe.close()
    guard case .left = await end else {
      Issue.record("it did not leave")
      return
    }
    #expect(try !world.stored().isFinished)
    #expect(world.cloud.inventory.contains("group train-1"))
  }

  @Test func `a lifeline that had ended before leaves the job too`() async throws {
    let pipe = Pipe()
    let lifeline = ParentLifeline(pipe.reading) { $0() }
    pipe.close()
    let job = try await world.abandonedJob()
    let (driver, _) = world.driver(lifeline: lifeline)
    guard case .left = await driver.drive("train", .stored(job)) else {
      Issue.record("it did not leave")
      return
    }
  }

  @Test func `a cancel that is under way is finished though the lifeline ends`() async throws {
    let gate = Gate()
    let cloud = ModelCloud(
      faults: { call, _ in call == "delete group train-1" ? .waits(gate) : nil },
      boots: { cloud, job, attempt in cloud.start(job, attempt: attempt) })
    let world = try JobWorld(cloud)
    let pipe = Pipe()
    let lifeline = ParentLifeline(pipe.reading) { $0() }
    let (driver, reports) = world.driver(lifeline: lifeline)
    async let end = driver.drive("train", .request(jobRequest()))
    await reports.began()
    driver.cancellation.interrupt()
    await cloud.reached("delete group train-1")
    let ended = Gate()
    _ = lifeline.onEnd { ended.open() }
    pipe.close()
    await ended.wait()
    gate.open()
    guard case .finished(let outcome, _, true) = await end else {
      Issue.record("it left")
      return
    }
    #expect(outcome.ending == .cancelled && cloud.inventory == [])
  }

  // MARK: Waiting for another driver

  @Test func `a driver waits for the one before it to die`() async throws {
    let holder = ForeignLock("train", in: world)
    let (driver, reports) = world.driver()
    async let lock = driver.lock("train") { false }
    guard case .waiting(_, let process)? = await reports.first(where: { if case .waiting = $0 { true } else { false } })
    else { return }
    #expect(process == 1_234_567)
    holder.die()
    #expect(try await lock != nil)
  }

  @Test func `who does not leave in time is named, unless he removes a cancelled job`() async throws {
    let holder = ForeignLock("train", in: world)
    var (driver, _) = world.driver()
    driver.lockLimitSeconds = 0
    let error = await #expect(throws: JobControlError.self) { _ = try await driver.lock("train") { false } }
    #expect(error == .drivenElsewhere(job: "train", process: 1_234_567, waitedSeconds: 0))
    var looks = 0
    let lock = try await driver.lock("train") {
      looks += 1
      if looks == 3 { holder.die() }
      return true
    }
    #expect(lock != nil && looks >= 3)
  }

  @Test func `the end of the lifeline ends the wait, unless a signal came before`() async throws {
    let holder = ForeignLock("train", in: world)
    let pipe = Pipe()
    let lifeline = ParentLifeline(pipe.reading) { $0() }
    let (driver, reports) = world.driver(lifeline: lifeline)
    let (interrupted, others) = world.driver(lifeline: lifeline)
    async let lock = driver.lock("train") { false }
    async let wanted = interrupted.lock("train") { false }
    await reports.isWaiting()
    await others.isWaiting()
    interrupted.cancellation.interrupt()
    pipe.close()
    #expect(try await lock == nil)
    holder.die()
    #expect(try await wanted != nil)
  }
}
