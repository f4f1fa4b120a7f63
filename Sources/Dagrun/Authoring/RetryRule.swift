/// What follows when a try has failed in a certain way:
///
///     BashOperator("load", "load.sh", retries: 5)
///         .retry(on: .exitCode(3, then: .fail), .exitCode(75, then: .retry(after: .seconds(5))))
///
/// The first rule that fits decides. Where no rule does, the task is retried as usual.
public struct RetryRule: Sendable {
  package let rule: FailureRule
  /// Of an `.error`.
  let matches: (@Sendable (any Error) -> Bool)?
  let location: SourceLocation

  private init(
    _ cause: FailureRule.Cause, _ action: RetryAction, _ file: String, _ line: Int,
    matches: (@Sendable (any Error) -> Bool)? = nil
  ) {
    rule = FailureRule(cause, then: action.action)
    self.matches = matches
    location = SourceLocation(file: file, line: line)
  }

  /// A shell task's script, a job's program or a Swift task's process has ended with one of these exit codes.
  public static func exitCode(
    _ codes: Int..., then action: RetryAction, file: String = #filePath, line: Int = #line
  ) -> RetryRule {
    RetryRule(.exitCode(codes), action, file, line)
  }

  /// It has ended with an exit code of this range.
  public static func exitCode(
    _ codes: ClosedRange<Int>, then action: RetryAction, file: String = #filePath, line: Int = #line
  ) -> RetryRule {
    // As many as a process can end with, and one that it cannot, for the message.
    RetryRule(.exitCode(Array(codes.prefix(257))), action, file, line)
  }

  /// A shell or Swift task was ended by one of these signals; not for its timeout.
  public static func signal(
    _ numbers: Int..., then action: RetryAction, file: String = #filePath, line: Int = #line
  ) -> RetryRule {
    RetryRule(.signal(numbers), action, file, line)
  }

  /// The try has taken longer than its execution timeout, or a job longer than its own.
  public static func timeout(
    then action: RetryAction, file: String = #filePath, line: Int = #line
  ) -> RetryRule {
    RetryRule(.timeout, action, file, line)
  }

  /// The machine that the task ran on went down, a job's VM could not be had or went silent, or the worker died.
  public static func machineLost(
    then action: RetryAction, file: String = #filePath, line: Int = #line
  ) -> RetryRule {
    RetryRule(.machineLost, action, file, line)
  }

  /// A Swift task's closure has thrown an error of this type.
  ///
  /// - Parameter condition: of errors of the type, those that it is true for; nil: all.
  public static func error<Failure: Error>(
    _ type: Failure.Type, then action: RetryAction, file: String = #filePath, line: Int = #line,
    where condition: (@Sendable (Failure) -> Bool)? = nil
  ) -> RetryRule {
    // A generic type's name may be of any length.
    RetryRule(.error(typeName: String("\(type)".prefix(200))), action, file, line) { error in
      guard let error = error as? Failure else { return false }
      return condition?(error) ?? true
    }
  }
}

extension RetryRule {
  @available(*, unavailable, message: "name the type of the error, as in .error(NetworkDown.self, then: .fail)")
  public static func error(_ error: any Error, then action: RetryAction) -> RetryRule { fatalError("unavailable") }
}

/// What a `RetryRule` leads to.
public struct RetryAction: Sendable {
  let action: FailureRule.Action

  /// Another try as usual, after the task's retry delay, if it has retries left; also after a failure that is otherwise not
  /// retried.
  public static let retry = RetryAction(action: .retry(afterSeconds: nil))
  /// Another try at once, if it has retries left.
  public static let retryNow = RetryAction(action: .retry(afterSeconds: 0))
  /// Another try after this wait, whatever the task's retry delay, if it has retries left.
  public static func retry(after wait: Duration) -> RetryAction {
    RetryAction(action: .retry(afterSeconds: wait.inSeconds))
  }
  /// The task has failed, whatever retries are left.
  public static let fail = RetryAction(action: .fail)
  /// The task is skipped.
  public static let skip = RetryAction(action: .skip)
}

extension DAGTask {
  /// What follows a failure depends on what went wrong. These rules are asked before those of an earlier call, and before
  /// the DAG's defaults.
  ///
  /// How often the task is retried is a matter of `retries`.
  @discardableResult
  public func retry(on rules: RetryRule...) -> Self {
    task.builder.addRetryRules(rules, to: task)
    return self
  }
}
