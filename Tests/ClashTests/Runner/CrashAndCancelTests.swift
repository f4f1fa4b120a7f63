import Dagrun
import Foundation
import Model
import ModelCloud
import Synchronization
import Testing

@testable import Clash

/// Runners that end at any point, journals that fail for a while, and people who change their mind.
@Suite(.timeLimit(.minutes(2))) struct CrashAndCancelTests {
  static let calls = [
    "create topic train", "create subscription train", "find image of family cos-cloud/cos-stable",
    "insert template train-1", "insert group train-1", "list instances of group train-1", "delete group train-1",
    "delete template train-1", "delete subscription train", "delete topic train",
  ]

  /// The first time it hangs, the call is not done, and the runner is killed.
  @Test(arguments: calls)
  func `killed before a call, another runner continues: one VM, one result, nothing left`(call: String) async throws {
    try await kill(at: call, fault: .hangs)
  }

  /// The call is done, but the answer does not come before the end.
  @Test(arguments: calls)
  func `killed after a call, another runner continues: one VM, one result, nothing left`(call: String) async throws {
    try await kill(at: call, fault: .answerHangs)
  }

  private func kill(at call: String, fault: ModelCloud.Fault) async throws {
    let bench = RunnerBench(
      ModelCloud(
        faults: { $0 == call && $1 == 1 ? fault : nil },
        boots: { cloud, job, attempt in
          cloud.start(job, attempt: attempt)
          cloud.log(job, attempt: attempt, "hello\n", offset: 0)
          // Where the group is looked at, the result waits for the look.
          if call.hasPrefix("list") { return }
          cloud.finish(job, attempt: attempt, status: 3, log: "hello\n")
        }))
    // The instances are looked at only where the VM says nothing.
    let job = bench.start(jobRequest(), log: "train.log")
    await bench.cloud.reached(call)
    bench.restart()
    #expect(job.all.outcome == nil)
    let adopted = bench.start(jobRequest(), log: "train.log")
    if call.hasPrefix("list") { bench.cloud.finish("train", attempt: 1, status: 3, log: "hello\n") }
    let outcome = await adopted.outcome()
    await bench.runner.waitUntilIdle()
    #expect(outcome.ending == .exited(status: 3))
    #expect(outcome.result?.attempts == 1)
    #expect(outcome.leftBehind == [])
    #expect(bench.cloud.inventory == [])
    #expect(bench.cloud.mostGroups == 1)
    #expect(bench.text(of: "train.log").split(separator: "\n").filter { !$0.hasPrefix("[dagrun]") } == ["hello"])
    #expect(try #require(try bench.journal.job(named: "train")).isFinished)
  }

  @Test func `the log of an adopted job is cut to what was stored, and each byte is in it once`() async {
    let bench = RunnerBench()
    let job = bench.start(jobRequest(), log: "train.log")
    await job.noted("machine is up")
    bench.cloud.start("train", attempt: 1)
    bench.cloud.log("train", attempt: 1, "one\n", offset: 0)
    await job.logged("one\n")
    let stored = bench.text(of: "train.log")
    // The next piece is written, and the runner dies before it is stored.
    bench.journal.failToSave { _ in true }
    bench.cloud.log("train", attempt: 1, "two\n", offset: 4)
    await bench.journal.failed(1)
    bench.runner.stop()
    try? Data((stored + "two\ngarb").utf8).write(to: URL(fileURLWithPath: bench.folder.path + "/train.log"))
    bench.journal.failToSave { _ in false }
    bench.restart()
    let adopted = bench.adopt("train", log: "train.log")
    await adopted.logged("two\n")
    bench.cloud.finish("train", attempt: 1, log: "one\ntwo\n")
    _ = await adopted.outcome()
    let text = bench.text(of: "train.log")
    #expect(text.hasPrefix(stored))
    #expect(text.split(separator: "\n").filter { !$0.hasPrefix("[dagrun]") } == ["one", "two"])
    #expect(job.log + adopted.log == "one\ntwo\n")
  }

  @Test func `while a job cannot be saved nothing is done, and then it continues`() async throws {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    bench.journal.failToSave { _ in true }
    let job = bench.start(jobRequest())
    await bench.journal.failed(3)
    #expect(bench.cloud.calls == [])
    #expect(job.notes.count { $0.hasPrefix("cannot keep the job") } == 1)
    bench.journal.failToSave { _ in false }
    #expect(await job.outcome().ending == .exited(status: 0))
    #expect(bench.cloud.inventory == [])
  }

  @Test func `a result that cannot be saved is not acknowledged, and not lost`() async throws {
    let bench = RunnerBench()
    let job = bench.start(jobRequest())
    await job.noted("machine is up")
    bench.journal.failToSave { _ in true }
    bench.cloud.finish("train", attempt: 1, status: 5)
    await bench.journal.failed(2)
    #expect(bench.cloud.unacknowledged("train") == 1)
    #expect(bench.cloud.inventory.contains("group train-1"))
    bench.journal.failToSave { _ in false }
    #expect(await job.outcome().ending == .exited(status: 5))
    #expect(bench.cloud.inventory == [])
  }

  @Test func `one job that cannot be saved does not hold up another`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    bench.journal.failToSave { $0.contains { $0.name == "bad" } }
    let bad = bench.start(jobRequest("bad"))
    let good = bench.start(jobRequest("good"))
    #expect(await good.outcome().ending == .exited(status: 0))
    #expect(bad.all.outcome == nil)
    bench.journal.failToSave { _ in false }
    #expect(await bad.outcome().ending == .exited(status: 0))
  }

  @Test func `a journal that cannot be read is asked again`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    bench.journal.failToRead(true)
    let job = bench.start(jobRequest())
    await job.noted("cannot keep the job")
    bench.journal.failToRead(false)
    #expect(await job.outcome().ending == .exited(status: 0))
  }

  // MARK: Cancelling

  @Test(arguments: calls.filter { !$0.hasPrefix("list") && !$0.hasPrefix("delete") })
  func `cancelled while a call is under way, everything goes`(call: String) async {
    let gate = Gate()
    let bench = RunnerBench(ModelCloud(faults: { $0 == call && $1 == 1 ? .waits(gate) : nil }))
    let job = bench.start(jobRequest())
    await bench.cloud.reached(call)
    bench.runner.cancel("train")
    gate.open()
    let outcome = await job.outcome()
    #expect(outcome.ending == .cancelled)
    #expect(outcome.leftBehind == [])
    #expect(bench.cloud.inventory == [])
  }

  @Test func `cancelled while it waits for capacity, runs, or is preempted, everything goes`() async {
    for moment in ["waiting", "running", "preempted"] {
      let bench = RunnerBench(ModelCloud(machines: { _, _ in moment == "waiting" ? .coming : .running }))
      let job = bench.start(jobRequest())
      if moment == "waiting" {
        await bench.cloud.reached("list instances of group train-1")
      } else {
        bench.cloud.start("train", attempt: 1)
        await bench.cloud.reached("insert group train-1")
        bench.cloud.start("train", attempt: 1)
        await job.began()
      }
      if moment == "preempted" {
        bench.cloud.publish("train", attempt: 1, kind: "preempted")
        await job.noted("preempted")
      }
      bench.runner.cancel("train")
      #expect(await job.outcome().ending == .cancelled, "\(moment)")
      #expect(bench.cloud.inventory == [], "\(moment)")
      #expect(bench.cloud.mostGroups == 1)
    }
  }

  @Test func `a cancel after the end changes nothing, and one of an unknown job neither`() async {
    let bench = RunnerBench(ModelCloud(boots: { $0.finish($1, attempt: $2) }))
    bench.runner.cancel("nobody")
    let job = bench.start(jobRequest())
    #expect(await job.outcome().ending == .exited(status: 0))
    bench.runner.cancel("train")
    await bench.runner.waitUntilIdle()
    #expect(bench.cloud.inventory == [])
  }

  @Test func `a preempted job begins again with another machine`() async throws {
    let bench = RunnerBench()
    let job = bench.start(jobRequest { $0.config.provisioning = .spot })
    await job.noted("machine is up")
    bench.cloud.start("train", attempt: 1, boot: "first")
    await job.began()
    bench.cloud.publish("train", attempt: 1, kind: "preempted", boot: "first")
    await bench.cloud.reached("insert group train-2")
    bench.cloud.start("train", attempt: 2, boot: "second")
    await job.began(times: 2)
    bench.cloud.finish("train", attempt: 2, boot: "second")
    let outcome = await job.outcome()
    #expect(outcome.result?.preemptions == 1)
    #expect(bench.cloud.mostGroups == 1)
    #expect(bench.cloud.inventory == [])
    #expect(try #require(try bench.journal.job(named: "train")).attempts.map(\.ending) == [.preempted, .succeeded])
  }

  @Test func `a runner that is stopped touches nothing, and tells nothing`() async {
    let bench = RunnerBench()
    let job = bench.start(jobRequest())
    await job.noted("machine is up")
    let before = bench.cloud.inventory
    bench.runner.stop()
    let told = job.all.count
    bench.cloud.finish("train", attempt: 1)
    await bench.runner.waitUntilIdle()
    #expect(bench.cloud.inventory == before)
    #expect(job.all.count == told)
    #expect(bench.cloud.openPulls == 0)
  }
}
