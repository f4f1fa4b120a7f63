import Glibc
import Model
import Processes
import Testing

@testable import Workers

@Suite struct SwiftTaskTests {
  @Test func `a task's value is its output, and one worker runs one task after the other`() throws {
    let worker = try TestWorker()
    for tryNumber in 1...3 {
      let result = try worker.swift("greet", tryNumber: tryNumber)
      #expect(result.outcome == .success)
      #expect(result.output == "\"hello from try \(tryNumber) of run 1\"")
    }
    #expect(try worker.swift("echo_inputs", inputs: ["1", #""two""#]).output == #"[1,"two"]"#)
    #expect(try worker.swift("noop").output == nil)
    #expect(try worker.swift("big").output?.utf8.count == 3_000_002)
    #expect(worker.log("greet") == nil)
  }

  @Test func `reading the DAG file is told once, before the first task`() throws {
    let worker = try TestWorker()
    worker.startSwift("noop")
    #expect(worker.nextReportOfAnyKind() == .loaded)
    guard case .finished? = worker.nextReportOfAnyKind() else { throw WorkerDied() }
    worker.startSwift("noop", tryNumber: 2)
    guard case .finished? = worker.nextReportOfAnyKind() else { throw WorkerDied() }
  }

  @Test func `what a task prints is its log, and no other's`() throws {
    let worker = try TestWorker()
    #expect(try worker.swift("print").outcome == .success)
    #expect(try worker.swift("noop").outcome == .success)
    #expect(worker.log("print") == "a line of the task\n")
    #expect(worker.log("noop") == nil)
  }

  @Test func `errors fail, TaskFailure for good, TaskSkip skips`() throws {
    let worker = try TestWorker()
    guard case .failed(_, isRetryable: true) = try worker.swift("throw").outcome else { throw WorkerDied() }
    #expect(worker.log("throw")?.hasPrefix("dagrun: the task threw ") == true)
    #expect(try worker.swift("fail").outcome == .failed(reason: "the input is wrong", isRetryable: false))
    #expect(try worker.swift("skip").outcome == .skipped(reason: "no data today"))
    #expect(
      try worker.swift("nobody").outcome
        == .failed(reason: "the compiled DAG file has no Swift task nobody", isRetryable: false))
  }

  @Test func `a trap ends the worker by a signal, and the backtrace is in its output`() throws {
    let worker = try TestWorker()
    worker.startSwift("trap")
    #expect(worker.nextReport() == nil)
    #expect(waitForChild(worker.link.pid)?.status == .signaled(SIGILL))
    let journal = try #require(WorkerJournal(folder: worker.folder))
    #expect(journal.last == .init(TryKey(run: 7, taskID: "trap", number: 1)))
    let output = String(decoding: readWholeFile(WorkerOutput.path(in: worker.folder)) ?? [], as: UTF8.self)
    #expect(output.contains("Index out of range"))
    #expect(output.contains("crashed:"))
    #expect(output.contains("main.swift:"))
  }

  @Test func `exit inside a task fails it`() throws {
    let worker = try TestWorker()
    #expect(try worker.swift("exit").outcome == .failed(reason: "called exit(0)", exitCode: 0))
    #expect(worker.nextReport() == nil)
    #expect(waitForChild(worker.link.pid)?.status == .exited(0))
    #expect(worker.log("exit") == "dagrun: the task called exit(0)\n")
  }

  @Test func `an exit that nobody learns of leaves the try begun and not ended`() throws {
    let worker = try TestWorker()
    worker.startSwift("underscore_exit")
    #expect(worker.nextReport() == nil)
    #expect(waitForChild(worker.link.pid)?.status == .exited(4))
    #expect(WorkerJournal(folder: worker.folder)?.last?.result == nil)
  }

  @Test func `a stop cancels the task`() throws {
    let worker = try TestWorker()
    worker.startSwift("wait_for_cancel")
    worker.waitForOutput()
    worker.link.stop(TryKey(run: 7, taskID: "wait_for_cancel", number: 1))
    #expect(try worker.finish().outcome == .stopped())
    #expect(try worker.swift("noop").outcome == .success)
  }

  @Test func `SIGTERM cancels the task, for a scheduler that did not start the worker`() throws {
    let worker = try TestWorker()
    worker.startSwift("wait_for_cancel")
    worker.waitForOutput()
    worker.link.process.signal(SIGTERM)
    #expect(try worker.finish().outcome == .stopped())
  }

  @Test func `a task that does not end when cancelled is killed with its process`() throws {
    let worker = try TestWorker()
    worker.startSwift("stubborn", graceSeconds: 0.1)
    worker.waitForOutput()
    worker.link.stop(TryKey(run: 7, taskID: "stubborn", number: 1))
    #expect(try worker.finish().outcome == .stopped(signal: Int(SIGKILL)))
    #expect(worker.nextReport() == nil)
    #expect(waitForChild(worker.link.pid)?.status == .signaled(SIGKILL))
    #expect(
      worker.log("stubborn")
        == "waiting\ndagrun: the task did not end after it was cancelled: killing its process\n")
  }

  @Test func `a task may use the main actor, several threads, and suspend often`() throws {
    let worker = try TestWorker()
    #expect(try worker.swift("main_actor").output == "true")
    #expect(try worker.swift("meet").output == "true")
    #expect(try worker.swift("hop").output == "1000")
  }

  @Test func `no child of a task survives it`() throws {
    let worker = try TestWorker()
    let child = try pid(in: worker.swift("leave_child"))
    #expect(end(of: child))
    #expect(worker.log("leave_child") == "dagrun: killed 1 process that the task had left behind\n")
  }

  @Test func `the journal has the result that is reported`() throws {
    let worker = try TestWorker()
    let result = try worker.swift("greet")
    let journal = try #require(WorkerJournal(folder: worker.folder))
    #expect(journal.worker == ProcessIdentity(of: worker.link.pid))
    #expect(journal.bootID == bootID)
    #expect(journal.last?.result == result)
  }
}
