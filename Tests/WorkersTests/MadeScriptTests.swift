import Glibc
import Model
import Preparation
import Processes
import Testing

@testable import Workers

/// Scripts that a closure makes of values.
@Suite struct MadeScriptTests {
  private func start(_ worker: TestWorker, _ taskID: String, inputs: [String] = [], tryNumber: Int = 1) {
    worker.start(
      TryKey(run: 7, taskID: taskID, number: tryNumber),
      .madeScript(
        library: "code", entry: "main", inputs: inputs, environment: ["PLACE": "here"], workingDirectory: "/"))
  }

  @Test func `the script runs as any other, after what its closure has printed`() throws {
    let worker = try TestWorker()
    for tryNumber in 1...2 {
      start(worker, "make_script", inputs: ["1", "2"], tryNumber: tryNumber)
      let result = try worker.finish()
      #expect(result.outcome == .success && result.output == #""made of 1 2 in here""#)
      let lines = try #require(worker.log("make_script", tryNumber: tryNumber)).split(separator: "\n")
      // Of two pipes, either may be first.
      #expect(lines.first == "making it" && Set(lines.dropFirst()) == ["made of 1 2 in here", "/"])
    }
    #expect(try worker.bash("echo \"$PLACE\"").output == #""""#)
    #expect(try worker.swift("noop").outcome == .success)
  }

  @Test func `a closure that throws ends the task`() throws {
    let worker = try TestWorker()
    start(worker, "skip")
    #expect(try worker.finish().outcome == .skipped(reason: "no data today"))
    start(worker, "fail")
    let failed = try worker.finish()
    #expect(failed.outcome == .failed(reason: "the input is wrong", isRetryable: false) && failed.output == nil)
  }

  @Test func `the closure and the script are stopped`() throws {
    let worker = try TestWorker()
    start(worker, "wait_for_cancel")
    worker.link.stop(TryKey(run: 7, taskID: "wait_for_cancel", number: 1))
    #expect(try worker.finish().outcome == .stopped())
    start(worker, "make_long_script")
    worker.waitForLog("make_long_script")
    worker.link.stop(TryKey(run: 7, taskID: "make_long_script", number: 1))
    #expect(try worker.finish().outcome == .stopped(signal: Int(SIGTERM)))
  }
}
