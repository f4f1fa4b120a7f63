import Clash
import Foundation
import Model
import ModelCloud
import Testing

@testable import JobControl

/// Attempts of one series in one home: another scheduler begins a higher one when it has given up the lower one.
@Suite(.timeLimit(.minutes(1))) struct JobSeriesRunnerTests {
  private let world: JobWorld

  init() throws { world = try JobWorld() }

  private func attempt(_ number: Int) -> (JobSeriesRunner, Reports<JobProgress>) {
    let (driver, reports) = world.driver()
    let series = JobSeries(base: "train", number: number)
    return (JobSeriesRunner(driver: driver, series: series, spec: jobRequest().spec), reports)
  }

  private func claim(_ number: Int) -> AttemptClaim {
    AttemptClaim(of: JobSeries(base: "train", number: number), folder: world.repository.folder)
  }

  private func claims() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: world.repository.folder).filter { $0.contains("attempt-") }
  }

  @Test func `a higher attempt has the job at once, and its result`() async throws {
    let (lower, lowerReports) = attempt(1)
    async let left = lower.run()
    await lowerReports.began()
    let (higher, higherReports) = attempt(2)
    async let result = higher.run()
    guard case .left = try await left.end else {
      Issue.record("the lower attempt has stayed")
      return
    }
    await higherReports.first { if case .resuming(job: "train-1") = $0 { true } else { false } }
    world.cloud.finish("train-1", attempt: 1)
    let ended = try await result
    #expect(ended.name == "train-1" && ended.outcome?.ending == .exited(status: 0))
    #expect(world.cloud.inventory == [])
  }

  @Test func `an attempt whose reader has stopped reading gives its job to a higher one all the same`() async throws {
    let isReading = DispatchSemaphore(value: 0)
    let reports = Reports<JobProgress>()
    let driver = JobDriver(world.repository, world.runner()) { progress in
      reports.add(progress)
      guard case .began = progress else { return }
      isReading.wait()
      isReading.signal()
    }
    defer { isReading.signal() }
    let lower = JobSeriesRunner(
      driver: driver, series: JobSeries(base: "train", number: 1), spec: jobRequest().spec)
    async let left = lower.run()
    await reports.began()
    let (higher, higherReports) = attempt(2)
    async let result = higher.run()
    await higherReports.first { if case .resuming(job: "train-1") = $0 { true } else { false } }
    world.cloud.finish("train-1", attempt: 1)
    #expect(try await result.outcome?.ending == .exited(status: 0))
    isReading.signal()
    guard case .left = try await left.end else {
      Issue.record("the lower attempt has stayed")
      return
    }
  }

  @Test func `a signal to an attempt that was given up cancels nothing`() async throws {
    let (lower, reports) = attempt(1)
    async let left = lower.run()
    await reports.began()
    let higher = claim(2)
    higher.raise()
    lower.driver.cancellation.interrupt()
    guard case .left = try await left.end else {
      Issue.record("it was not left")
      return
    }
    #expect(!reports.all.contains { if case .cancelling = $0 { true } else { false } })
    #expect(try !world.stored("train-1").isFinished && world.cloud.inventory.contains("group train-1-1"))
    withExtendedLifetime(higher) {}
  }

  @Test func `a cancel that is under way is finished though a higher attempt comes`() async throws {
    let gate = Gate()
    let cloud = ModelCloud(
      faults: { call, _ in call == "delete group train-1-1" ? .waits(gate) : nil },
      boots: { cloud, job, attempt in cloud.start(job, attempt: attempt) })
    let world = try JobWorld(cloud)
    let (driver, reports) = world.driver()
    let runner = JobSeriesRunner(
      driver: driver, series: JobSeries(base: "train", number: 1), spec: jobRequest().spec)
    async let end = runner.run()
    await reports.began()
    driver.cancellation.interrupt()
    await cloud.reached("delete group train-1-1")
    let higher = AttemptClaim(of: JobSeries(base: "train", number: 2), folder: world.repository.folder)
    higher.raise()
    gate.open()
    guard case .finished(let outcome, _, true) = try await end.end else {
      Issue.record("it was left")
      return
    }
    #expect(outcome.ending == .cancelled && cloud.inventory == [])
    withExtendedLifetime(higher) {}
  }

  @Test func `a result that comes too late for its attempt is not noted as received`() async throws {
    let (lower, reports) = attempt(1)
    async let end = lower.run()
    await reports.began()
    world.cloud.finish("train-1", attempt: 1)
    let result = try await end
    #expect(await result.isReceived(nil))
    let higher = claim(2)
    higher.raise()
    #expect(await !result.isReceived(nil))
    withExtendedLifetime(higher) {}
  }

  @Test(arguments: [false, true])
  func `a lower attempt that comes late leaves the higher one alone`(isAtWork: Bool) async throws {
    let higher = claim(2)
    higher.raise()
    let lock = isAtWork ? try world.repository.lock("train.attempts") : nil
    defer { withExtendedLifetime(lock) {} }
    let (lower, _) = attempt(1)
    guard case .left = try await lower.run().end else {
      Issue.record("it began a job")
      return
    }
    #expect(world.cloud.inventory == [])
    withExtendedLifetime(higher) {}
  }

  @Test(arguments: [
    ("train", 2, true), ("train", 1, false), ("train", 10, true), ("other", 2, false), ("trai", 2, false),
  ])
  func `a higher attempt of the same series counts`(base: String, number: Int, counts: Bool) {
    let own = claim(1)
    own.raise()
    let other = AttemptClaim(of: JobSeries(base: base, number: number), folder: world.repository.folder)
    #expect(!own.isSuperseded)
    other.raise()
    #expect(own.isSuperseded == counts)
    withExtendedLifetime(other) {}
  }

  @Test(arguments: [1, 2, 3]) func `the claim of a dead process counts for nothing, and goes`(number: Int) throws {
    let path = world.home + "/jobs/train.attempt-\(number).0"
    #expect(FileManager.default.createFile(atPath: path, contents: nil))
    #expect(!claim(2).isSuperseded)
    #expect(try claims() == [])
  }

  @Test func `a claim ends with its attempt`() async throws {
    try await runToItsEnd()
    #expect(try claims() == [])
  }

  private func runToItsEnd() async throws {
    let (runner, reports) = attempt(1)
    async let end = runner.run()
    await reports.began()
    #expect(try claims().count == 1)
    world.cloud.finish("train-1", attempt: 1)
    _ = try await end
  }
}
