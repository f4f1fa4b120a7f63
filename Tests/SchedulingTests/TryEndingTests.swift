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

  @Test(
    arguments: [
      (
        [(.exitCode([3, 4]), .fail)], .failed(reason: "exit code 4", exitCode: 4), nil,
        "failed exit code 4, which its rules do not retry no"
      ),
      ([(.exitCode([3, 4]), .fail)], .failed(reason: "exit code 5", exitCode: 5), nil, "failed exit code 5 yes"),
      (
        [(.exitCode([3]), .skip)], .failed(reason: "exit code 3", exitCode: 3), nil,
        "skipped exit code 3, which its rules skip no"
      ),
      (
        [(.exitCode([3]), .retry(afterSeconds: nil))], .failed(reason: "x", exitCode: 3, isRetryable: false), nil,
        "failed x yes"
      ),
      ([(.exitCode([3]), .retry(afterSeconds: 5))], .failed(reason: "x", exitCode: 3), nil, "failed x yes after 5.0"),
      (
        [(.signal([9]), .fail)], .failed(reason: "signal 9", signal: 9), nil,
        "failed signal 9, which its rules do not retry no"
      ),
      (
        [(.signal([15]), .fail)], .stopped(signal: 15), nil,
        "failed was stopped by a signal from outside of dagrun, which its rules do not retry no"
      ),
      // It was dagrun's own.
      ([(.signal([15]), .fail)], .stopped(signal: 15), 90, "failed timed out after 1 min 30 s yes"),
      (
        [(.timeout, .fail)], .stopped(signal: 15), 90,
        "failed timed out after 1 min 30 s, which its rules do not retry no"
      ),
      (
        [(.timeout, .skip)], .failed(reason: "its job took longer than 5 s", cause: .timeout), nil,
        "skipped its job took longer than 5 s, which its rules skip no"
      ),
      (
        [(.timeout, .fail)], .stopped(signal: 15), nil,
        "failed was stopped by a signal from outside of dagrun yes"
      ),
      (
        [(.machineLost, .retry(afterSeconds: 0))], .lost(.machineWentDown), nil,
        "failed was lost when the machine went down yes after 0.0"
      ),
      (
        [(.machineLost, .fail)], .failed(reason: "went silent", cause: .machineLost), nil,
        "failed went silent, which its rules do not retry no"
      ),
      (
        [(.error(typeName: "A"), .fail), (.error(typeName: "B"), .skip)],
        .failed(reason: "B", cause: .errorRule(1, typeName: "B")), nil, "skipped B, which its rules skip no"
      ),
      // Another version of the DAG has had that rule.
      (
        [(.error(typeName: "A"), .fail)], .failed(reason: "B", cause: .errorRule(7, typeName: "B")), nil, "failed B yes"
      ),
      // It has another rule there.
      (
        [(.error(typeName: "A"), .fail)], .failed(reason: "B", cause: .errorRule(0, typeName: "B")), nil, "failed B yes"
      ),
      // The first that fits.
      (
        [(.timeout, .fail), (.exitCode([3]), .skip)], .failed(reason: "x", exitCode: 3), 90,
        "failed timed out after 1 min 30 s: x, which its rules do not retry no"
      ),
      (
        [(.exitCode([3]), .skip), (.timeout, .fail)], .failed(reason: "x", exitCode: 3), 90,
        "skipped timed out after 1 min 30 s: x, which its rules skip no"
      ),
      ([(.machineLost, .fail)], .success, nil, "success - no"),
      ([(.machineLost, .fail)], .skipped(reason: "nothing new"), nil, "skipped nothing new no"),
    ] as [([(FailureRule.Cause, FailureRule.Action)], TaskResult.Outcome, Double?, String)])
  func `by the task's rules`(
    rules: [(FailureRule.Cause, FailureRule.Action)], outcome: TaskResult.Outcome, timeout: Double?, expected: String
  ) {
    let ending = TryEnding(
      outcome, timeoutSeconds: timeout, rules: rules.map { FailureRule($0.0, then: $0.1) })
    #expect(words(ending) + (ending.retryDelaySeconds.map { " after \($0)" } ?? "") == expected)
  }

  @Test func `what was cleared starts over, whatever the rules`() {
    let ending = TryEnding(
      .failed(reason: "x", exitCode: 3), isCleared: true, rules: [FailureRule(.exitCode([3]), then: .skip)])
    #expect(words(ending) == "failed x yes")
  }

  @Test func `a rule has its own wait, and no more tries than the task`() {
    var bed = TestBed(
      dag("a") {
        $0.task("a") {
          $0.retries = 2
          $0.retryDelaySeconds = 300
          $0.failureRules = [
            FailureRule(.exitCode([75]), then: .retry(afterSeconds: 5)), FailureRule(.exitCode([3]), then: .skip),
          ]
        }
      })
    _ = bed.trigger()
    bed.finish("a", .failed(reason: "busy", exitCode: 75))
    bed.wait(4)
    #expect(bed.state("a") == .upForRetry)
    bed.wait(1)
    #expect(bed.state("a") == .running)
    bed.finish("a", .failed(reason: "other", exitCode: 1))
    bed.wait(299)
    #expect(bed.state("a") == .upForRetry)
    bed.wait(1)
    bed.finish("a", .failed(reason: "busy", exitCode: 75))
    #expect(bed.transcript.contains("a running -> failed try 3"), "\(bed.transcript)")
  }

  @Test func `a task that its rules skip is skipped, and so is what comes after it`() {
    var bed = TestBed(
      dag("a", "b") {
        $0.task("a") {
          $0.retries = 2
          $0.failureRules = [FailureRule(.exitCode([3]), then: .skip)]
        }
        $0.task("b") { $0.upstream = ["a"] }
      })
    _ = bed.trigger()
    bed.finish("a", .failed(reason: "nothing new", exitCode: 3))
    #expect(bed.transcript.contains("a running -> skipped try 1"), "\(bed.transcript)")
    #expect(bed.transcript.contains("b none -> skipped try 0"), "\(bed.transcript)")
  }

  private func words(_ ending: TryEnding) -> String {
    "\(ending.state.rawValue) \(ending.reason ?? "-") \(ending.isRetryable ? "yes" : "no")"
  }
}
