import Foundation
import Testing

/// What follows a failure, by what went wrong.
@Suite(.blocking) struct RetryRuleTests {
  private static let dag = """
    import Dagrun
    import Foundation

    struct NetworkDown: Error { var host: String }

    DAG("rules", defaults: .init(retries: 1, retryDelay: .hours(1), retryOn: [.exitCode(75, then: .retryNow)])) {
      BashOperator("busy", "[ $DAGRUN_TRY_NUMBER = 2 ] || exit 75")
      BashOperator("wrong", "exit 3").retry(on: .exitCode(3, then: .fail))
      BashOperator("old", "exit 4").retry(on: .exitCode(3...5, then: .skip))
      BashOperator("long", "sleep 600", executionTimeout: .milliseconds(300)).retry(on: .timeout(then: .skip))
      SwiftOperator("killed") { _ in kill(getpid(), SIGKILL) }.retry(on: .signal(9, then: .skip))
      SwiftOperator("down") { context in
        if context.tryNumber == 1 { throw NetworkDown(host: "a") }
      }.retry(on: .error(NetworkDown.self, then: .fail) { $0.host == "b" }, .error(NetworkDown.self, then: .retryNow))
    }
    """

  @Test func `each kind of failure has its own end`() throws {
    let project = try Project(["rules": Self.dag])
    let run = try project.run("trigger", "rules", "-r", "r")
    #expect(run.code == 1, "\(run.errors)")
    let states = try project.taskStates("rules", "r").map { "\($0.taskID) \($0.state ?? "none") \($0.tryNumber)" }
    #expect(
      states.sorted() == [
        "busy success 2", "down success 2", "killed skipped 1", "long skipped 1", "old skipped 1", "wrong failed 1",
      ])
    let explained = try project.run("explain", "rules", "r", "wrong").output
    #expect(explained.contains("which its rules do not retry"), "\(explained)")
    #expect(try project.run("explain", "rules", "r", "old").output.contains("which its rules skip"))
  }

  @Test func `what another scheduler asks of one task is decided by its rules, too`() throws {
    let project = try Project(["rules": Self.dag])
    let skipped = try project.run("tasks", "run", "rules", "old", "-o", "json")
    #expect(skipped.code == 0, "\(skipped.errors)")
    #expect(skipped.output.contains(#""state": "skipped""#) || skipped.output.contains(#""state":"skipped""#))
    let failed = try project.run("tasks", "run", "rules", "wrong", "-o", "json")
    #expect(failed.code == 1)
    #expect(failed.output.contains(#""retry": false"#) || failed.output.contains(#""retry":false"#), "\(failed.output)")
  }
}
