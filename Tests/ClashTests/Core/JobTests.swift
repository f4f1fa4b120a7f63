import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// The arrows of docs/jobs.md, one by one.
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

  // MARK: Machines

  @Test
  func `a stock-out is left for the next rung once its group is gone, and the template when the next one's is there`() {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
    #expect(one.wake(after: 5) == ["inspect 1"])
    #expect(one.look(nil, [one.fault(.outOfCapacity)]).last == "remove group")
    #expect(
      one.done(.removeGroup(one.plan(1))) == ["attempt 2: asking for n1-standard-4 in z-a1-c", "make template"])
    #expect(one.done(.makeTemplate(one.plan(2))) == ["make group"])
    #expect(one.done(.makeGroup(one.plan(2))) == ["remove template"])
    #expect(one.job.underWay?.call == .removeTemplate(one.plan(1)))
    #expect(one.job.attempts[0].ending == .outOfCapacity)
  }

  @Test func `a fault that no other place would mend fails the job`() {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    _ = one.look(nil, [one.fault(.permissionDenied)])
    _ = one.removeAll()
    #expect(one.failure?.kind == .permission)
    #expect(one.job.attempts[0].ending == .refused)
  }

  @Test func `a machine that cannot be brought up fails the job, once it has stopped`() {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    #expect(one.look(.running) == ["attempt 1: the machine is up"])
    _ = one.wake(after: 60)
    _ = one.look(.ended, [one.fault(.invalid)])
    _ = one.removeAll()
    #expect(one.failure?.kind == .invalidRequest)
  }

  @Test func `a machine that had begun its work and has stopped is made again, whatever its group says`() {
    var one = Walk.running()
    _ = one.wake(after: 600)
    _ = one.look(.ended, [one.fault(.invalid)])
    #expect(one.job.outcome == nil)
    #expect(one.wake(after: 60).last == "remove group")
  }

  // MARK: What a zone does not have

  /// As the group's VM fails with it, and as the group's insertion is refused for it.
  private static let notOffered = [
    CloudError(
      [ComputeFault(code: "RESOURCE_NOT_FOUND", message: missing)], operation: "make the VM of", subject: "j-1"),
    CloudError(
      answer: CloudResponse(
        status: 400,
        body: Data(#"{"error":{"code":400,"message":"\#(missing)","errors":[{"reason":"invalid"}]}}"#.utf8)),
      to: CloudRequest(.compute, .post, "projects/p/x", operation: "insert instance group", subject: "j-1")),
  ]
  private static let missing = "The resource 'projects/p/zones/z-a1-b/machineTypes/n1-standard-4' was not found"

  @Test func `a machine type that a zone does not have is looked for on the next rung`() {
    for error in Self.notOffered {
      var one = Walk(to: .makeGroup, zones: ["z-a1-b", "z-a1-c"])
      // What an operation has left half done is not known.
      var shown = one.tell(.failed(.makeGroup(one.plan(1)), error))
      if shown.last == "remove group" { shown = one.done(.removeGroup(one.plan(1))) }
      #expect(shown.suffix(2) == ["attempt 2: asking for n1-standard-4 in z-a1-c", "make template"])
      one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
      _ = one.wake(after: 5)
      #expect(one.look(nil, [error]).last == "remove group")
      #expect(one.done(.removeGroup(one.plan(1))).first == "attempt 2: asking for n1-standard-4 in z-a1-c")
    }
  }

  @Test func `a machine type that no rung has fails the job at once, and says so`() {
    var one = Walk(to: .makeGroup, zones: ["z-a1-b", "z-a1-c"])
    for number in 1...2 {
      _ = one.tell(.failed(.makeGroup(one.plan(number)), Self.notOffered[1]))
      if number == 1 { _ = one.done(.makeTemplate(one.plan(2))) }
    }
    _ = one.removeAll()
    #expect(one.failure?.kind == .invalidRequest)
    #expect(one.failure?.message.contains("none of the job's zones and regions has") == true, "\(one.failure as Any)")
    #expect(one.failure?.message.contains("gcloud compute machine-types list") == true)
    #expect(one.elapsed < 60)
  }

  @Test func `a zone that does not have the machine is not asked again after the pause`() {
    var one = Walk(to: .makeGroup, zones: ["z-a1-b", "z-a1-c"])
    _ = one.tell(.failed(.makeGroup(one.plan(1)), Self.notOffered[1]))
    _ = one.done(.makeTemplate(one.plan(2)))
    _ = one.tell(.failed(.makeGroup(one.plan(2)), one.fault(.outOfCapacity)))
    #expect(one.done(.removeGroup(one.plan(2))) == ["no machine anywhere; trying again in 60 s"])
    #expect(one.wake(after: 60).first == "attempt 3: asking for n1-standard-4 in z-a1-c")
    _ = one.done(.makeTemplate(one.plan(3)))
    _ = one.tell(.failed(.makeGroup(one.plan(3)), one.fault(.outOfCapacity)))
    #expect(one.done(.removeGroup(one.plan(3))) == ["no machine anywhere; trying again in 120 s"])
  }

  // MARK: What Google says of one machine, and what nobody knows

  private static func refusal(_ code: String) -> CloudError {
    CloudError([ComputeFault(code: code, message: "Words of \(code).")], operation: "make the VM of", subject: "j-1")
  }

  @Test(arguments: ["UNSUPPORTED_OPERATION", "SOMETHING_NEW"])
  func `a machine that is refused for what may not hold for the next one is followed by that`(code: String) {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
    _ = one.wake(after: 5)
    #expect(one.look(nil, [Self.refusal(code)]).last == "remove group")
    #expect(
      one.done(.removeGroup(one.plan(1))) == ["attempt 2: asking for n1-standard-4 in z-a1-c", "make template"])
    #expect(one.job.attempts[0].ending == .refused)
  }

  @Test func `the last machine that is refused ends the job with Google's words, and none is asked for again`() {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
    for number in 1...2 {
      if number == 2 {
        _ = one.done(.makeTemplate(one.plan(2)))
        _ = one.done(.makeGroup(one.plan(2)))
        _ = one.done(.removeTemplate(one.plan(1)))
      }
      _ = one.wake(after: 5)
      _ = one.look(nil, [Self.refusal("SOMETHING_NEW_\(number)")])
      _ = one.done(.removeGroup(one.plan(number)))
    }
    _ = one.removeAll()
    #expect(one.job.attempts.count == 2)
    #expect(one.failure?.kind == .cloud)
    #expect(one.failure?.message.contains("Words of SOMETHING_NEW_2.") == true, "\(one.failure as Any)")
  }

  @Test func `a job that finds no capacity says also what was refused`() {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"], maxAttempts: 1)
    _ = one.wake(after: 5)
    _ = one.look(nil, [Self.refusal("SOMETHING_NEW")])
    _ = one.done(.removeGroup(one.plan(1)))
    _ = one.done(.makeTemplate(one.plan(2)))
    _ = one.tell(.failed(.makeGroup(one.plan(2)), one.fault(.outOfCapacity)))
    _ = one.done(.removeGroup(one.plan(2)))
    _ = one.removeAll()
    #expect(one.failure?.kind == .noCapacity)
    #expect(one.failure?.message.contains("Words of SOMETHING_NEW.") == true, "\(one.failure as Any)")
  }

  // MARK: A login that runs out

  @Test func `a login that runs out between calls is waited for`() {
    var one = Walk(to: .makeGroup)
    let said = one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.unauthenticated)))
    #expect(said.count == 1 && said[0].contains("gcloud auth application-default login"), "\(said)")
    #expect(said.first?.contains("the job continues") == true)
    #expect(one.wake(after: 5) == ["make group"])
    #expect(one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.unauthenticated))) == [], "it is said once")
    #expect(one.wake(after: 10) == ["make group"])
    #expect(one.done(.makeGroup(one.plan(1))) == [])
    #expect(one.job.phaseName == "waiting for capacity")
  }

  @Test func `a login that runs out while a machine is awaited is waited for`() {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    let said = one.tell(.inspectionFailed(one.plan(1), one.fault(.unauthenticated)))
    #expect(said.count == 1 && said[0].contains("gcloud auth application-default login"), "\(said)")
    #expect(one.tell(.listeningFailed(one.fault(.unauthenticated))).allSatisfy { !$0.hasPrefix("remove") })
    for _ in 0..<50 {
      _ = one.wake(after: 30)
      _ = one.tell(.inspectionFailed(one.plan(1), one.fault(.unauthenticated)))
      #expect(one.tell(.listeningFailed(one.fault(.unauthenticated))) == [])
    }
    _ = one.wake(after: 30)
    _ = one.look(.running)
    #expect(one.hear("started") == ["began 1"])
  }

  @Test func `nobody waits for a login for ever`() {
    var one = Walk.waiting()
    for _ in 0...125 where one.job.underWay == nil {
      _ = one.wake(after: 30)
      _ = one.tell(.inspectionFailed(one.plan(1), one.fault(.unauthenticated)))
    }
    #expect(one.elapsed >= 3600)
    _ = one.removeAll()
    #expect(one.failure?.kind == .signedOut && one.failure?.isRetryable == true)
  }

  @Test func `a job that never had a login fails at once`() {
    var one = Walk()
    _ = one.resume()
    _ = one.tell(.failed(.makeTopic, one.fault(.unauthenticated)))
    _ = one.removeAll()
    #expect(one.failure?.kind == .signedOut && one.elapsed == 0)
  }

  @Test func `an attempt's group is removed once there is a login again`() {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
    _ = one.wake(after: 5)
    _ = one.look(nil, [one.fault(.outOfCapacity)])
    for _ in 0..<10 {
      _ = one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.unauthenticated)))
      #expect(one.wake(after: 120) == ["remove group"])
    }
    #expect(one.done(.removeGroup(one.plan(1))).first == "attempt 2: asking for n1-standard-4 in z-a1-c")
  }

  @Test func `looks at a group come less and less often`() {
    var one = Walk.waiting()
    var pauses: [Double] = []
    for _ in 0..<5 {
      pauses.append(one.job.nextWake?.seconds(since: one.now) ?? -1)
      _ = one.wake(after: pauses.last ?? 0)
      _ = one.look(nil)
    }
    #expect(pauses == [5, 10, 20, 30, 30])
  }

  @Test func `a group without machine and without reason is given up in time`() {
    var one = Walk.waiting(zones: ["z-a1-b", "z-a1-c"])
    while one.job.phaseName == "waiting for capacity" {
      _ = one.wake(after: 30)
      _ = one.look(.coming)
    }
    #expect(one.lastRequest?.call == .removeGroup(one.plan(1)))
    #expect(one.elapsed >= 900 && one.elapsed < 1000)
  }

  @Test func `a machine that runs and says nothing is given up, and asked for once more`() {
    var one = Walk.waiting()
    _ = one.tell(.received([]))
    _ = one.wake(after: 5)
    #expect(one.look(.running) == ["attempt 1: the machine is up"])
    while one.job.phaseName == "booting" {
      _ = one.wake(after: 30)
      _ = one.look(.running)
    }
    #expect(one.elapsed >= 1800 && one.elapsed < 1900)
    #expect(one.done(.removeGroup(one.plan(1))).last == "make template")
    #expect(one.job.attempts[0].ending == .lost)
  }

  @Test func `silence is looked into, and a machine that runs is waited for`() {
    var one = Walk.running()
    #expect(one.wake(after: 299) == ["acknowledge 1"])
    #expect(one.wake(after: 1) == ["inspect 1"])
    #expect(one.look(.running) == [])
    #expect(one.job.isRunning)
  }

  @Test func `a machine that has stopped is replaced when its last words have had their time`() {
    var one = Walk.running()
    _ = one.wake(after: 300)
    #expect(one.look(.ended) == ["attempt 1: its machine has stopped"])
    #expect(one.wake(after: 44) == [])
    #expect(one.wake(after: 1) == ["remove group"])
  }

  @Test func `a machine that is gone is replaced, though its group is there`() {
    var one = Walk.running()
    _ = one.wake(after: 300)
    #expect(one.look(nil) == ["attempt 1: its machine is gone"])
    #expect(one.wake(after: 45) == ["remove group"])
    #expect(one.job.attempts[0].ending == .lost)
  }

  @Test func `a machine that speaks is there, whatever its group says`() {
    var one = Walk.running()
    _ = one.wake(after: 300)
    _ = one.hear("heartbeat")
    #expect(one.look(.coming) == [])
    #expect(one.job.isRunning)
    #expect(one.wake(after: 300).last == "inspect 1")
    #expect(one.look(.coming) == ["attempt 1: its machine is gone"])
  }

  @Test func `a running job outlives the login of whoever listens`() {
    var one = Walk.running()
    #expect(one.tell(.listeningFailed(one.fault(.unauthenticated))).first?.contains("runs on meanwhile") == true)
    for _ in 0..<110 {
      _ = one.wake(after: 30)
      _ = one.tell(.inspectionFailed(one.plan(1), one.fault(.unauthenticated)))
      #expect(one.tell(.listeningFailed(one.fault(.unauthenticated))).isEmpty)
    }
    #expect(one.job.isRunning)
    _ = one.hear("result", Walk.result(0))
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .exited(status: 0))
  }

  @Test func `a job that can be listened to no more fails in the end`() {
    var one = Walk.running()
    for _ in 0...121 where one.job.isRunning {
      _ = one.tell(.listeningFailed(one.fault(.permissionDenied)))
      _ = one.wake(after: 30)
    }
    _ = one.removeAll()
    #expect(one.failure?.kind == .permission)
    #expect(one.elapsed >= 3600)
  }

  @Test func `what is missing of the log is not waited for longer than it can be on loan`() {
    var one = Walk.running()
    #expect(one.log("later\n", at: 4) == [])
    #expect(one.wake(after: 149).allSatisfy { !$0.hasPrefix("log") })
    #expect(one.wake(after: 1).contains("log [dagrun: 4 bytes of the log missing here]\nlater\n"))
    #expect(one.log("more\n", at: 10) == ["log more\n"])
    #expect(one.log("1st\n", at: 0) == [])
  }

  @Test func `a group that is gone is waited for as long as its result may be on loan`() {
    var one = Walk.running()
    _ = one.wake(after: 300)
    _ = one.tell(.inspected(one.plan(1), .gone))
    #expect(one.job.nextWake == one.now.adding(seconds: 150))
    _ = one.hear("result", Walk.result(0))
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .exited(status: 0))
    #expect(one.job.attempts.count == 1)
  }

  @Test func `a machine that was seen to stop before its word of a preemption came was preempted`() {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    #expect(one.look(.ended) == ["attempt 1: its machine has stopped"])
    #expect(one.hear("preempted") == ["attempt 1: preempted"])
    #expect(one.hear("preempted") == [])
    #expect(one.job.attempts[0].ending == .preempted)
    #expect(one.wake(after: 44) == [])
    #expect(one.wake(after: 1) == ["remove group"])
    _ = one.done(.removeGroup(one.plan(1)))
    one.run(2)
    _ = one.hear("result", attempt: 2, Walk.result(0))
    _ = one.removeAll()
    #expect(one.job.outcome?.result?.preemptions == 1)
  }

  @Test func `a preempted machine is replaced on the same rung, and the next one after it`() {
    var one = Walk.running(zones: ["z-a1-b", "z-a1-c"])
    #expect(one.hear("preempted") == ["attempt 1: preempted"])
    _ = one.wake(after: 45)
    #expect(
      one.done(.removeGroup(one.plan(1))).first == "attempt 2: asking for n1-standard-4 in z-a1-b")
    one.run(2)
    _ = one.hear("preempted", attempt: 2)
    _ = one.wake(after: 45)
    #expect(
      one.done(.removeGroup(one.plan(2))).first == "attempt 3: asking for n1-standard-4 in z-a1-c")
    #expect(one.job.attempts.map(\.ending) == [.preempted, .preempted, nil])
  }

  @Test func `a result that a dead process had pulled is waited for before a preempted machine is replaced`() throws {
    var one = Walk.running()
    _ = one.hear("preempted")
    _ = one.wake(after: 1)
    _ = try one.restart()
    _ = one.tell(.received([]))
    #expect(one.wake(after: 149) == [])
    #expect(one.wake(after: 1) == ["remove group"])
  }

  @Test func `a result in a pull whose answer was lost is waited for before a preempted machine is replaced`() {
    var one = Walk.running()
    _ = one.hear("preempted")
    _ = one.wake(after: 40)
    _ = one.tell(.pullLost)
    #expect(one.wake(after: 149).allSatisfy { $0.hasPrefix("acknowledge") })
    #expect(one.hear("result", Walk.result(0)) == ["remove group"])
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .exited(status: 0))
    #expect(one.job.attempts.count == 1)
  }

  @Test func `pulls that fail for ever do not keep a lost machine's place for ever`() {
    var one = Walk.running()
    _ = one.hear("preempted")
    var shown: [String] = []
    while one.elapsed < 1000, !shown.contains("remove group") {
      _ = one.tell(.pullLost)
      shown = one.wake(after: 5)
    }
    #expect(one.elapsed == 45 + 4 * 150)
  }

  @Test func `a Spot machine that is silent for more than two heartbeats is looked at`() {
    var one = Walk.running(provisioning: .spot)
    #expect(one.wake(after: 149) == ["acknowledge 1"])
    #expect(one.wake(after: 1) == ["inspect 1"])
    #expect(one.look(.ended) == ["attempt 1: its machine has stopped"])
    #expect(one.wake(after: 45) == ["remove group"])
    #expect(one.job.attempts[0].ending == .lost)
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

  // MARK: Results

  @Test func `a result ends the job, with what it says of itself`() {
    var one = Walk.running()
    one.now = one.now.adding(seconds: 10)
    #expect(
      one.hear("result", Walk.result(3, output: "{}", log: "héllo\n"))
        == ["log héllo\n", "acknowledge 1", "remove group"])
    #expect(
      one.removeAll() == ["remove group", "remove subscription", "remove topic", "remove template"])
    let outcome = one.job.outcome
    #expect(outcome?.ending == .exited(status: 3))
    #expect(outcome?.output == "{}")
    #expect(outcome?.logTail == "héllo\n")
    #expect(outcome?.result?.exitStatus == 3)
    #expect(outcome?.result?.durationSeconds == 2.5)
    #expect(outcome?.result?.attempts == 1)
    #expect(one.job.attempts[0].ending == .failed)
    #expect(one.job.nextWake == nil)
    #expect(!one.job.isListening)
  }

  @Test func `a failure on the machine is not the program's`() {
    var one = Walk.running()
    let failure = "{\"kind\":\"image_pull\",\"message\":\"\(Data("denied: it's".utf8).base64EncodedString())\"}"
    _ = one.hear("result", Walk.result(nil, infrastructure: failure))
    _ = one.removeAll()
    #expect(one.failure == InfrastructureFailure(.imagePull, "denied: it's"))
    #expect(one.job.outcome?.result == nil)
  }

  @Test func `a result that cannot be read fails the job and is not waited for again`() {
    var one = Walk.running()
    _ = one.hear("result", "{\"status\": , \"logs\"}")
    _ = one.removeAll()
    #expect(one.failure?.kind == .machine)
  }

  @Test func `a result that comes while the next attempt is being made is taken, and that one removed`() {
    var one = Walk.running()
    _ = one.hear("preempted")
    _ = one.wake(after: 45)
    _ = one.done(.removeGroup(one.plan(1)))
    #expect(one.done(.makeTemplate(one.plan(2))) == ["make group"])
    #expect(one.hear("result", Walk.result(0)) == ["acknowledge 2"])
    #expect(one.done(.makeGroup(one.plan(2))) == ["remove group"])
    #expect(
      one.removeAll() == ["remove group", "remove subscription", "remove topic", "remove template", "remove template"])
    #expect(one.job.outcome?.ending == .exited(status: 0))
    #expect(one.job.attempts.map(\.ending) == [.succeeded, .cancelled])
  }

  @Test func `a result that comes in the pause before another climb is taken, and nothing more is made`() {
    var one = Walk.running()
    for number in 1...2 {
      _ = one.hear("preempted", attempt: number)
      _ = one.wake(after: 45)
      _ = one.done(.removeGroup(one.plan(number)))
      if number == 1 { one.run(2) }
    }
    #expect(one.job.phaseName == "waiting for capacity")
    #expect(one.job.nextWake == one.now.adding(seconds: 60))
    _ = one.hear("result", attempt: 2, Walk.result(0))
    #expect(one.removeAll() == ["remove subscription", "remove topic", "remove template"])
    #expect(one.job.outcome?.ending == .exited(status: 0))
    #expect(one.job.attempts.map(\.ending) == [.preempted, .succeeded])
  }

  @Test func `other owners' messages are acknowledged and change nothing`() {
    var one = Walk.running()
    let before = one.job
    for (key, value) in [("job", "other"), ("dagrun", "2"), ("attempt", "7"), ("attempt", "x"), ("kind", "new")] {
      var message = one.message("result", attempt: 1, data: Walk.result(0))
      message.attributes[key] = value
      #expect(one.tell(.received([message])) == [])
    }
    #expect(one.tell(.received([JobMessage(ackID: "s", attributes: [:], data: Data("junk".utf8))])) == [])
    #expect(one.job == before)
    #expect(one.wake(after: 60) == ["acknowledge 7"])
  }

  // MARK: Stopping

  @Test func `a cancel waits for the call under way, then removes all`() {
    var one = Walk(to: .makeGroup)
    #expect(one.tell(.cancel) == [])
    #expect(one.done(.makeGroup(one.plan(1))) == ["remove group"])
    #expect(one.removeAll() == ["remove group", "remove subscription", "remove topic", "remove template"])
    #expect(one.job.outcome?.ending == .cancelled)
    #expect(one.job.attempts[0].ending == .cancelled)
  }

  @Test func `somebody who cancels without a login is told that nothing can be removed, once`() {
    var one = Walk.running()
    #expect(one.tell(.cancel) == ["remove group"])
    let first = one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.unauthenticated)))
    #expect(first.contains { $0.contains("without a login nothing can be removed") }, "\(first)")
    _ = one.wake(after: 5)
    #expect(one.tell(.failed(.removeGroup(one.plan(1)), one.fault(.unauthenticated))) == [])
  }

  @Test func `a cancelled job stays cancelled when its result comes late`() {
    var one = Walk.running()
    _ = one.tell(.cancel)
    _ = one.hear("result", Walk.result(0))
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .cancelled)
  }

  @Test func `a cancel does not undo a result`() {
    var one = Walk.running()
    _ = one.hear("result", Walk.result(1))
    _ = one.tell(.cancel)
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .exited(status: 1))
  }

  @Test func `the job's time counts from the container's first start`() {
    var one = Walk.running(timeout: 100)
    #expect(one.job.nextWake == one.now.adding(seconds: 60))  // acknowledgements
    #expect(one.wake(after: 99) == ["acknowledge 1"])
    #expect(one.wake(after: 1) == ["the job's time is up", "remove group"])
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .timedOut(afterSeconds: 100))
  }

  @Test func `a container that ended in time has not timed out, however late its message is`() {
    var one = Walk.running(timeout: 100)
    _ = one.wake(after: 101)
    _ = one.hear("result", Walk.result(0, endedAfter: 99))
    _ = one.removeAll()
    #expect(one.job.outcome?.ending == .exited(status: 0))
  }

  @Test func `after a restart a result that waits comes before the deadline`() throws {
    var one = Walk.running(timeout: 100)
    one.now = one.now.adding(seconds: 5000)
    _ = try one.restart()
    #expect(one.tell(.wake) == ["inspect 1"])
    _ = one.hear("result", Walk.result(0, endedAfter: 50))
    _ = one.removeAll()
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
