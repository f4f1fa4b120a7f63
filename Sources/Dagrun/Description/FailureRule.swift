/// What follows when a try of a task has failed in a certain way.
package struct FailureRule: Codable, Hashable, Sendable {
  package var cause: Cause
  package var action: Action

  package init(_ cause: Cause, then action: Action) {
    self.cause = cause
    self.action = action
  }

  package enum Cause: Codable, Hashable, Sendable {
    case exitCode([Int])
    case signal([Int])
    /// It was stopped for its execution timeout, or its job for its own.
    case timeout
    /// Its machine, VM or worker went away under it.
    case machineLost
    /// The closure of a Swift task has thrown an error that the rule asks for: the worker says which rule that is.
    case error(typeName: String)
  }

  package enum Action: Codable, Hashable, Sendable {
    /// As the task is usually retried, or after a wait of its own, in seconds.
    case retry(afterSeconds: Double?)
    case fail
    case skip
  }
}

extension FailureRule: CustomStringConvertible {
  /// `exit code 3: fail`.
  package var description: String { "\(cause): \(action)" }
}

extension FailureRule.Cause: CustomStringConvertible {
  package var description: String {
    switch self {
    case .exitCode(let codes): "exit code \(Self.list(codes))"
    case .signal(let numbers): "signal \(Self.list(numbers))"
    case .timeout: "timeout"
    case .machineLost: "lost machine"
    case .error(let typeName): "error \(typeName)"
    }
  }

  private static func list(_ numbers: [Int]) -> String {
    numbers.prefix(10).map(String.init).joined(separator: ", ") + (numbers.count > 10 ? ", …" : "")
  }
}

extension FailureRule.Action: CustomStringConvertible {
  package var description: String {
    switch self {
    case .retry(nil): "retry"
    case .retry(let seconds?): "retry after \(JSONValue.double(seconds).jsonText) s"
    case .fail: "fail"
    case .skip: "skip"
    }
  }
}
