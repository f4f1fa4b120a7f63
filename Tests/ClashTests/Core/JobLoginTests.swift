import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// A login that runs out while a job is under way.
@Suite struct JobLoginTests {
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
}
