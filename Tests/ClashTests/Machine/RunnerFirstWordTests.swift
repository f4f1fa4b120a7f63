import Dagrun
import Foundation
import Testing

@testable import Clash

/// A VM whose first message is not taken: its program does not begin, and its console says why.
@Suite struct RunnerFirstWordTests {
  private static let program = "echo >$WORLD/began"

  private func machine(isDetached: Bool = false) throws -> StandInMachine {
    try StandInMachine(machineSpec(), isDetached: isDetached, program: Self.program)
  }

  @Test(arguments: [
    (403, "User not authorized to perform this action."), (404, "Resource not found (resource=a-job)."),
    (400, "no such thing"),
  ])
  func `a VM whose first message is refused begins nothing and removes itself`(status: Int, words: String) throws {
    let machine = try machine()
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.hasSuffix(":publish") ? .failure(status, words) : nil } }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(machine.data("began") == nil)
    #expect(machine.text("asked") == "rm --force\n", "of an earlier boot's container")
    #expect(
      machine.console.contains(
        "dagrun: cannot report [\(status)] [worker@a-project.iam.example]: HTTP \(status): \(words)\n"))
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
    #expect(machine.text("systemctl") == "poweroff\n")
  }

  @Test func `a VM that reaches nobody begins nothing and powers off`() throws {
    let machine = try machine()
    defer { machine.remove() }
    let settings = "var/lib/dagrun/a-job/settings"
    try machine.write(
      settings, machine.text(settings).replacing("http://127.0.0.1:\(machine.cloud.port)", with: "http://127.0.0.1:1"))
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(machine.data("began") == nil)
    #expect(
      machine.console.contains("dagrun: cannot report [000] [worker@a-project.iam.example]: no answer: curl: (7)"))
    #expect(machine.text("systemctl") == "poweroff\n")
  }

  @Test func `a VM without a service account says that it has no token`() throws {
    let machine = try machine()
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.contains("service-accounts") ? .failure(404, "none") : nil } }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(machine.data("began") == nil)
    #expect(machine.console.contains("dagrun: cannot report [token] []: no answer: no access token: curl: (22)"))
    #expect(machine.console.contains("error: 404"))
  }

  /// A role that was just granted, a route that comes late.
  @Test(arguments: [403, 404, 401])
  func `a first message that is taken in the end begins the program`(status: Int) throws {
    let machine = try machine()
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { request in
        guard request.path.hasSuffix(":publish"), refused.next() <= 3 else { return nil }
        return .failure(status, "later")
      }
    }
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(machine.data("began") != nil)
    #expect(!machine.console.contains("cannot report"))
  }

  @Test func `what Google calls its own trouble has more time than a refusal`() throws {
    let machine = try machine()
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { $0.path.hasSuffix(":publish") && refused.next() <= 3 ? .failure(503, "later") : nil }
    }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(try machine.result().status == 0)
  }

  @Test(.timeLimit(.minutes(1))) func `faults that alternate come to an end, too`() throws {
    let machine = try machine()
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { request in
        guard request.path.hasSuffix(":publish") else { return nil }
        return .failure(refused.next().isMultiple(of: 2) ? 503 : 403, "not yet")
      }
    }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "60", "DAGRUN_PUBLISH_SECONDS": "2"])
    #expect(machine.data("began") == nil)
    #expect(machine.console.contains("cannot report ["))
  }

  @Test func `a token that is refused and cannot be renewed is a token that is lacking`() throws {
    let machine = try machine()
    defer { machine.remove() }
    let tokens = Counter()
    machine.cloud.change {
      $0.fault = { request in
        if request.path.hasSuffix(":publish") { return .failure(401, "who?") }
        return request.path.hasSuffix("/token") && tokens.next() > 1 ? .failure(404, "none") : nil
      }
    }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(machine.data("began") == nil)
    #expect(machine.console.contains("dagrun: cannot report [token]"), "\(machine.console)")
    #expect(machine.console.contains("error: 404"), "\(machine.console)")
  }

  @Test func `a detached VM that may never report gives up in the end`() throws {
    let machine = try machine(isDetached: true)
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.hasSuffix(":publish") ? .failure(403, "no") : nil } }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0", "DAGRUN_PUBLISH_SECONDS": "0"])
    #expect(machine.data("began") == nil)
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
  }

  @Test func `a VM that may do nothing at all powers off after one try to remove its group`() throws {
    let machine = try machine()
    defer { machine.remove() }
    let removals = Counter()
    machine.cloud.change {
      $0.fault = { request in
        if request.method == "DELETE" { _ = removals.next() }
        return request.path.hasPrefix("/computeMetadata") ? nil : .failure(403, "no")
      }
    }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(removals.value == 1)
    #expect(machine.text("systemctl") == "poweroff\n")
  }

  @Test func `a detached VM keeps trying, for its group would make another`() throws {
    let machine = try machine(isDetached: true)
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { $0.path.hasSuffix(":publish") && refused.next() <= 3 ? .failure(403, "not yet") : nil }
    }
    try machine.run(["DAGRUN_FIRST_WORD_SECONDS": "0"])
    #expect(try machine.result().status == 0)
    let console = machine.console
    #expect(console.components(separatedBy: "cannot report").count == 2)
    #expect(SerialConsole(console).fault == nil, "it could, later")
  }
}
