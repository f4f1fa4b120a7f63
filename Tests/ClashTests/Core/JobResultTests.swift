import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// Results, and what ends a job before its own.
@Suite struct JobResultTests {
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
}
