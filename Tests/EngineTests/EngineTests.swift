import Control
import Dagrun
import Foundation
import Model
import Processes
import Scheduling
import Storage
import Testing

@testable import Engine

@Suite(.serialized) struct `The engine` {
  @Test func `runs shell and Swift tasks that hand typed values on`() async throws {
    let harness = try EngineHarness([
      "values.swift": """
      import Dagrun

      DAG("values", params: [.int("times", default: 2)]) {
        let number = BashOperator("number", "echo noise; echo 21")
        let doubled = SwiftOperator("doubled", number.output(as: Int.self)) { context, number in
          context.log.info("doubling")
          return number * (try context.params.int("times"))
        }
        BashOperator("show", "echo \\(doubled.output) on \\(.ds) in $FRUIT", environment: ["FRUIT": "\\(.dagID) pear"])
      }
      """
    ])
    let ran = try await harness.run("values", conf: #"{"times": 3}"#)
    #expect(ran.run.state == .success)
    #expect(ran.outputs["number"] == #""21""#)
    #expect(ran.outputs["doubled"] == "63")
    #expect(ran.outputs["show"]?.hasPrefix("\"63 on 2") == true)
    #expect(ran.outputs["show"]?.hasSuffix("in values pear\"") == true)
    #expect(ran.logs["number"] == "noise\n21\n")
    #expect(ran.logs["doubled"]?.contains("INFO doubling") == true)
    #expect(ran.tasks["doubled"]?.usage.cpuSeconds != nil)
  }

  @Test func `a crash of a Swift task fails that task only, and its log says how`() async throws {
    let harness = try EngineHarness([
      "crash.swift": """
      import Dagrun

      DAG("crash") {
        SwiftOperator("trap") { context in
          let numbers = [1, 2, 3]
          return numbers[context.tryNumber + 5]
        }
        SwiftOperator("other") { _ in 1 }
      }
      """
    ])
    let ran = try await harness.run("crash")
    #expect(ran.states == ["trap": .failed, "other": .success])
    #expect(ran.tasks["trap"]?.signal == Int(SIGILL))
    let log = try #require(ran.logs["trap"])
    #expect(log.contains("Index out of range"))
    #expect(log.contains("crash.swift:6"))
    #expect(log.hasSuffix("dagrun: the task's process ended with signal 4 (SIGILL)\n"))
  }

  @Test func `a timeout stops the task, and a retry follows`() async throws {
    let harness = try EngineHarness([
      "slow.swift": """
      import Dagrun

      DAG("slow") {
        BashOperator("shell", "[ $DAGRUN_TRY_NUMBER = 2 ] || sleep 1000", retries: 1, retryDelay: .milliseconds(1),
          executionTimeout: .milliseconds(200))
        SwiftOperator("swift", executionTimeout: .milliseconds(200)) { context in
          try await Task.sleep(for: .seconds(1000))
        }
      }
      """
    ])
    let ran = try await harness.run("slow")
    #expect(ran.states == ["shell": .success, "swift": .failed])
    #expect(ran.tasks["shell"]?.instance.tryNumber == 2)
    #expect(ran.tasks["swift"]?.reason?.contains("timed out after 0.2 s") == true)
  }

  @Test func `a run that is cancelled ends its tasks with all their processes`() async throws {
    let harness = try EngineHarness([
      "long.swift": """
      import Dagrun

      DAG("long") {
        BashOperator("shell", "sleep 1000 & echo $! > ../pid; wait")
        BashOperator("after", "echo never")
      }
      """
    ])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    let run = try await harness.trigger("long", control)
    let child = try #require(pid_t(harness.waitFor("pid").dropLast()))
    _ = try await control.send(.setRunState(dagID: "long", runID: run.runID, .failed))
    #expect(try await control.end(of: run.number).state == .failed)
    let process = try? ProcessDescriptor(pid: child)
    #expect(process?.hasEnded(within: 20_000) ?? true)
    await engine.stop()
  }

  @Test func `a task continues while no scheduler runs, and the next one takes it over`() async throws {
    let harness = try EngineHarness([
      "handover.swift": """
      import Dagrun

      DAG("handover") {
        let first = BashOperator(
          "first", "echo $DAGRUN_TRY_NUMBER >> ../begun; until [ -e ../go ]; do sleep 0.01; done; echo 5")
        SwiftOperator("second", first.output(as: Int.self)) { _, number in number + 1 }
      }
      """
    ])
    let engine = try await harness.start()
    let run = try await harness.trigger("handover", EngineControl(engine))
    #expect(harness.waitFor("begun") == "1\n")
    await engine.stop()

    let next = try await harness.start()
    #expect(FileManager.default.createFile(atPath: harness.folder + "/go", contents: nil))
    #expect(try await EngineControl(next).end(of: run.number).state == .success)
    await next.stop()
    #expect(harness.text("begun") == "1\n")
    #expect(try harness.ran(run).outputs["second"] == "6")
    // A worker that was still starting when the scheduler went removes its folder itself, when it has seen that.
    #expect(harness.waitForNothing(in: harness.home.workersPath))
  }

  @Test func `a second scheduler in one home is refused`() async throws {
    let harness = try EngineHarness([:])
    let engine = try await harness.start()
    let refusal = await #expect(throws: ControlError.self) { _ = try await harness.start() }
    #expect(refusal?.kind == .held)
    #expect(refusal?.message.contains("process \(getpid())") == true)
    await engine.stop()
    await (try harness.start()).stop()
  }

  @Test func `a changed file is used by the next trigger, and a broken one is explained`() async throws {
    func file(_ word: String) -> String {
      "import Dagrun\nDAG(\"changing\") { BashOperator(\"say\", \"echo \(word)\") }\n"
    }
    let harness = try EngineHarness(["changing.swift": file("old")])
    let engine = try await harness.start()
    let control = EngineControl(engine)
    var run = try await harness.trigger("changing", control)
    #expect(try harness.ran(try await control.end(of: run.number)).outputs["say"] == #""old""#)

    try harness.write("changing.swift", file("new"))
    run = try await harness.trigger("changing", control)
    #expect(try harness.ran(try await control.end(of: run.number)).outputs["say"] == #""new""#)

    try harness.write("changing.swift", file("x") + "nonsense\n")
    let refusal = await #expect(throws: ControlError.self) { try await harness.trigger("changing", control) }
    #expect(refusal?.kind == .importError)
    #expect(refusal?.message.contains("nonsense") == true)
    await engine.stop()
  }

  @Test func `an offline engine stores a run, and starts nothing`() async throws {
    let harness = try EngineHarness([
      "later.swift": "import Dagrun\nDAG(\"later\") { BashOperator(\"say\", \"echo done\") }\n"
    ])
    let offline = try await harness.start(.offline)
    let run = try await harness.trigger("later", EngineControl(offline))
    await offline.stop()
    #expect(try harness.ran(run).states.allSatisfy { $0.value != .running && $0.value != .success })

    let engine = try await harness.start()
    await engine.waitUntilIdle()
    await engine.stop()
    #expect(try harness.ran(run).states == ["say": .success])
  }

  @Test func `commands reach it over the socket`() async throws {
    let harness = try EngineHarness([
      "small.swift": "import Dagrun\nDAG(\"small\") { BashOperator(\"say\", \"echo hi\") }\n"
    ])
    let engine = try await harness.start()
    let control = try #require(SocketControl(harness.home))
    guard case .status(let status) = try await control.send(.ping) else { throw ControlError(.invalid, "no status") }
    #expect(status.pid == getpid())
    let run = try await harness.trigger("small", control)
    #expect(try await control.end(of: run.number).state == .success)
    // Followed when it is over, it is told at once.
    #expect(try await control.end(of: run.number).state == .success)
    await engine.stop()
    #expect(SocketControl(harness.home) == nil)
  }

  @Test func `a job without a way to the cloud fails for good, with the reason`() async throws {
    let harness = try EngineHarness([
      "cloud.swift": """
      import Dagrun

      let job = JobConfig(project: "my-project", image: "i")
      DAG("cloud", defaults: .init(retries: 3)) {
        ComputeEngineJobOperator("train", job: job, command: ["true"])
      }
      """
    ])
    let ran = try await harness.run("cloud")
    #expect(ran.states == ["train": .failed])
    #expect(ran.tasks["train"]?.instance.tryNumber == 1)
    #expect(ran.tasks["train"]?.reason?.contains("no way to Compute Engine") == true)
  }
}
