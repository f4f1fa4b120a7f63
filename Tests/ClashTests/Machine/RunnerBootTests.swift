import Dagrun
import Foundation
import Testing

@testable import Clash

/// What becomes of a job when its VM goes, comes back, or cannot reach Google.
@Suite struct RunnerBootTests {
  static let waits = "trap 'echo saved; exit 0' TERM; echo begun; sleep 60 & wait"

  @Test func `a VM that is shut down tells nothing final and removes nothing`() throws {
    let machine = try StandInMachine(machineSpec(), program: Self.waits)
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.sendTerminate()
    try machine.end()
    #expect(machine.messages("result").isEmpty)
    #expect(machine.log == Data("begun\nsaved\n".utf8), "the program had time to end")
    #expect(machine.cloud.read { $0.removedGroups }.isEmpty)
    #expect(machine.data("systemctl") == nil)
  }

  /// As the first process of a container, which gets no signal that it did not ask for.
  @Test func `a program that never heard of the end and comes to its own has succeeded`() throws {
    let machine = try StandInMachine(
      machineSpec(), program: "trap '' TERM; echo begun; until [[ -e $WORLD/go ]]; do sleep 0.05; done; echo done")
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.cloud.change { $0.isPreempted = true }
    machine.sendTerminate()
    #expect(machine.waitForFile("stops"))
    try machine.write("go", "")
    try machine.end()
    let result = try machine.result()
    #expect(result.status == 0)
    #expect(String(decoding: result.logTail, as: UTF8.self) == "begun\ndone\n")
    #expect(machine.cloud.read { $0.removedGroups }.isEmpty)
  }

  @Test func `a program that failed without having heard of the end is not a failed one`() throws {
    let machine = try StandInMachine(
      machineSpec(), program: "trap '' TERM; echo begun; until [[ -e $WORLD/go ]]; do sleep 0.05; done; exit 1")
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.sendTerminate()
    #expect(machine.waitForFile("stops"))
    try machine.write("go", "")
    try machine.end()
    #expect(machine.messages("result").isEmpty)
  }

  /// The runner learns of it late: it waits for the answer to a message meanwhile.
  @Test func `a program that had ended before the end of its VM has its own result`() throws {
    let machine = try StandInMachine(
      machineSpec(), program: "echo begun; until [[ -e $WORLD/go ]]; do sleep 0.05; done; exit 3")
    defer { machine.remove() }
    try machine.boot(["DAGRUN_HEARTBEAT_SECONDS": "0"])
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.cloud.change { $0.holdsPublishing = true }
    #expect(machine.cloud.wait { $0.heldMessages > 0 })
    try machine.write("go", "")
    let hasEnded = machine.waitForFile("containers/\(machine.container)/status")
    #expect(hasEnded)
    machine.sendTerminate()
    machine.cloud.change { $0.holdsPublishing = false }
    try machine.end()
    #expect(try machine.result().status == 3)
  }

  @Test func `a notice of preemption is told, and a program that it ended is not a failed one`() throws {
    let machine = try StandInMachine(
      machineSpec(), program: "echo begun; until [[ -e $WORLD/go ]]; do sleep 0.05; done; exit 1")
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.cloud.change { $0.isPreempted = true }
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "preempted" } })
    try machine.write("go", "")
    try machine.end()
    #expect(machine.messages("result").isEmpty)
    #expect(machine.messages("preempted").count == 1)
  }

  @Test func `a program that succeeds before the VM is taken back has succeeded`() throws {
    let machine = try StandInMachine(machineSpec(), program: "until [[ -e $WORLD/go ]]; do sleep 0.05; done")
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "started" } })
    machine.cloud.change { $0.isPreempted = true }
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "preempted" } })
    try machine.write("go", "")
    try machine.end()
    #expect(try machine.result().status == 0)
  }

  @Test func `a disk that takes nothing more silences no VM`() throws {
    let machine = try StandInMachine(
      machineSpec(),
      program: """
        work=$WORLD/var/lib/dagrun/a-job/work
        until [[ -e $WORLD/fill ]]; do sleep 0.05; done
        mv $work $WORLD/away; : >$WORLD/filled
        until [[ -e $WORLD/go ]]; do sleep 0.05; done
        mv $WORLD/away $work
        """)
    defer { machine.remove() }
    let memory = machine.folder + "/run"
    try FileManager.default.createDirectory(atPath: memory, withIntermediateDirectories: true)
    try machine.boot(["DAGRUN_HEARTBEAT_SECONDS": "0", "RUNTIME_DIRECTORY": memory])
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "started" } })
    try machine.write("fill", "")
    #expect(machine.cloud.wait { _ in machine.data("filled") != nil })
    let before = machine.messages("heartbeat").count
    #expect(machine.cloud.wait { $0.messages.count { $0.kind == "heartbeat" } > before + 3 })
    try machine.write("go", "")
    try machine.end()
    #expect(try machine.result().status == 0)
  }

  /// A program that runs on when docker's client has lost the daemon.
  private static let outlives = """
    folder=$(echo $WORLD/containers/*)
    (until [[ -e $WORLD/go ]]; do sleep 0.05; done; date -u +%Y-%m-%dT%H:%M:%SZ >$folder/finished; echo 7 >$folder/status) &
    until [[ -e $WORLD/lost ]]; do sleep 0.05; done
    kill -KILL $PPID
    """

  @Test func `a daemon that is begun again takes no container for ended`() throws {
    let machine = try StandInMachine(machineSpec(), program: Self.outlives)
    defer { machine.remove() }
    try machine.boot(["DAGRUN_HEARTBEAT_SECONDS": "0"])
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "started" } })
    try machine.write("daemon-away", "2")
    try machine.write("lost", "")
    #expect(machine.cloud.wait { _ in machine.data("daemon-away") == nil })
    let before = machine.messages("heartbeat").count
    #expect(
      machine.cloud.wait { $0.messages.count { $0.kind == "heartbeat" } > before + 3 }, "it is reported meanwhile")
    try machine.write("go", "")
    try machine.end()
    #expect(try machine.result().status == 7)
  }

  @Test func `a daemon that stays away fails the job, and not with docker's status`() throws {
    let machine = try StandInMachine(machineSpec(), program: Self.outlives)
    defer { machine.remove() }
    try machine.boot(["DAGRUN_DAEMON_SECONDS": "1"])
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "started" } })
    try machine.write("daemon-away", "1000000")
    try machine.write("lost", "")
    try machine.end()
    let result = try machine.result()
    #expect(result.status == nil)
    #expect(result.infrastructure?.kind == .machine)
    #expect(result.infrastructure?.message.contains("daemon") == true)
  }

  @Test func `a second boot after the end tells the result again and runs nothing`() throws {
    let machine = try StandInMachine(machineSpec(), program: "echo once; exit 4")
    defer { machine.remove() }
    try machine.run()
    let first = try machine.result()
    let boot = machine.messages("result")[0].attributes
    machine.cloud.change { $0.messages = [] }
    try machine.run()
    #expect(try machine.result() == first)
    #expect(machine.messages("result")[0].attributes == boot)
    #expect(machine.messages.count == 1)
    #expect(machine.text("runs") == "run\n")
  }

  @Test func `a second boot after an interrupted one runs the job again`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.outputs = ["/out": "a-bucket/out"] },
      program: """
        out=$(tr '\\0' '\\n' <$WORLD/mounts | sed -n '/^\\/out$/{n;p;}')
        if [[ -e $WORLD/go ]]; then ls "$out"; echo new >"$out/new"; exit 0; fi
        echo half >"$out/half"; echo begun; sleep 60
        """)
    defer { machine.remove() }
    try machine.boot()
    #expect(machine.cloud.wait { $0.messages.contains { $0.kind == "log" } })
    machine.cutPower()
    try machine.write("go", "")
    try machine.run()
    let result = try machine.result()
    #expect(result.status == 0)
    #expect(result.logBytes == 0, "nothing of the interrupted boot is left")
    #expect(machine.text("runs") == "run\nrun\n")
    #expect(machine.cloud.read { Array($0.objects.keys) } == ["a-bucket/out/new"])
    #expect(Set(machine.messages.map { $0.attributes["boot"] }).count == 2)
  }

  @Test func `a result that Pub/Sub does not take is offered until it does`() throws {
    let machine = try StandInMachine(machineSpec(), program: "exit 7")
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { request in
        guard request.path.hasSuffix(":publish"), refused.next() < 4 else { return nil }
        return .failure([503, 429, 403, 500][refused.value % 4], "later")
      }
    }
    try machine.run()
    #expect(try machine.result().status == 7)
    #expect(refused.value > 4)
  }

  @Test func `an answer that is lost makes a duplicate and nothing else`() throws {
    let machine = try StandInMachine(machineSpec(), program: "echo a log")
    defer { machine.remove() }
    let seen = Counter()
    let cloud = machine.cloud
    machine.cloud.change {
      $0.fault = { [weak cloud] request in
        guard request.path.hasSuffix(":publish"), seen.next() % 2 == 0 else { return nil }
        cloud?.take(request)
        return .failure(503, "after it was done")
      }
    }
    try machine.run()
    #expect(machine.messages("result").count == 2)
    for (_, group) in Dictionary(grouping: machine.messages, by: { $0.attributes["sequence"] }) {
      #expect(Set(group.map(\.data)).count == 1)
      #expect(Set(group.map(\.attributes)).count == 1)
    }
  }

  @Test func `an expired token is asked for again once`() throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { request in
        request.path.hasSuffix(":publish") && refused.next() == 1 ? .failure(401, "expired") : nil
      }
    }
    try machine.run()
    #expect(try machine.result().status == 0)
  }

  @Test func `heartbeats come while the program is silent`() throws {
    let machine = try StandInMachine(machineSpec(), program: Self.waits)
    defer { machine.remove() }
    try machine.boot(["DAGRUN_HEARTBEAT_SECONDS": "1"])
    #expect(machine.cloud.wait { $0.messages.filter { $0.kind == "heartbeat" }.count >= 3 })
    #expect(machine.messages("heartbeat").allSatisfy { $0.data.isEmpty })
  }

  @Test func `a detached VM stays on while its group would make another`() throws {
    let machine = try StandInMachine(machineSpec(), isDetached: true)
    defer { machine.remove() }
    let refused = Counter()
    machine.cloud.change {
      $0.fault = { $0.method == "DELETE" && refused.next() < 12 ? .failure(403, "no") : nil }
    }
    try machine.run()
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
    #expect(refused.value == 12)
  }

  @Test func `a VM that may not remove its group powers off`() throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.method == "DELETE" ? .failure(403, "no") : nil } }
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(machine.text("systemctl") == "poweroff\n")
    #expect(machine.console.contains("cannot be removed: HTTP 403: no"))
  }

  @Test func `nobody answers, and still the VM goes off`() throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    machine.cloud.change { $0.fault = { $0.path.hasPrefix("/computeMetadata") ? nil : .failure(503, "down") } }
    try machine.run(["DAGRUN_PUBLISH_SECONDS": "1", "DAGRUN_FLUSH_SECONDS": "1"])
    #expect(machine.messages.isEmpty)
    #expect(machine.text("systemctl") == "poweroff\n")
  }
}

/// Counts calls from any thread, from 1.
final class Counter: @unchecked Sendable {
  private let lock = NSLock()
  private var count = 0

  var value: Int { lock.withLock { count } }

  func next() -> Int {
    lock.withLock {
      count += 1
      return count
    }
  }
}
