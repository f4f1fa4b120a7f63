import Dagrun
import Foundation
import GoogleCloud
import Model
import ModelCloud
import Testing

@testable import Clash

/// What `dagrun job gc` keeps, removes, and cancels.
@Suite(.timeLimit(.minutes(1))) struct CollectorTests {
  static let now = Timestamp(microseconds: 1_800_000_000_000_000)

  struct Case: CustomTestStringConvertible, Sendable {
    var name: String
    var job: JournaledJob?
    var home = "home1"
    var ageDays: Double? = 1
    var policy: (@Sendable (inout CollectionPolicy) -> Void)?
    var fate: CollectionPlan.Fate
    var testDescription: String { name }
  }

  static func job(
    finished: Bool = false, detached: Bool = false, ofTask: Bool = false, driven: Bool = false, ageDays: Double = 1
  ) -> JournaledJob {
    JournaledJob(
      name: "train", phase: finished ? "succeeded" : "running", isFinished: finished, isDetached: detached,
      isOfTask: ofTask, isDriven: driven, submittedAt: now.adding(seconds: -ageDays * 86_400))
  }

  static let cases = [
    Case(name: "unknown to the journal", fate: .remove),
    Case(name: "ended", job: job(finished: true), fate: .remove),
    Case(name: "ended, though somebody holds the lock", job: job(finished: true, driven: true), fate: .remove),
    Case(name: "driven", job: job(driven: true), fate: .keep),
    Case(name: "of a task, scheduler down", job: job(ofTask: true), fate: .keep),
    Case(name: "nobody drives it", job: job(), fate: .cancel),
    Case(name: "detached, young", job: job(detached: true), fate: .keep),
    Case(name: "detached, result long gone", job: job(detached: true, ageDays: 9), fate: .cancel),
    Case(name: "detached, old, somebody attached", job: job(detached: true, driven: true, ageDays: 9), fate: .keep),
    Case(name: "of another home", home: "home2", ageDays: 100, fate: .keep),
    Case(
      name: "of another home, of a job we attached to", job: job(driven: true), home: "home2", ageDays: 100,
      policy: { $0.includesOtherHomes = true }, fate: .keep),
    Case(
      name: "of another home, old, all homes", home: "home2", ageDays: 8, policy: { $0.includesOtherHomes = true },
      fate: .remove),
    Case(
      name: "of another home, young, all homes", home: "home2", ageDays: 6, policy: { $0.includesOtherHomes = true },
      fate: .keep),
    Case(
      name: "of another home, of no known age", home: "home2", ageDays: nil,
      policy: { $0.includesOtherHomes = true }, fate: .keep),
    Case(
      name: "of another home, of no known age, any age will do", home: "home2", ageDays: nil,
      policy: { ($0.includesOtherHomes, $0.olderThanSeconds) = (true, 0) }, fate: .remove),
  ]

  @Test(arguments: cases) func `what carries our labels is judged by the journal`(row: Case) {
    var policy = CollectionPolicy(homeID: "home1")
    row.policy?(&policy)
    let created = row.ageDays.map { Self.now.adding(seconds: -$0 * 86_400) }
    let inventory = JobInventory(resources: [
      JobResource(.topic, "train", job: "train", homeID: row.home),
      JobResource(.group(.zone("europe-west1-b")), "train-1", job: "train", homeID: row.home, createdAt: created),
    ])
    let plan = CollectionPlan(inventory, journal: row.job.map { [$0] } ?? [], policy: policy, now: Self.now)
    #expect(plan.verdicts.map(\.fate) == [row.fate, row.fate], "\(plan.verdicts.map(\.reason))")
    // The group first.
    #expect(plan.verdicts.map(\.resource.name) == ["train-1", "train"])
    #expect(plan.verdicts.allSatisfy { !$0.reason.isEmpty })
    #expect(plan.abandonedJobs == (row.fate == .cancel ? ["train"] : []))
  }

  @Test func `an abandoned job is cancelled though nothing of it is left`() {
    let plan = CollectionPlan(
      JobInventory(resources: []), journal: [Self.job()], policy: CollectionPolicy(homeID: "home1"), now: Self.now)
    #expect(plan.verdicts.isEmpty)
    #expect(plan.abandonedJobs == ["train"])
  }

  @Test func `what was left behind is found and removed, a live job and another owner's are not`() async throws {
    let bench = RunnerBench()
    let live = bench.start(jobRequest("live"))
    await live.noted("machine is up")
    let lost = RunnerBench(bench.cloud)
    await lost.start(jobRequest("lost")).noted("machine is up")
    lost.runner.stop()
    let other = RunnerBench(bench.cloud)
    await other.start(jobRequest("foreign", home: "home2")).noted("machine is up")
    other.runner.stop()

    let collector = JobCollector(project: "my-project", transport: bench.cloud)
    let inventory = try await collector.inventory()
    #expect(inventory.resources.count == 12)
    let journal = try JobCollector.journaled(
      inventory, in: bench.journal, project: "my-project", isDriven: { $0 == "live" })
    let plan = CollectionPlan(
      inventory, journal: journal, policy: CollectionPolicy(homeID: "home1"), now: Timestamp(Date()))
    var removed: [String] = []
    for await removal in collector.remove(plan) {
      #expect(removal.failure == nil)
      removed.append(removal.verdict.resource.description)
    }
    #expect(
      removed == [
        "instance group lost-1 in europe-west1-b", "subscription lost", "topic lost", "instance template lost-1",
      ])
    #expect(!bench.cloud.inventory.contains { $0.contains("lost") })
    #expect(bench.cloud.inventory.count == 8)
  }

  /// Also a topic that is all there is, as of a machine that died in the first moment of its job.
  @Test(arguments: [
    "create topic train", "create subscription train", "insert template train-1", "insert group train-1",
  ])
  func `what another home left in the midst of a beginning goes when it is old`(call: String) async throws {
    let bench = RunnerBench(ModelCloud(faults: { name, _ in name == call ? .answerHangs : nil }))
    _ = bench.start(jobRequest(home: "home2"))
    await bench.cloud.reached(call)
    bench.runner.stop()
    #expect(!bench.cloud.inventory.isEmpty)

    let collector = JobCollector(project: "my-project", transport: bench.cloud)
    let inventory = try await collector.inventory()
    #expect(inventory.resources.count == bench.cloud.inventory.count)
    var policy = CollectionPolicy(homeID: "home1")
    policy.includesOtherHomes = true
    func plan(days: Double) -> CollectionPlan {
      CollectionPlan(
        inventory, journal: [], policy: policy, now: Timestamp(Date()).adding(seconds: days * 86_400))
    }
    #expect(plan(days: 6).verdicts.allSatisfy { $0.fate == .keep })
    for await removal in collector.remove(plan(days: 8)) { #expect(removal.failure == nil) }
    #expect(bench.cloud.inventory == [])
  }

  @Test func `a removal that fails is reported, and the others continue`() async throws {
    let bench = RunnerBench(
      ModelCloud(faults: { call, _ in call == "delete group lost-1" ? .refused(status: 403, reason: "forbidden") : nil }
      ))
    await bench.start(jobRequest("lost")).noted("machine is up")
    bench.runner.stop()
    let collector = JobCollector(project: "my-project", transport: bench.cloud)
    let inventory = try await collector.inventory()
    let plan = CollectionPlan(
      inventory, journal: [], policy: CollectionPolicy(homeID: "home1"), now: Timestamp(Date()))
    var failures: [String: CloudError.Reason] = [:]
    for await removal in collector.remove(plan) {
      failures[removal.verdict.resource.kind.words] = removal.failure?.reason
    }
    #expect(failures == ["instance group": .permissionDenied, "instance template": .inUse])
    #expect(bench.cloud.inventory == ["group lost-1", "template lost-1"])
  }

  @Test func `an abandoned job that is adopted and cancelled has an end in the journal`() async throws {
    let bench = RunnerBench()
    await bench.start(jobRequest("lost")).noted("machine is up")
    bench.restart()
    let job = bench.adopt("lost")
    bench.runner.cancel("lost")
    #expect(await job.outcome().ending == .cancelled)
    #expect(try #require(try bench.journal.job(named: "lost")).isFinished)
    #expect(bench.cloud.inventory == [])
  }
}
