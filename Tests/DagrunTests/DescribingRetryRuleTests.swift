import Dagrun
import Foundation
import Testing

private struct NetworkDown: Error { var code = 0 }
private class DriverError: Error, @unchecked Sendable {}
private final class DriverBusy: DriverError, @unchecked Sendable {}

extension DescribingTests {
  @Suite(.serialized) struct RetryRuleTests {
    private func rules(_ file: FileDescription, _ task: String) -> [String] {
      file.dags[0].tasks.first { $0.id == task }!.failureRules.map(\.description)
    }

    @Test func `rules are described in their order, a task's before the defaults', and survive JSON`() throws {
      let file = describing {
        DAG(
          "rules",
          defaults: .init(retries: 2, retryOn: [.timeout(then: .fail), .error(NetworkDown.self, then: .retryNow)])
        ) {
          BashOperator("a", "true")
            .retry(on: .exitCode(3, 4, then: .fail), .signal(9, then: .retry(after: .seconds(5))))
            .retry(on: .machineLost(then: .retry))
          let b = SwiftOperator("b") { _ in 1 }
          TaskGroup("g", defaults: .init(retryOn: [.exitCode(10...12, then: .skip)])) { BashOperator("c", "true") }
          // Its script is made by a closure, which may throw.
          BashOperator("d", b.output) { number in "echo \(number)" }.retry(on: .error(NetworkDown.self, then: .fail))
          EmptyOperator("e")
        }
      }
      #expect(file.problems.isEmpty)
      #expect(
        rules(file, "a") == [
          "lost machine: retry", "exit code 3, 4: fail", "signal 9: retry after 5 s", "timeout: fail",
          "error NetworkDown: retry after 0 s",
        ])
      #expect(rules(file, "b") == ["timeout: fail", "error NetworkDown: retry after 0 s"])
      #expect(rules(file, "d").first == "error NetworkDown: fail" && rules(file, "e").isEmpty)
      #expect(rules(file, "g.c") == ["exit code 10, 11, 12: skip"])
      let copy = try JSONDecoder().decode(FileDescription.self, from: JSONEncoder().encode(file))
      #expect(copy == file)
    }

    @Test func `an error is matched by its type, its supertypes and a condition`() async throws {
      let file = describing {
        DAG("errors") {
          SwiftOperator("down") { _ in throw NetworkDown(code: 2) }
            .retry(
              on: .error(DriverError.self, then: .fail),
              .error(NetworkDown.self, then: .skip) { $0.code == 1 }, .error(NetworkDown.self, then: .retryNow))
          SwiftOperator("busy") { _ in throw DriverBusy() }
            .retry(on: .exitCode(1, then: .fail), .error(DriverError.self, then: .retryNow))
          SwiftOperator("other") { _ in throw CancellationError() }.retry(on: .error(NetworkDown.self, then: .fail))
          SwiftOperator("skips") { _ in throw TaskSkip("no data") }.retry(on: .error((any Error).self, then: .fail))
        }
      }
      #expect(file.problems.isEmpty)
      #expect(try await thrown("down").map { ($0 as? MatchedError)?.rule } == 2)
      #expect(try await thrown("busy").map { ($0 as? MatchedError)?.rule } == 1)
      #expect(try await thrown("other") is CancellationError)
      #expect(try await thrown("skips") is TaskSkip)
    }

    private func thrown(_ task: String) async throws -> (any Error)? {
      let body = try #require(Registry.body(dagID: "errors", taskID: task))
      let run = RunContext(dagID: "errors", runID: "r", runAfter: Timestamp(microseconds: 0))
      do {
        _ = try await body(TaskContext(run: run, taskID: task, tryNumber: 1), [])
        return nil
      } catch { return error }
    }

    @Test func `a rule that can never apply, or nobody can follow, is a problem`() {
      let file = describing {
        DAG("wrong", defaults: .init(retryOn: [.exitCode(0, then: .fail)])) {
          BashOperator("a", "true").retry(on: .exitCode(256, then: .fail), .signal(65, then: .fail))
          BashOperator("b", "true").retry(on: .exitCode(3, then: .fail), .exitCode(1...9, then: .skip))
          BashOperator("c", "true").retry(on: .timeout(then: .fail), .timeout(then: .skip))
          BashOperator("d", "true").retry(on: .error(NetworkDown.self, then: .fail))
          BashOperator("e", "true").retry(on: .exitCode(3, then: .retry(after: .seconds(-1))))
          BashOperator("f", "true").retry(on: .exitCode(then: .fail), .signal(then: .fail))
          EmptyOperator("g").retry(on: .timeout(then: .fail))
        }
      }
      #expect(
        file.problems.map(\.message) == [
          "the defaults of DAG \"wrong\": a process that fails has an exit code from 1 to 255, not 0",
          "task \"a\": a process that fails has an exit code from 1 to 255, not 256",
          "task \"a\": a signal is a number from 1 to 64, not 65",
          "task \"b\": exit code 3 has two rules; the first decides",
          "task \"c\": timeout has two rules; the first decides",
          "task \"d\": a rule for an error is for tasks that run a Swift closure; for scripts and jobs there are .exitCode "
            + "and .signal",
          "task \"e\": retry(after:) is -1.0 s; it cannot be negative",
          "task \"f\": a rule for exit codes names no code", "task \"f\": a rule for signals names no signal",
          "task \"g\": an EmptyOperator never fails, and has no use for rules",
        ])
    }
  }
}
