import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// The arrows of docs/jobs.md, one by one: a job is made, left, taken up again and removed.
@Suite struct JobTests {
  // MARK: Making

  @Test func `a job makes its topic, subscription, template and group, one after the other`() {
    var one = Walk(timeout: 60)
    #expect(one.resume() == ["make topic"])
    #expect(one.done(.makeTopic) == ["make subscription"])
    #expect(!one.job.isListening)
    #expect(one.done(.makeSubscription) == ["attempt 1: asking for n1-standard-4 in z-a1-b", "make template"])
    #expect(one.job.isListening)
    #expect(one.done(.makeTemplate(one.plan(1))) == ["make group"])
    #expect(one.done(.makeGroup(one.plan(1))) == [])
    #expect(one.job.phaseName == "waiting for capacity")
    #expect(one.job.nextWake == one.now.adding(seconds: 5))
  }

  @Test func `the limit of its machines is said where nobody has asked for one`() {
    func notes(timeout: Double?) -> [String] {
      var one = Walk(timeout: timeout)
      _ = one.resume()
      _ = one.done(.makeTopic)
      return one.done(.makeSubscription).filter { $0.contains("after 24 h") && $0.contains("max_run_duration") }
    }
    #expect(notes(timeout: nil).count == 1)
    #expect(notes(timeout: 60).isEmpty)
  }

  @Test func `what another owner has is left alone, and the job fails`() {
    var one = Walk(to: .makeGroup)
    _ = one.tell(.ownedByOther(.makeGroup(one.plan(1))))
    #expect(one.removeAll() == ["remove subscription", "remove topic", "remove template"])
    #expect(one.failure?.kind == .invalidRequest)
    #expect(one.failure?.message.contains("instance group j-1") == true)
  }

  @Test func `a refusal fails the job at once, with the hint, and without removing what was not made`() {
    var one = Walk(to: .makeGroup)
    let error = CloudError(
      .permissionDenied, operation: "insert instance group", subject: "j-1", message: "no", status: 403,
      hint: "grant the role")
    _ = one.tell(.failed(.makeGroup(one.plan(1)), error))
    #expect(one.removeAll() == ["remove subscription", "remove topic", "remove template"])
    #expect(one.failure == InfrastructureFailure(.permission, "cannot insert instance group j-1: no. Grant the role"))
  }

  @Test func `a refusal by an operation may have left something, which is looked for`() {
    var one = Walk(to: .makeGroup)
    _ = one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.permissionDenied)))
    #expect(one.lastRequest?.call == .removeGroup(one.plan(1)))
    #expect(one.lastRequest?.checksOwner == true)
  }

  @Test func `what may pass is tried again with another id, and no attempt is counted`() {
    var one = Walk(to: .makeGroup)
    let first = one.lastRequest
    #expect(one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.unavailable))).last?.contains("again") == true)
    #expect(one.job.nextWake == one.now.adding(seconds: 5))
    #expect(one.wake(after: 5) == ["make group"])
    #expect(one.lastRequest?.requestID != first?.requestID)
    #expect(one.job.attempts.count == 1)
    _ = one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.network)))
    #expect(one.job.nextWake == one.now.adding(seconds: 10))
  }

  @Test func `a failure that does not pass within its patience ends the job`() {
    var one = Walk(to: .makeGroup)
    for _ in 0..<200 where one.job.outcome == nil && one.lastRequest?.call.isRemoval == false {
      _ = one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.unavailable)))
      _ = one.wake(after: 120)
    }
    _ = one.removeAll()
    #expect(one.failure?.kind == .cloud)
  }

  @Test func `an undisturbed job needs nine requests besides its waiting, and the image's lookup`() {
    var one = Walk.running()
    _ = one.hear("log", "")
    _ = one.hear("heartbeat")
    _ = one.hear("result", Walk.result(0, log: "done\n"))
    _ = one.removeAll()
    #expect(one.job.isFinished)
    #expect(one.requests == 9)
  }

  // MARK: Detached

  @Test func `a detached job may be left as soon as its group exists`() {
    var one = Walk(to: .makeGroup, isDetached: true)
    #expect(!one.job.canBeHandedOver)
    _ = one.done(.makeGroup(one.plan(1)))
    #expect(one.job.canBeHandedOver)
  }

  @Test func `a repairing group makes a lost machine again, which is not another attempt`() {
    var one = Walk.running(isDetached: true)
    #expect(one.hear("preempted") == ["attempt 1: preempted; the group makes its machine again"])
    #expect(one.hear("started", boot: "c") == ["began 1"])
    #expect(one.job.attempts.count == 1)
    _ = one.hear("result", boot: "c", Walk.result(0))
    _ = one.removeAll()
    #expect(one.job.outcome?.result?.attempts == 2)
    #expect(one.job.outcome?.result?.preemptions == 1)
  }

  @Test func `a repairing group is stopped when it has made as many machines as the job may have`() {
    var one = Walk.running(isDetached: true)
    for boot in 2...10 {
      #expect(one.hear("started", boot: "\(boot)") == ["began 1"])
    }
    #expect(one.hear("started", boot: "11").last == "remove group")
    _ = one.removeAll()
    #expect(one.failure?.kind == .machine)
  }

  // MARK: Restarts

  @Test func `after a restart the call that was under way is made again with the same id`() throws {
    var one = Walk(to: .makeGroup)
    let first = one.lastRequest
    #expect(try one.restart() == ["make group"])
    #expect(one.lastRequest == first)
  }

  @Test func `after a restart in the removal a group that was being made is looked for`() throws {
    var one = Walk(to: .makeGroup)
    #expect(one.tell(.cancel) == [])
    #expect(try one.restart() == ["remove group"])
    #expect(one.lastRequest?.checksOwner == true)
  }

  @Test func `a restart tells again that the container runs`() throws {
    var one = Walk.running()
    #expect(try one.restart() == ["began 1"])
    #expect(one.job.isRunning)
  }

  @Test func `a job attached to by name takes up its attempt where it is`() {
    var one = Walk.running()
    one.job = Job(
      attachingTo: one.job.request, plan: AttemptPlan(number: 3, candidate: one.plan(1).candidate), at: one.now)
    #expect(one.resume() == [])
    #expect(one.job.isListening)
    #expect(one.job.phaseName == "waiting for capacity")
    #expect(one.hear("started", attempt: 3) == ["began 3"])
    _ = one.hear("result", attempt: 3, Walk.result(0))
    #expect(
      one.removeAll() == [
        "remove group", "remove subscription", "remove topic", "remove template", "remove template",
        "remove template",
      ])
    #expect(one.job.outcome?.ending == .exited(status: 0))
  }

  @Test func `a late word of an attempt of another home does not bring it on this ledger`() {
    var one = Walk.running()
    one.job = Job(
      attachingTo: one.job.request, plan: AttemptPlan(number: 2, candidate: one.plan(1).candidate), at: one.now)
    _ = one.resume()
    _ = one.hear("heartbeat", attempt: 1)
    #expect(one.job.attempts[0].machines == nil && one.job.attempts[0].evidence == nil)
    _ = one.hear("heartbeat", attempt: 2)
    #expect(one.job.attempts[1].machines?.count == 1)
  }

  // MARK: Elsewhere

  @Test func `a job whose subscription went with another home asks for no machine, and says so`() throws {
    var one = Walk(to: .makeGroup)
    one.job = try Job(restoring: one.job.record())
    #expect(one.job.mustLookForSubscription)
    _ = one.resume(isOverElsewhere: true)
    #expect(one.lastRequest?.call == .removeGroup(one.plan(1)))
    #expect(one.lastRequest?.checksOwner == true)
    #expect(one.removeAll() == ["remove group", "remove topic", "remove template"])
    #expect(one.failure?.kind == .endedElsewhere)
    #expect(one.failure?.message.contains("another home") == true)
  }

  @Test func `a job that runs and whose subscription is gone is over`() throws {
    var one = Walk.running()
    _ = try one.restart()
    #expect(!one.job.mustLookForSubscription)
    #expect(one.tell(.listeningFailed(one.fault(.notFound))).last == "remove group")
    #expect(one.removeAll() == ["remove group", "remove topic", "remove template"])
    #expect(one.failure?.kind == .endedElsewhere)
  }

  @Test func `a job that was brought to its end elsewhere while it was being removed keeps its own end`() throws {
    var one = Walk.running()
    _ = one.hear("result", Walk.result(0))
    _ = try one.restart()
    #expect(one.tell(.listeningFailed(one.fault(.notFound))) == [])
    #expect(one.removeAll() == ["remove group", "remove topic", "remove template"])
    #expect(one.job.outcome?.ending == .exited(status: 0))
  }

  // MARK: Removing

  @Test func `what cannot be removed is named, and the job ends all the same`() {
    var one = Walk.running()
    _ = one.hear("result", Walk.result(0))
    for _ in 0..<3 {
      _ = one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.permissionDenied)))
      _ = one.wake(after: 120)
    }
    #expect(one.removeAll() == ["remove subscription", "remove topic"])
    #expect(one.job.outcome?.ending == .exited(status: 0))
    #expect(
      one.job.outcome?.leftBehind == [
        "instance template j-1: its instance group is still there", "instance group j-1 in z-a1-b: permissionDenied",
      ])
    // Nobody has seen it end: it was there then, and may be still.
    let time = one.job.attempts[0].machineTime(now: one.now.adding(seconds: 1e6))
    #expect(time.precision == .atLeast && time.machines == 1 && time.seconds.upperBound < 10_000)
  }

  @Test func `a group that nobody could remove may have had a machine, though none was seen`() {
    var one = Walk(to: .makeGroup)
    _ = one.tell(.done(.makeGroup(one.plan(1))))
    _ = one.tell(.cancel)
    for _ in 0..<3 {
      _ = one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.permissionDenied)))
      _ = one.wake(after: 120)
    }
    _ = one.removeAll()
    #expect(one.job.outcome?.leftBehind.contains("instance group j-1 in z-a1-b: permissionDenied") == true)
    let machines = one.job.attempts[0].machines
    #expect(machines?.count == 1 && machines?[0].isDoubtful == true, "\(one.job.attempts)")
    #expect(one.job.attempts[0].machineTime(now: one.now).precision == .atLeast)
  }

  @Test func `without certainty that a machine is gone no other is asked for`() {
    var one = Walk.running()
    _ = one.hear("preempted")
    _ = one.wake(after: 45)
    for _ in 0..<3 {
      _ = one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.permissionDenied)))
      _ = one.wake(after: 120)
    }
    #expect(one.job.phaseName == "removing")
    #expect(one.job.attempts.count == 1)
  }
}
