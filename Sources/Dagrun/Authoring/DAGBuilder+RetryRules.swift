extension DAGBuilder {
  func addRetryRules(_ rules: [RetryRule], to task: TaskReference) {
    check(rules, of: "task \"\(task.id)\"")
    if bodies[task.id] == nil, let rule = rules.first(where: { $0.matches != nil }) {
      problem(
        "task \"\(task.id)\": a rule for an error is for tasks that run a Swift closure; for scripts and jobs there are "
          + ".exitCode and .signal", at: rule.location)
    }
    if description.tasks[task.index].work == .empty, let rule = rules.first {
      problem("task \"\(task.id)\": an EmptyOperator never fails, and has no use for rules", at: rule.location)
    }
    retryRules[task.index, default: []].insert(contentsOf: rules, at: 0)
  }

  func check(_ rules: [RetryRule], of owner: String) {
    for (index, rule) in rules.enumerated() {
      for message in rule.problems(after: rules[..<index]) { problem("\(owner): \(message)", at: rule.location) }
    }
  }

  /// The rules go into the description, and the closures of tasks say by which of them they have failed.
  func describeRetryRules() {
    for (index, rules) in retryRules {
      description.tasks[index].failureRules = rules.map(\.rule)
      guard rules.contains(where: { $0.matches != nil }) else { continue }
      wrapBody(of: description.tasks[index].id) { body in
        { context, inputs in
          do {
            return try await body(context, inputs)
          } catch {
            guard !(error is TaskSkip), let rule = rules.firstIndex(where: { $0.matches?(error) == true }),
              case .error(let typeName) = rules[rule].rule.cause
            else { throw error }
            throw MatchedError(error: error, rule: rule, typeName: typeName)
          }
        }
      }
    }
  }
}

/// What a closure has thrown, and the rule of its task that is for it.
package struct MatchedError: Error {
  package var error: any Error
  /// In the description's `failureRules`.
  package var rule: Int
  package var typeName: String
}

extension RetryRule {
  fileprivate func problems(after others: ArraySlice<RetryRule>) -> [String] {
    var problems: [String] = []
    switch rule.cause {
    case .exitCode(let codes):
      if codes.isEmpty { problems.append("a rule for exit codes names no code") }
      if let code = codes.first(where: { !(1...255).contains($0) }) {
        problems.append("a process that fails has an exit code from 1 to 255, not \(code)")
      }
      if let code = codes.first(where: { code in others.contains { $0.names(exitCode: code) } }) {
        problems.append("exit code \(code) has two rules; the first decides")
      }
    case .signal(let numbers):
      if numbers.isEmpty { problems.append("a rule for signals names no signal") }
      if let number = numbers.first(where: { !(1...64).contains($0) }) {
        problems.append("a signal is a number from 1 to 64, not \(number)")
      }
      if let number = numbers.first(where: { number in others.contains { $0.names(signal: number) } }) {
        problems.append("signal \(number) has two rules; the first decides")
      }
    case .timeout, .machineLost:
      if others.contains(where: { $0.rule.cause == rule.cause }) {
        problems.append("\(rule.cause) has two rules; the first decides")
      }
    case .error: break
    }
    if case .retry(let seconds?) = rule.action,
      let problem = NumberBound.retryDelay.at("retry(after:)").problem(seconds)
    {
      problems.append(problem)
    }
    return problems
  }

  private func names(exitCode code: Int) -> Bool {
    if case .exitCode(let codes) = rule.cause { codes.contains(code) } else { false }
  }

  private func names(signal number: Int) -> Bool {
    if case .signal(let numbers) = rule.cause { numbers.contains(number) } else { false }
  }
}
