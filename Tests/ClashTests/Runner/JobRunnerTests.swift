import Dagrun
import Foundation
import Model
import ModelCloud
import Testing

@testable import Clash

/// The runner over a model of Google: what a job leaves, what it keeps, and what it survives.
@Suite(.timeLimit(.minutes(2))) struct JobRunnerTests {
  @Test func `a job runs, its result comes back, and nothing is left`() async {
    let bench = RunnerBench(
      ModelCloud(boots: { cloud, job, attempt in
        cloud.start(job, attempt: attempt)
        cloud.log(job, attempt: attempt, "hello\n", offset: 0)
        cloud.finish(job, attempt: attempt, log: "hello\n", output: "42")
      }))
    let job = bench.start(jobRequest(), log: "train.log")
    let outcome = await job.outcome()
    await bench.runner.waitUntilIdle()
    #expect(outcome.ending == .exited(status: 0))
    #expect(outcome.output == "42")
    #expect(outcome.logTail == "hello\n")
    #expect(outcome.result?.zone == "europe-west1-b")
    #expect(outcome.leftBehind == [])
    #expect(job.log == "hello\n")
    #expect(bench.text(of: "train.log").split(separator: "\n").contains("hello"))
    #expect(bench.cloud.inventory == [])
    #expect(
      bench.cloud.calls.filter { !$0.hasPrefix("list ") } == [
        "create topic train", "create subscription train", "find image of family cos-cloud/cos-stable",
        "insert template train-1", "insert group train-1", "delete group train-1",
        "delete subscription train", "delete topic train", "delete template train-1",
      ])
  }

  @Test(arguments: [
    ("t2a-standard-4", nil, "cos-cloud/cos-arm64-stable"), ("c4a-standard-4", nil, "cos-cloud/cos-arm64-stable"),
    ("c4-standard-4", nil, "cos-cloud/cos-stable"), ("t2a-standard-4", "mine", "my-project/mine"),
  ])
  func `a machine gets the operating system of its processor`(type: String, asked: String?, family: String) async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2, status: 0) }))
    let request = jobRequest {
      $0.config.machineTypes = [type]
      if let asked { $0.config.diskImage = JobConfig.DiskImage(project: "my-project", family: asked) }
    }
    _ = await bench.start(request).outcome()
    #expect(bench.cloud.calls.contains("find image of family \(family)"))
  }

  @Test func `a program's own status is the outcome`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2, status: 127) }))
    #expect(await bench.start(jobRequest()).outcome().ending == .exited(status: 127))
    #expect(bench.cloud.inventory == [])
  }

  @Test func `the log file has dagrun's lines and the job's bytes, each once`() async {
    let bench = RunnerBench()
    let job = bench.start(jobRequest(), log: "folder/train.log")
    await job.noted("machine is up")
    bench.cloud.start("train", attempt: 1)
    bench.cloud.log("train", attempt: 1, "one\ntw", offset: 0)
    bench.cloud.log("train", attempt: 1, "one\ntw", offset: 0)
    bench.cloud.log("train", attempt: 1, "o\n", offset: 6)
    await job.logged("two\n")
    bench.cloud.finish("train", attempt: 1, log: "one\ntwo\n")
    _ = await job.outcome()
    let lines = bench.text(of: "folder/train.log").split(separator: "\n")
    #expect(lines.filter { !$0.hasPrefix("[dagrun] ") } == ["one", "two"])
    #expect(lines.first == "[dagrun] attempt 1: asking for n1-standard-4 in europe-west1-b")
    #expect(job.log == "one\ntwo\n")
  }

  @Test func `a stock-out moves to the next zone, and there is never a second group`() async throws {
    let bench = RunnerBench(
      ModelCloud(
        machines: { _, scope in
          scope.hasSuffix("-b") ? .refused(code: "ZONE_RESOURCE_POOL_EXHAUSTED") : .running
        }, boots: { $0.finish($1, attempt: $2) }))
    let outcome = await bench.start(jobRequest()).outcome()
    #expect(outcome.ending == .exited(status: 0))
    #expect(outcome.result?.zone == "europe-west1-c")
    #expect(bench.cloud.mostGroups == 1)
    let stored = try #require(try bench.journal.job(named: "train"))
    #expect(stored.attempts.map(\.ending) == [.outOfCapacity, .succeeded])
    #expect(bench.cloud.inventory == [])
  }

  @Test func `two jobs run at once, and each has its own end`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2, status: $1 == "good" ? 0 : 3) }))
    let good = bench.start(jobRequest("good"))
    let bad = bench.start(jobRequest("bad"))
    #expect(await good.outcome().ending == .exited(status: 0))
    #expect(await bad.outcome().ending == .exited(status: 3))
    await bench.runner.waitUntilIdle()
    #expect(bench.cloud.inventory == [])
  }

  @Test func `asking twice for a job is asking once`() async {
    let bench = RunnerBench()
    let first = bench.start(jobRequest())
    await first.noted("machine is up")
    let second = bench.start(jobRequest())
    bench.cloud.finish("train", attempt: 1)
    #expect(await second.outcome().ending == .exited(status: 0))
    #expect(bench.cloud.calls.count { $0 == "insert group train-1" } == 1)
    // And once more, when it has ended.
    #expect(await bench.start(jobRequest()).outcome().ending == .exited(status: 0))
    #expect(bench.cloud.calls.count { $0 == "insert group train-1" } == 1)
  }

  @Test func `a name that is another one's in the cloud fails the job, and is left alone`() async {
    let other = RunnerBench()
    _ = other.start(jobRequest(home: "home2"))
    let bench = RunnerBench(other.cloud)
    await other.cloud.reached("insert group train-1")
    let outcome = await bench.start(jobRequest(home: "home1")).outcome()
    guard case .infrastructure(let failure) = outcome.ending else {
      Issue.record("\(outcome.ending)")
      return
    }
    #expect(failure.kind == .invalidRequest)
    #expect(other.cloud.inventory == ["group train-1", "subscription train", "template train-1", "topic train"])
  }

  @Test func `a job that cannot be described ends at once, in words`() async {
    let bench = RunnerBench()
    let outcome = await bench.start(jobRequest { $0.command = .arguments(["a\0b"]) }).outcome()
    guard case .infrastructure(let failure) = outcome.ending else {
      Issue.record("\(outcome.ending)")
      return
    }
    #expect(failure.kind == .invalidRequest)
    #expect(bench.cloud.inventory == [])
  }

  @Test(arguments: [
    "create topic train", "create subscription train", "insert template train-1", "insert group train-1",
    "delete group train-1", "delete template train-1", "delete subscription train", "delete topic train",
  ])
  func `a lost answer is asked for again, and found done`(call: String) async {
    let bench = RunnerBench(
      ModelCloud(faults: { $0 == call && $1 == 1 ? .answerLost : nil }, boots: { $0.finish($1, attempt: $2) }))
    let outcome = await bench.start(jobRequest()).outcome()
    #expect(outcome.ending == .exited(status: 0))
    #expect(outcome.leftBehind == [])
    #expect(bench.cloud.inventory == [])
    #expect(bench.cloud.mostGroups == 1)
  }

  static let forbidden = ModelCloud.Fault.refused(status: 403, reason: "forbidden")

  @Test func `a missing permission ends the job and says what is missing`() async {
    let bench = RunnerBench(
      ModelCloud(faults: { call, _ in call == "insert group train-1" ? Self.forbidden : nil }))
    let outcome = await bench.start(jobRequest()).outcome()
    guard case .infrastructure(let failure) = outcome.ending else {
      Issue.record("\(outcome.ending)")
      return
    }
    #expect(failure.kind == .permission)
    #expect(bench.cloud.inventory == [])
  }

  @Test func `what cannot be removed is named in the outcome`() async {
    let bench = RunnerBench(
      ModelCloud(
        faults: { call, _ in call == "delete topic train" ? .refused(status: 403, reason: "forbidden") : nil },
        boots: { $0.finish($1, attempt: $2) }))
    let outcome = await bench.start(jobRequest()).outcome()
    #expect(outcome.leftBehind.count == 1)
    #expect(outcome.leftBehind.first?.hasPrefix("topic train: ") == true)
    #expect(bench.cloud.inventory == ["topic train"])
  }

  @Test func `costs are estimated for each attempt and for the job`() async throws {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    bench.options.prices = PriceTable(
      currency: "EUR", machines: ["n1-standard-4": ["*": PriceTable.HourlyPrice(standard: 60, spot: nil)]])
    let outcome = await bench.start(jobRequest()).outcome()
    // A minute is the least.
    #expect(outcome.result?.cost == 1)
    #expect(try #require(try bench.journal.job(named: "train")).attempts.map(\.cost) == [1])
  }
}
