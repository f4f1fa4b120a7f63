import Clash
import CloudEmulator
import Control
import Dagrun
import Foundation
import GRDB
import Model
import Scheduling
import Storage
import Testing
import WaitSupport

@testable import Engine

/// Tasks that are jobs: their launch, their end, and all that may come between.
@Suite(.serialized, .timeLimit(.minutes(3))) struct `Tasks that are jobs` {
  @Test func `hand typed values on, also in templates`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        struct Count: Codable, Sendable { var rows: Int }
        DAG("jobs") {
          let value = ComputeEngineJobOperator("value", job: machine, command: ["x"])
          let count = SwiftOperator("count", value.output(as: Count.self)) { _, count in count.rows + 1 }
          let ok = ComputeEngineJobOperator("ok", job: machine, command: ["x"])
          SwiftOperator("status", ok.output) { _, job in "\\(job.exitStatus) \\(job.zone) \\(job.attempts)" }
          ComputeEngineJobOperator("echo", job: machine, command: ["rows", "\\(count.output)", "\\(.dagID)"])
        }
        """)
      let ran = try await home.run("jobs")
      #expect(ran.run.state == .success, "\(ran.tasks.mapValues(\.reason))")
      #expect(ran.outputs["count"] == "43")
      #expect(ran.outputs["status"] == #""0 europe-west1-b 1""#)
      #expect(ran.logs["echo"]?.contains("rows 43 jobs") == true, "\(ran.logs)")
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 3)
    }
  }

  @Test func `know nothing of what was skipped`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") {
          let skipped = SwiftOperator("skipped") { _ -> Int in throw TaskSkip("not today") }
          ComputeEngineJobOperator(
            "echo", job: machine, command: ["got", "\\(skipped.output)", "."], triggerRule: .allDone)
        }
        """)
      let ran = try await home.run("jobs")
      // As of a shell task: a value that is not there is no empty text.
      #expect(ran.states == ["skipped": .skipped, "echo": .failed])
      #expect(ran.tasks["echo"]?.reason?.contains(#"task "skipped" has no output: it was skipped"#) == true)
      #expect(cloud.machines.machines.isEmpty)
      #expect(await cloud.emulator.inventory().isEmpty)
    }
  }

  @Test func `of which one in a group fails, fail by its name`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") {
          ComputeEngineJobGroupOperator("group", job: machine, specs: [
            .init(command: ["x"]), .init(command: ["x"], environment: ["SCRIPT": "fail"]), .init(command: ["x"])])
        }
        """)
      let ran = try await home.run("jobs")
      #expect(ran.states == ["group": .failed])
      let reason = try #require(ran.tasks["group"]?.reason)
      #expect(reason.contains("1 of 3 jobs failed") && reason.contains("exited with status 3"), "\(reason)")
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 3)
    }
  }

  @Test func `are removed when their run is cancelled, also those that wait for a machine`() async throws {
    try await JobHarness.with { cloud in
      await cloud.emulator.addFault(
        FaultRule(.creation(MachinePattern(zone: "us-central1-a"), .stockOut)))
      let home = try cloud.home(
        """
        DAG("jobs") {
          ComputeEngineJobOperator("wait_1", job: machine, command: ["x"])
          ComputeEngineJobOperator(
            "wait_2", job: JobConfig(project: "demo", image: "debian").zones("us-central1-a").maxAttempts(100),
            command: ["x"])
          BashOperator("after", "true")
        }
        """)
      let engine = try await home.start()
      let control = EngineControl(engine)
      let run = try await home.trigger("jobs", control)
      _ = await cloud.booted(1)
      _ = try await control.send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      #expect(try await control.end(of: run.number).state == .failed)
      await engine.waitUntilIdle()
      await engine.stop()
      let states = try home.ran(run).states
      #expect(states["wait_1"] == .failed && states["wait_2"] == .failed, "\(states)")
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 1)
    }
  }

  @Test func `that take too long are stopped, and tried again`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") {
          ComputeEngineJobOperator(
            "wait", job: machine, command: ["x"], retries: 1, retryDelay: .milliseconds(1),
            executionTimeout: .milliseconds(300))
        }
        """)
      let ran = try await home.run("jobs")
      #expect(ran.states == ["wait": .failed])
      #expect(ran.tasks["wait"]?.instance.tryNumber == 2)
      #expect(
        ran.tasks["wait"]?.reason?.contains("timed out after 0.3 s") == true, "\(ran.tasks["wait"]?.reason ?? "")")
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 2)
    }
  }

  @Test func `that are cleared while they run begin again when they are gone`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") { ComputeEngineJobOperator("wait", job: machine, command: ["x"]) }
        """)
      let engine = try await home.start()
      let control = EngineControl(engine)
      let run = try await home.trigger("jobs", control)
      _ = await cloud.booted(1)
      _ = try await control.send(.clear(TaskSelection(dagID: "jobs"), onNewestVersion: false))
      let second = try #require(await cloud.booted(2).dropFirst().first)
      #expect(second.description.name.contains("try2"), "\(second.description.name)")
      #expect(await cloud.emulator.inventory().instances.count == 1)
      _ = try await control.send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      await engine.waitUntilIdle()
      await engine.stop()
      #expect(await cloud.emulator.inventory().isEmpty)
    }
  }

  @Test func `continue while no scheduler runs, and are taken over`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") { ComputeEngineJobOperator("wait", job: machine, command: ["x"]) }
        """)
      let engine = try await home.start()
      let run = try await home.trigger("jobs", EngineControl(engine))
      _ = await cloud.booted(1)
      await engine.stop()
      #expect(await cloud.emulator.inventory().instances.count == 1)

      // Cancelled while nobody is there: the next one removes it.
      let offline = try await home.start(.offline)
      #expect(await offline.unwantedJobs() == [])
      _ = try await EngineControl(offline).send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      let unwanted = await offline.unwantedJobs()
      #expect(unwanted.count == 1 && unwanted[0].contains("wait"), "\(unwanted)")
      await offline.stop()
      let next = try await home.start()
      await next.waitUntilIdle()
      await next.stop()
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 1)
      #expect(try home.ran(run).states == ["wait": .failed])
    }
  }

  @Test func `that only another version can read fail with what to do, and hold nothing up`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") {
          let wait = ComputeEngineJobOperator("wait", job: machine, command: ["x"])
          wait --> ComputeEngineJobOperator("ok", job: machine, command: ["x"], triggerRule: .allDone)
        }
        """)
      let engine = try await home.start()
      let run = try await home.trigger("jobs", EngineControl(engine))
      _ = await cloud.booted(1)
      await engine.stop()
      let database = try DatabaseQueue(path: home.home.databasePath)
      try await database.write { try $0.execute(sql: #"UPDATE job SET request = '{"future": true}'"#) }
      let next = try await home.start()
      await next.waitUntilIdle()
      await next.stop()
      let ran = try home.ran(run)
      #expect(ran.states == ["wait": .failed, "ok": .success], "\(ran.tasks.mapValues(\.reason))")
      let reason = ran.tasks["wait"]?.reason ?? ""
      #expect(reason.contains("cannot read the kept state of job") && reason.contains("dagrun job gc"), "\(reason)")
    }
  }

  @Test func `of a DAG that was deleted meanwhile are removed`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") { ComputeEngineJobOperator("wait", job: machine, command: ["x"]) }
        """)
      let engine = try await home.start()
      let run = try await home.trigger("jobs", EngineControl(engine))
      _ = await cloud.booted(1)
      await engine.stop()
      let offline = try await home.start(.offline)
      let control = EngineControl(offline)
      await #expect(throws: ControlError.self) { _ = try await control.send(.deleteDAG(dagID: "jobs")) }
      _ = try await control.send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      _ = try? await control.send(.deleteDAG(dagID: "jobs"))
      await offline.stop()

      let next = try await home.start()
      await next.waitUntilIdle()
      await next.stop()
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 1)
    }
  }

  @Test func `of two homes with the same DAG leave each other alone`() async throws {
    try await JobHarness.with { cloud in
      let file = """
        DAG("jobs") { ComputeEngineJobOperator("wait", job: machine, command: ["x"]) }
        """
      let (one, two) = (try cloud.home(file), try cloud.home(file))
      let (first, second) = (try await one.start(), try await two.start())
      let run = try await one.trigger("jobs", EngineControl(first))
      let other = try await two.trigger("jobs", EngineControl(second))
      #expect(run.number == other.number)
      _ = await cloud.booted(2)
      _ = try await EngineControl(first).send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      await first.waitUntilIdle()
      let inventory = await cloud.emulator.inventory()
      #expect(inventory.instances.count == 1 && inventory.topics.count == 1)
      _ = try await EngineControl(second).send(.setRunState(dagID: "jobs", runID: other.runID, .failed))
      await second.waitUntilIdle()
      await first.stop()
      await second.stop()
      #expect(await cloud.emulator.inventory().isEmpty)
    }
  }

  /// What cannot be kept is not done; and then it continues.
  @Test func `wait while the database cannot be written`() async throws {
    try await JobHarness.with { cloud in
      let home = try cloud.home(
        """
        DAG("jobs") { ComputeEngineJobOperator("wait", job: machine, command: ["x"]) }
        """)
      let engine = try await home.start()
      let control = EngineControl(engine)
      let run = try await home.trigger("jobs", control)
      _ = await cloud.booted(1)
      var configuration = Configuration()
      configuration.busyMode = .timeout(20)
      let database = try DatabaseQueue(path: home.home.databasePath, configuration: configuration)
      try await database.write { database in
        for event in ["UPDATE", "INSERT"] {
          try database.execute(
            sql: "CREATE TRIGGER full_\(event) BEFORE \(event) ON job BEGIN SELECT RAISE(ABORT, 'full'); END")
        }
      }
      #expect(await cloud.emulator.preempt(instance: cloud.machines.machines[0].description.name, graceSeconds: 0))
      // A tenth of a second apart: its grace period is over, and the group is not removed before it is kept that it is
      // to be.
      await home.logMessages.wait { $0.count { $0 == "a job waits because it cannot be kept" } >= 8 }
      let group = "compute.instanceGroupManagers.delete"
      #expect(await cloud.emulator.inventory().requests[group] == nil)
      try await database.write { try $0.execute(sql: "DROP TRIGGER full_UPDATE; DROP TRIGGER full_INSERT") }
      _ = await cloud.booted(2)
      _ = try await control.send(.setRunState(dagID: "jobs", runID: run.runID, .failed))
      await engine.waitUntilIdle()
      await engine.stop()
      #expect(await cloud.emulator.inventory().isEmpty)
      #expect(cloud.machines.machines.count == 2)
    }
  }
}
