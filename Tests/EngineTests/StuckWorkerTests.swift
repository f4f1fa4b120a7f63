import Control
import Foundation
import Model
import Processes
import Scheduling
import Testing

@testable import Engine

/// Workers that do not do as they are told: each task stops its worker over and over, also when it is continued. Then
/// nothing but SIGKILL reaches the worker, unless it is continued for long enough to end the task itself. Either way
/// the task ends.
@Suite(.serialized) struct `A worker that hangs` {
  private static let file = """
    import Dagrun

    DAG("stuck", defaults: .init(executionTimeout: .seconds(100))) {
      BashOperator("shell", "echo $$ > ../task; while kill -STOP $PPID; do :; done")
    }
    """

  @Test func `does not keep a task that is stopped`() async throws {
    let harness = try EngineHarness(["stuck.swift": Self.file])
    let engine = try await harness.start(graceSeconds: 0.1)
    let control = EngineControl(engine)
    let run = try await harness.trigger("stuck", control)
    let task = try ProcessDescriptor(pid: #require(pid_t(harness.waitFor("task").dropLast())))
    _ = try await control.send(.setRunState(dagID: "stuck", runID: run.runID, .failed))
    #expect(try await control.end(of: run.number).state == .failed)
    #expect(task.hasEnded(within: 20_000))
    await engine.waitUntilIdle()
    await engine.stop()
  }

  @Test func `does not keep a task that was cancelled while no scheduler ran`() async throws {
    let harness = try EngineHarness(["stuck.swift": Self.file])
    let engine = try await harness.start(graceSeconds: 0.1)
    let run = try await harness.trigger("stuck", EngineControl(engine))
    let task = try ProcessDescriptor(pid: #require(pid_t(harness.waitFor("task").dropLast())))
    await engine.stop()

    let offline = try await harness.start(.offline)
    _ = try await EngineControl(offline).send(.setRunState(dagID: "stuck", runID: run.runID, .failed))
    await offline.stop()

    let next = try await harness.start(graceSeconds: 0.1)
    #expect(task.hasEnded(within: 20_000))
    await next.stop()
  }
}
