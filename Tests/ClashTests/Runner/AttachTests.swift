import Dagrun
import Foundation
import Model
import ModelCloud
import Testing

@testable import Clash

/// Jobs that somebody else has begun, and jobs that nobody waits for.
@Suite(.timeLimit(.minutes(2))) struct AttachTests {
  @Test func `a job of another home is found by its name, and its waiting result is taken`() async throws {
    let first = RunnerBench()
    _ = first.start(jobRequest(detached: true))
    #expect(await first.runner.waitUntilHandedOver("train"))
    first.runner.stop()
    first.cloud.start("train", attempt: 1)
    first.cloud.log("train", attempt: 1, "hello\n", offset: 0)
    first.cloud.finish("train", attempt: 1, status: 4, log: "hello\n", output: "7")

    let second = RunnerBench(first.cloud)
    let reader = UpdateReader()
    second.runner.attach("train", project: "my-project", logPath: second.folder.path + "/log", observer: reader.receive)
    let outcome = await reader.outcome()
    #expect(outcome.ending == .exited(status: 4))
    #expect(outcome.output == "7")
    #expect(reader.log == "hello\n")
    #expect(outcome.leftBehind == [])
    #expect(second.cloud.inventory == [])
    #expect(try #require(try second.journal.job(named: "train")).isFinished)
  }

  /// The model of the cloud takes no heed of filters.
  @Test func `a job is told from another one whose template is newer`() async throws {
    let first = RunnerBench(
      ModelCloud(machines: { name, _ in
        name == "other-1" ? .refused(code: "ZONE_RESOURCE_POOL_EXHAUSTED") : .running
      }))
    _ = first.start(jobRequest(detached: true))
    #expect(await first.runner.waitUntilHandedOver("train"))
    await first.start(jobRequest("other")).noted("machine is up")
    #expect(first.cloud.inventory.contains("template other-2"))
    first.runner.stop()
    first.cloud.finish("train", attempt: 1, status: 4)

    let second = RunnerBench(first.cloud)
    let reader = UpdateReader()
    second.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
    #expect(await reader.outcome().ending == .exited(status: 4))
    #expect(!(try await second.runner.hasTemplate(of: "train", project: "my-project")))
    #expect(try await second.runner.hasTemplate(of: "other", project: "my-project"))
    #expect(second.cloud.inventory.contains("group other-2"))
  }

  @Test func `the result waits also where the machine has removed its own group`() async {
    let first = RunnerBench(ModelCloud(machines: { _, _ in .running }))
    _ = first.start(jobRequest(detached: true))
    #expect(await first.runner.waitUntilHandedOver("train"))
    first.runner.stop()
    first.cloud.finish("train", attempt: 1)
    first.cloud.removeGroup("train-1")

    let second = RunnerBench(first.cloud)
    let reader = UpdateReader()
    second.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
    #expect(await reader.outcome().ending == .exited(status: 0))
    #expect(second.cloud.inventory == [])
  }

  @Test func `a result that its home has pulled and not removed comes to another home`() async {
    let first = RunnerBench(
      ModelCloud(faults: { call, count in call == "delete subscription train" && count == 1 ? .hangs : nil }))
    let job = first.start(jobRequest())
    await job.noted("machine is up")
    first.cloud.start("train", attempt: 1)
    first.cloud.finish("train", attempt: 1, status: 3, output: "7")
    await first.cloud.reached("delete subscription train")
    first.runner.stop()
    first.cloud.redeliver()

    let second = RunnerBench(first.cloud)
    let reader = UpdateReader()
    second.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
    let outcome = await reader.outcome()
    #expect(outcome.ending == .exited(status: 3))
    #expect(outcome.output == "7")
    #expect(second.cloud.inventory == [])
    #expect(second.cloud.calls.count { $0.hasPrefix("insert group") } == 1)
  }

  @Test func `a job whose result was taken is over, and what is left of it goes`() async throws {
    let first = RunnerBench()
    let job = first.start(jobRequest())
    await job.noted("machine is up")
    first.runner.stop()
    first.cloud.removeSubscription("train")

    let second = RunnerBench(first.cloud)
    let reader = UpdateReader()
    second.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
    let failure = try #require(await reader.outcome().failure)
    #expect(failure.kind == .endedElsewhere)
    #expect(failure.message.contains("another home"))
    #expect(second.cloud.inventory == [])
    #expect(second.cloud.calls.count { $0.hasPrefix("insert group") } == 1)
  }

  @Test func `a home that comes back to a job that another one has ended asks for no machine`() async throws {
    let bench = RunnerBench(
      ModelCloud(faults: { call, count in call == "insert group train-1" && count == 1 ? .answerHangs : nil }))
    _ = bench.start(jobRequest())
    await bench.cloud.reached("insert group train-1")
    bench.runner.stop()
    bench.cloud.removeSubscription("train")
    bench.restart()
    let failure = try #require(await bench.adopt("train").outcome().failure)
    #expect(failure.kind == .endedElsewhere)
    #expect(bench.cloud.inventory == [])
    #expect(bench.cloud.calls.count { $0.hasPrefix("insert group") } == 1)
  }

  @Test func `nothing of that name is said in words`() async {
    let bench = RunnerBench()
    let reader = UpdateReader()
    bench.runner.attach("nothing", project: "my-project", logPath: nil, observer: reader.receive)
    guard case .infrastructure(let failure) = await reader.outcome().ending else {
      Issue.record("it has not failed")
      return
    }
    #expect(failure.kind == .invalidRequest)
    #expect(failure.message.hasPrefix("there is no job nothing in the project my-project"))
  }

  @Test func `a job that the journal knows is not looked for`() async {
    let bench = RunnerBench()
    let job = bench.start(jobRequest())
    await job.noted("machine is up")
    bench.restart()
    let reader = UpdateReader()
    bench.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
    bench.cloud.finish("train", attempt: 1)
    #expect(await reader.outcome().ending == .exited(status: 0))
    #expect(!bench.cloud.calls.contains { $0.hasPrefix("list templates") })
  }

  @Test func `adopting what is not known fails`() async {
    let bench = RunnerBench()
    guard case .infrastructure(let failure) = await bench.adopt("nobody").outcome().ending else {
      Issue.record("it has not failed")
      return
    }
    #expect(failure.kind == .invalidRequest)
    await bench.runner.waitUntilIdle()
  }

  @Test func `a job with somebody who waits is never handed over`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    let job = bench.start(jobRequest())
    #expect(await bench.runner.waitUntilHandedOver("train") == false)
    #expect(await job.outcome().ending == .exited(status: 0))
    #expect(await bench.runner.waitUntilHandedOver("nobody") == false)
  }

  @Test func `a job is handed over to somebody who continues with it once its machine is asked for`() async {
    let bench = RunnerBench()
    let job = bench.start(jobRequest())
    #expect(await bench.runner.waitUntilHandedOver("train", toAnybody: true))
    bench.restart()
    let reader = bench.adopt("train")
    bench.cloud.finish("train", attempt: 1)
    #expect(await reader.outcome().ending == .exited(status: 0))
    _ = job
  }
}

extension JobOutcome {
  fileprivate var failure: InfrastructureFailure? {
    guard case .infrastructure(let failure) = ending else { return nil }
    return failure
  }
}
