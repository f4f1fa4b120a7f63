import Control
import DagBag
import Dagrun
import Dispatch
import EngineSupport
import Executors
import Foundation
import Logging
import Model
import Testing

@testable import Engine
@testable import Scheduling
@testable import Storage

/// The engine and what it owes its executors, without processes, files of DAGs and waits.
@Suite struct FakeExecutorTests {
  /// An engine on a database that outlives it.
  private final class Bench {
    let folder: String
    let queue = Engine.makeQueue()
    let machine = FakeMachine()
    let source: FakeDAGSource
    private(set) var clock = FakeClock(Timestamp(iso8601: "2026-01-31T03:00:00+00:00")!)
    private(set) var engine: Engine!
    private(set) var store: Store!
    /// Thrown by the next commits.
    var problem: StoreError?

    init(_ dags: [DAGDescription]) throws {
      folder = NSTemporaryDirectory() + "dagrun-fake-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      source = FakeDAGSource(dags)
      try start()
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func start() throws {
      clock = FakeClock(clock.now())
      source.clock = clock
      store = try Store(path: folder + "/dagrun.db")
      var environment = EngineEnvironment(
        store: store, limits: Limits(parallelism: 8), clock: clock, dagSource: source
      ) { [machine] in [machine.makeExecutor($0)] }
      environment.commit = { [unowned self] store, changes throws(StoreError) in
        if let problem, !changes.isEmpty { throw problem }
        try store.commit(changes)
      }
      let options = Engine.Options(home: Home(path: folder), dagsFolder: "/dags", executable: "")
      engine = try Engine(
        options, environment, on: queue, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
      try queue.sync {
        try engine.begin()
        clock.advance(seconds: 0)
      }
    }

    /// Everything on the engine's queue.
    @discardableResult
    func act<Result>(_ body: (Engine) throws -> Result) rethrows -> Result { try queue.sync { try body(engine) } }

    func trigger(_ dagID: String) {
      act { $0.handle(.trigger(dagID: dagID, runID: "r", logicalDate: nil, conf: "{}")) { _ in } }
    }

    func state(_ taskID: String) -> TaskState? {
      try? store.taskInstance(TaskInstanceKey(run: 1, taskID: taskID))?.instance.state
    }

    func reason(_ taskID: String) -> String? {
      (try? store.taskInstance(TaskInstanceKey(run: 1, taskID: taskID)))??.reason
    }
  }

  private static func dag(_ change: (inout TaskDescription) -> Void = { _ in }) -> DAGDescription {
    let nowhere = SourceLocation(file: "", line: 0)
    var dag = DAGDescription(id: "d", location: nowhere)
    var first = TaskDescription(id: "a", work: .bash(script: "true"), location: nowhere)
    change(&first)
    var second = TaskDescription(id: "b", work: .bash(script: "true"), location: nowhere)
    second.upstream = ["a"]
    dag.tasks = [first, second]
    return dag
  }

  private let a = TryKey(run: 1, taskID: "a", number: 1)
  private let b = TryKey(run: 1, taskID: "b", number: 1)

  @Test func `launches what is next when a try is reported, and those who follow hear of the end`() throws {
    let bench = try Bench([Self.dag()])
    bench.trigger("d")
    var heard: [String] = []
    bench.act { engine in
      engine.handle(.follow(run: 1)) {
        if case .progress(let progress) = $0 { heard.append(progress.run.state.rawValue) }
      }
      bench.machine.end(a, TaskResult(.success))
    }
    #expect(bench.machine.launches == [a, b])
    bench.act { _ in bench.machine.end(b, TaskResult(.success)) }
    #expect(heard.last == "success")
    #expect(bench.act { $0.isIdle })
  }

  @Test func `says so when there is no executor of that name`() throws {
    let bench = try Bench([Self.dag { $0.executor = ExecutorID(rawValue: "slurm") }])
    bench.trigger("d")
    #expect(bench.state("a") == .failed)
    #expect(bench.reason("a") == "there is no executor 'slurm'")
    #expect(bench.machine.launches.isEmpty)
  }

  @Test func `takes a result that was reported, and was not stored, after a restart`() throws {
    let bench = try Bench([Self.dag()])
    bench.trigger("d")
    bench.problem = StoreError(code: .diskFull, operation: "write to", path: "", problem: "full", hint: "")
    bench.act { _ in bench.machine.end(a, TaskResult(.success)) }
    #expect(bench.state("a") == .running)
    #expect(bench.machine.ends[a] != nil, "it may forget a result only when that is stored")
    bench.act { $0.end() }
    bench.problem = nil
    try bench.start()
    #expect(bench.state("a") == .success)
    #expect(bench.machine.launches == [a, b])
  }

  @Test func `starts nothing while the disk is full, and continues when it is not`() throws {
    let bench = try Bench([Self.dag()])
    bench.trigger("d")
    bench.problem = StoreError(code: .diskFull, operation: "write to", path: "", problem: "full", hint: "")
    bench.act { _ in bench.machine.end(a, TaskResult(.success)) }
    bench.act { _ in bench.clock.advance(seconds: 10) }
    #expect(bench.machine.launches == [a])
    bench.problem = nil
    bench.act { _ in bench.clock.advance(seconds: 10) }
    #expect(bench.machine.launches == [a, b])
  }

  @Test func `resumes what runs after a restart, launches what never began, and stops what nobody wants`() throws {
    let bench = try Bench([Self.dag()])
    bench.trigger("d")
    bench.act { $0.end() }
    try bench.start()
    #expect(bench.machine.launches == [a], "it runs already")
    bench.act { engine in engine.handle(.setRunState(dagID: "d", runID: "r", .failed)) { _ in } }
    #expect(bench.machine.stopped == [a])
    #expect(bench.state("a") == .failed)
  }

  @Test func `is not idle while a task waits for something outside`() throws {
    let bench = try Bench([Self.dag()])
    bench.trigger("d")
    bench.act { _ in bench.machine.end(a, TaskResult(.deferred(.event))) }
    #expect(bench.state("a") == .deferred)
    #expect(!bench.act { $0.isIdle })
    bench.act { $0.submit(.triggerFired(a)) }
    #expect(bench.machine.launches == [a, a], "the same try resumes")
  }
}
