import Dagrun
import Foundation
import GoogleCloud
import Model
import Testing

@testable import Clash

/// Groups and machines that say nothing, stop, are preempted or are gone: when they are looked at, given up and replaced.
@Suite struct JobLivenessTests {
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
}
