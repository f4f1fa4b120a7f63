import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// Machines that a place does not have, or refuses, and those that begin and stop: which one is asked for next.
@Suite struct JobCandidateTests {
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
}
