import Dagrun
import GoogleCloud
import Model
import Testing

@testable import Clash

/// VMs that never speak: two at most, and one where that is certain to be the next one's fate.
@Suite struct UnheardTests {
  private static let refused = "dagrun: cannot report [403] [w@p]: HTTP 403: no"
  private static let silent = "dagrun: cannot report [000] [w@p]: no answer: curl: (28) timed out"

  /// Its VM is up, and a pull was answered.
  private func booting(isDetached: Bool = false) -> Walk {
    var one = Walk.waiting(isDetached: isDetached)
    _ = one.tell(.received([]))
    _ = one.wake(after: 5)
    _ = one.look(.running)
    return one
  }

  /// Leads the next attempt to where the first one is.
  private func bootNext(_ one: inout Walk, _ number: Int) {
    _ = one.done(.removeGroup(one.plan(number - 1)))
    _ = one.done(.makeTemplate(one.plan(number)))
    _ = one.done(.makeGroup(one.plan(number)))
    _ = one.done(.removeTemplate(one.plan(number - 1)))
    _ = one.wake(after: 5)
    _ = one.look(.running)
  }

  @Test(arguments: [false, true])
  func `a refusal on the console of the first VM ends the job`(isDetached: Bool) {
    var one = booting(isDetached: isDetached)
    #expect(one.wake(after: 30) == ["inspect 1"])
    #expect(one.consoleReading == .ofAny)
    #expect(one.look(.running, console: Self.refused).last == "remove group")
    _ = one.removeAll()
    #expect(one.failure?.kind == .permission)
    #expect(one.failure?.message.contains("--member=serviceAccount:w@p") == true)
    #expect(one.job.attempts.map(\.ending) == [.refused])
  }

  @Test func `whoever has listened all along waits for no answer to a pull`() {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    _ = one.look(.running)
    _ = one.wake(after: 30)
    #expect(one.look(.running, console: Self.refused).last == "remove group")
  }

  @Test func `a VM that has gone off says why as well`() {
    var one = booting()
    _ = one.wake(after: 30)
    _ = one.look(.ended, console: Self.refused)
    _ = one.removeAll()
    #expect(one.failure?.kind == .permission)
  }

  @Test func `a VM that reaches nobody has a second one, and no third`() {
    var one = booting()
    _ = one.wake(after: 30)
    #expect(one.look(.running, console: Self.silent).last == "remove group")
    bootNext(&one, 2)
    _ = one.wake(after: 30)
    _ = one.look(.running, console: Self.silent)
    _ = one.removeAll()
    #expect(one.failure?.kind == .network)
    #expect(one.job.attempts.count == 2)
  }

  @Test func `the count of silent VMs outlives a restart`() throws {
    var one = booting()
    _ = one.wake(after: 30)
    _ = one.look(.running, console: Self.silent)
    bootNext(&one, 2)
    _ = try one.restart()
    _ = one.tell(.received([]))
    _ = one.look(.running, console: Self.silent)
    _ = one.removeAll()
    #expect(one.failure?.kind == .network)
  }

  @Test func `a VM that runs and says nothing, on its console neither, has a second one, and no third`() {
    var one = booting()
    var notes: [String] = []
    for _ in 0..<200 where one.job.phaseName == "booting" {
      _ = one.wake(after: 30)
      notes += one.look(.running, console: "Kernel panic\n")
    }
    #expect(notes.contains { $0.contains("its serial console ends with “Kernel panic”") }, "\(notes)")
    bootNext(&one, 2)
    for _ in 0..<200 where one.job.phaseName == "booting" {
      _ = one.wake(after: 30)
      _ = one.look(.running)
    }
    _ = one.removeAll()
    #expect(one.failure?.kind == .machine)
    #expect(one.job.attempts.count == 2)
  }

  @Test func `a VM that has spoken is not asked for its console, and what it says there means nothing`() {
    var one = booting()
    _ = one.hear("heartbeat")
    _ = one.wake(after: 30)
    #expect(one.consoleReading == .never)
    #expect(one.look(.running, console: Self.refused) == [])
    #expect(one.job.phaseName == "booting")
  }

  @Test func `nothing is concluded from a console before what may wait was listened to`() throws {
    var one = Walk.waiting()
    _ = one.wake(after: 5)
    #expect(one.consoleReading == .ofEnded)
    _ = one.look(.running)
    _ = try one.restart()
    #expect(one.wake(after: 30) == ["inspect 1"])
    #expect(one.look(.running, console: Self.refused) == [])
    _ = one.tell(.received([]))
    _ = one.wake(after: 30)
    #expect(one.look(.running, console: Self.refused).last == "remove group")
  }

  @Test func `Spot VMs that go before they speak may have been preempted`() {
    var one = Walk(zones: ["z-a1-b"], provisioning: .spot)
    _ = one.resume()
    for call in [JobCall.makeTopic, .makeSubscription] { _ = one.done(call) }
    for number in 1...4 {
      _ = one.done(.makeTemplate(one.plan(number)))
      _ = one.done(.makeGroup(one.plan(number)))
      if number > 1 { _ = one.done(.removeTemplate(one.plan(number - 1))) }
      _ = one.tell(.received([]))
      _ = one.wake(after: 5)
      _ = one.look(.running)
      _ = one.wake(after: 30)
      _ = one.look(.ended)
      _ = one.wake(after: 200)
      _ = one.done(.removeGroup(one.plan(number)))
      if one.job.phaseName == "waiting for capacity" { _ = one.wake(after: 400) }
    }
    #expect(one.job.attempts.count == 5)
  }
}
