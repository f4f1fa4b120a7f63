import Dagrun
import Model
import Testing

@testable import Scheduling

/// What each end of a try counts as, whether or not somebody had it stopped.
@Suite struct TryEndingTests {
  @Test(
    arguments: [
      (.success, "success - no"),
      (.skipped(reason: "nothing new"), "skipped nothing new no"),
      (.failed(reason: "exit code 3", exitCode: 3), "failed exit code 3 yes"),
      (.failed(reason: "wrong input", isRetryable: false), "failed wrong input no"),
      (.stopped(signal: 15), "failed was stopped by a signal from outside of dagrun yes"),
      (.lost(.machineWentDown), "failed was lost when the machine went down yes"),
      (.lost(.workerDied), "failed its worker process died yes"),
      (.lost(.connectionClosed), "failed closed the connection between its process and dagrun yes"),
    ] as [(TaskResult.Outcome, String)])
  func `by itself`(outcome: TaskResult.Outcome, expected: String) {
    #expect(words(TryEnding(outcome)) == expected)
  }

  @Test(
    arguments: [
      (.success, "success - no"),
      (.failed(reason: "exit code 3", exitCode: 3), "failed timed out after 1 min 30 s: exit code 3 yes"),
      (.failed(reason: "wrong input", isRetryable: false), "failed timed out after 1 min 30 s: wrong input no"),
      (.stopped(signal: 15), "failed timed out after 1 min 30 s yes"),
      (.lost(.workerDied), "failed timed out after 1 min 30 s: its worker process died yes"),
    ] as [(TaskResult.Outcome, String)])
  func `after its timeout`(outcome: TaskResult.Outcome, expected: String) {
    #expect(words(TryEnding(outcome, timeoutSeconds: 90)) == expected)
  }

  @Test(
    arguments: [
      (.success, "success - no"),
      (.failed(reason: "exit code 3", exitCode: 3), "failed exit code 3 yes"),
      (.stopped(exitCode: 143), "failed was cleared yes"), (.deferred(.event), "failed was cleared yes"),
    ] as [(TaskResult.Outcome, String)])
  func `after it was cleared`(outcome: TaskResult.Outcome, expected: String) {
    #expect(words(TryEnding(outcome, isCleared: true)) == expected)
    #expect(words(TryEnding(outcome, isCleared: true, timeoutSeconds: 90)) == expected)
  }

  @Test func `with the parts that programs ask for`() {
    let failed = TryEnding(.failed(reason: "x", exitCode: 3, signal: 9))
    #expect(failed.exitCode == 3 && failed.signal == 9)
    let stopped = TryEnding(.stopped(exitCode: 143, signal: 15))
    #expect(stopped.exitCode == 143 && stopped.signal == 15)
  }

  /// The executor's clock may be behind that of the scheduler: what was stopped for its timeout has timed out.
  @Test func `a try that was stopped for its timeout has timed out, whatever its clock says`() {
    var bed = TestBed(dag("a", configure: { $0.tasks[0].executionTimeoutSeconds = 60 }))
    _ = bed.trigger()
    bed.wait(60)
    #expect(bed.transcript == ["stop a try 1 timedOut"])
    let key = TryKey(run: 1, taskID: "a", number: 1)
    bed.send(.taskFinished(key, TaskResult(.stopped(), endDate: bed.now.adding(seconds: -30))))
    #expect(
      bed.last.changes.contains {
        if case .taskChanged(let move) = $0 { move.reason == "timed out after 1 min" } else { false }
      })
  }

  private func words(_ ending: TryEnding) -> String {
    "\(ending.state.rawValue) \(ending.reason ?? "-") \(ending.isRetryable ? "yes" : "no")"
  }
}
