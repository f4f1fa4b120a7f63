import Dagrun
import Foundation
import Glibc
import Testing

@testable import Clash

/// The runner itself, in a folder, among stand-ins.
@Suite struct RunnerTests {
  func spec(_ command: JobCommand = .script("echo")) -> JobSpec {
    JobSpec(config: JobConfig(project: "a-project", image: "an-image"), command: command)
  }

  @Test func `a program's status, log and output come back, and the group goes`() throws {
    let machine = try StandInMachine(
      spec(), program: "echo hello; echo error >&2; printf '%s' '{\"a\": 1}' >$INSIDE/output; exit 3")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.status == 3)
    #expect(result.infrastructure == nil)
    #expect(result.output == #"{"a": 1}"#)
    #expect(result.logBytes == 12)
    #expect(result.logTail == Array("hello\nerror\n".utf8))
    #expect(machine.log == Data("hello\nerror\n".utf8))
    let started = result.startedAt ?? Timestamp(microseconds: .max)
    #expect(started <= result.endedAt)
    #expect(machine.messages.map(\.kind).filter { $0 != "heartbeat" } == ["started", "log", "result"])
    #expect(machine.messages.allSatisfy { $0.attributes["job"] == "a-job" && $0.attributes["attempt"] == "3" })
    #expect(machine.messages.map { $0.attributes["sequence"] } == machine.messages.indices.map { String($0) })
    #expect(Set(machine.messages.map { $0.attributes["boot"] }).count == 1)
    #expect(
      machine.cloud.read { $0.removedGroups } == [
        "projects/a-project/zones/europe-west1-b/instanceGroupManagers/a-job-3"
      ])
    #expect(machine.text("systemctl") == "poweroff\n")
  }
}
