import Foundation
import Processes
import Scheduling
import Testing

@testable import Engine

/// Workers that do not do as they are told. Each stops its own process over and over, also when it is
/// continued: then nothing but SIGKILL reaches it.
@Suite(.serialized) struct `A worker that hangs` {
  private static let file = """
    import Dagrun

    DAG("stuck", defaults: .init(executionTimeout: .seconds(100))) {
      BashOperator("shell", "echo $PPID > ../worker; while kill -STOP $PPID; do :; done")
    }
    """

  @Test func `is killed when its task is stopped`() async throws {
    let workshop = try EngineWorkshop(["stuck.swift": Self.file])
    let engine = try await workshop.start(graceSeconds: 0.1)
    let control = EngineControl(engine)
    let run = try await workshop.trigger("stuck", control)
    let worker = try #require(pid_t(workshop.waitFor("worker").dropLast()))
    _ = try await control.send(.setRunState(dagID: "stuck", runID: run.runID, .failed))
    #expect(try await control.end(of: run.number).state == .failed)
    #expect((try? ProcessDescriptor(pid: worker))?.hasEnded(within: 20_000) ?? true)
    await engine.waitUntilIdle()
    await engine.stop()
  }

  @Test func `is killed when its task was cancelled while no scheduler ran`() async throws {
    let workshop = try EngineWorkshop(["stuck.swift": Self.file])
    let engine = try await workshop.start(graceSeconds: 0.1)
    let run = try await workshop.trigger("stuck", EngineControl(engine))
    let worker = try #require(pid_t(workshop.waitFor("worker").dropLast()))
    await engine.stop()

    let offline = try await workshop.start(.offline)
    _ = try await EngineControl(offline).send(.setRunState(dagID: "stuck", runID: run.runID, .failed))
    await offline.stop()

    let next = try await workshop.start(graceSeconds: 0.1)
    #expect((try? ProcessDescriptor(pid: worker))?.hasEnded(within: 20_000) ?? true)
    await next.stop()
  }
}
