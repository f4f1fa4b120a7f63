import Dagrun
import Foundation
import FuzzSupport
import GoogleCloud
import Model
import Testing

@testable import Clash

@Suite struct JobStateTests {
  @Test func `a job comes out of the journal as it went in, in each of its phases`() throws {
    var one = Walk()
    var jobs = [one.job]
    one = Walk(to: .makeGroup)
    jobs.append(one.job)
    _ = one.tell(.failed(.makeGroup(one.plan(1)), one.fault(.unavailable)))
    jobs.append(one.job)
    one = Walk.running(timeout: 10)
    jobs.append(one.job)
    _ = one.hear("preempted")
    jobs.append(one.job)
    _ = one.wake(after: 45)
    jobs.append(one.job)
    one = Walk.running()
    _ = one.hear("result", Walk.result(1, output: "x", log: "text"))
    jobs.append(one.job)
    _ = one.removeAll()
    jobs.append(one.job)
    #expect(
      jobs.map(\.phaseName) == [
        "preparing", "asking for a machine", "asking for a machine", "running", "preempted", "removing", "removing",
        "failed",
      ])
    for job in jobs {
      let stored = try job.record()
      #expect(try Job(restoring: stored) == job)
      #expect(try Job(restoring: stored).record() == stored)
      #expect(stored.phase == job.phaseName)
      #expect(stored.isFinished == job.isFinished)
    }
  }

  @Test func `the journal keeps the keys that earlier versions wrote`() throws {
    var one = Walk.running()
    _ = one.hear("preempted")
    let terminating = try one.job.record().state
    #expect(terminating.contains(#""fading":{"#))
    // The plan's candidate, and its index on the ladder.
    #expect(terminating.contains(#""rung":{"#) && terminating.contains(#""rung":0"#))
    _ = one.wake(after: 45)
    #expect(one.job.phaseName == "giving up a machine")
    #expect(try one.job.record().state.contains(#""withdrawing":{"#))
  }

  @Test func `a heartbeat is no reason to save`() {
    var one = Walk.running()
    let before = one.job
    one.now = one.now.adding(seconds: 30)
    _ = one.hear("heartbeat")
    #expect(one.job == before)
  }

  @Test(arguments: [
    ("", "it is not the state of a job"), ("{}", "it is not the state of a job"),
    ("[1]", "it is not the state of a job"),
    ("{\"version\":2}", "it has version 2, and this program knows version 1"), ("{\"version\":1}", "job"),
  ])
  func `what cannot be read is refused with the reason`(state: String, reason: String) throws {
    var stored = try Walk().job.record()
    stored.state = state
    #expect {
      try Job(restoring: stored)
    } throws: { error in
      "\(error)".contains("kept state of job j") && "\(error)".contains(reason) && "\(error)".contains("dagrun job gc")
    }
  }

  @Test func `the state of another job is refused`() throws {
    var stored = try Walk().job.record()
    stored.name = "other"
    #expect(throws: JobStateError(job: "other", problem: "it is of job j")) { try Job(restoring: stored) }
  }

  @Test func `request ids are the same for the same call and differ for any other`() {
    #expect(UUID.derived(from: ["a", "b"]).uuidString == UUID.derived(from: ["a", "b"]).uuidString)
    #expect(UUID.derived(from: ["ab", ""]) != UUID.derived(from: ["a", "b"]))
    // Written down, for other versions of dagrun continue with what this one has asked.
    #expect(UUID.derived(from: ["job", "1"]).uuidString == "01E27F98-2A4D-8D49-8F41-C815D0B04910")
  }
}

extension JobStateTests {
  @Test func `a state with numbers that nobody kept is refused, and stops nobody`() throws {
    let walk = Walk.running()
    let stored = try walk.job.record()
    var fuzz = FuzzSource("states of jobs")
    let text = stored.state
    let numbers = text.matches(of: /-?\d+(\.\d+)?/).map(\.range)
    for _ in 0..<FuzzSource.rounds(usual: 500) {
      var changed = text
      changed.replaceSubrange(
        numbers.randomElement(using: &fuzz)!, with: "\(FuzzSource.integers.randomElement(using: &fuzz)!)")
      var other = stored
      other.state = changed
      guard var job = try? Job(restoring: other) else { continue }
      _ = job.resume(at: walk.now)
      _ = job.handle(.wake, at: walk.now.adding(seconds: 100_000))
      _ = job.handle(.cancel, at: walk.now.adding(seconds: 200_000))
    }
  }
}
