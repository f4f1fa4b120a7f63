/// A number of a description, with what it may be: for what treats all of them alike.
package struct DescribedNumber<Root>: Sendable {
  package let bound: NumberBound
  /// Writes a value; a whole number takes the nearest one that there is.
  package let set: @Sendable (inout Root, Double) -> Void
  package let clamp: @Sendable (inout Root) -> Void

  fileprivate init(_ bound: NumberBound, _ path: any WritableKeyPath<Root, Int> & Sendable) {
    self.bound = bound
    set = { $0[keyPath: path] = Int(saturating: $1) }
    clamp = { $0[keyPath: path] = bound.clamp($0[keyPath: path]) }
  }

  fileprivate init(_ bound: NumberBound, _ path: any WritableKeyPath<Root, Int?> & Sendable) {
    self.bound = bound
    set = { $0[keyPath: path] = Int(saturating: $1) }
    clamp = { $0[keyPath: path] = $0[keyPath: path].map(bound.clamp) }
  }

  fileprivate init(_ bound: NumberBound, _ path: any WritableKeyPath<Root, Double> & Sendable) {
    self.bound = bound
    set = { $0[keyPath: path] = $1 }
    clamp = { $0[keyPath: path] = bound.clamp($0[keyPath: path]) }
  }

  fileprivate init(_ bound: NumberBound, _ path: any WritableKeyPath<Root, Double?> & Sendable) {
    self.bound = bound
    set = { $0[keyPath: path] = $1 }
    clamp = { $0[keyPath: path] = $0[keyPath: path].map(bound.clamp) }
  }
}

extension DAGDescription {
  package static let numbers: [DescribedNumber<DAGDescription>] = [
    .init(.maxActiveRuns, \.maxActiveRuns), .init(.maxActiveTasks, \.maxActiveTasks),
    .init(.dagrunTimeout, \.dagrunTimeoutSeconds),
  ]
}

extension TaskDescription {
  package static let numbers: [DescribedNumber<TaskDescription>] = [
    .init(.retries, \.retries), .init(.retryDelay, \.retryDelaySeconds),
    .init(.retryBackoff, \.retryBackoffMultiplier), .init(.maxRetryDelay, \.maxRetryDelaySeconds),
    .init(.executionTimeout, \.executionTimeoutSeconds), .init(.poolSlots, \.poolSlots),
    .init(.priority, \.priorityWeight), .init(.maxActivePerDAG, \.maxActivePerDAG),
    .init(.maxActivePerRun, \.maxActivePerRun),
  ]
}

extension JobConfig {
  package static let numbers: [DescribedNumber<JobConfig>] = [
    .init(.diskSize, \.diskSizeGB), .init(.maxRunDuration, \.maxRunDurationSeconds),
    .init(.maxAttempts, \.maxAttempts),
  ]
}

extension DAGDescription {
  /// What was refused is not handed on: JSON has neither NaN nor infinity, and the problem says what was written.
  mutating func clampNumbers() {
    for number in Self.numbers { number.clamp(&self) }
    for index in tasks.indices {
      for number in TaskDescription.numbers { number.clamp(&tasks[index]) }
      for rule in tasks[index].failureRules.indices { tasks[index].failureRules[rule].clampNumbers() }
      guard case .computeEngineJob(var job) = tasks[index].work else { continue }
      for number in JobConfig.numbers { number.clamp(&job.job) }
      for spec in job.specs.indices {
        job.specs[spec].timeoutSeconds = job.specs[spec].timeoutSeconds.map(NumberBound.jobTimeout.clamp)
      }
      tasks[index].work = .computeEngineJob(job)
    }
    for index in parameters.indices { parameters[index].clampNumbers() }
  }
}

extension FailureRule {
  fileprivate mutating func clampNumbers() {
    if case .retry(let seconds?) = action { action = .retry(afterSeconds: NumberBound.retryDelay.clamp(seconds)) }
  }
}

extension ParameterDescription {
  fileprivate mutating func clampNumbers() {
    minimum = minimum.flatMap { $0.isFinite ? $0 : nil }
    maximum = maximum.flatMap { $0.isFinite ? $0 : nil }
    if let value = defaultValue, !value.isFinite { defaultValue = .null }
  }
}

extension JSONValue {
  /// JSON has no other numbers.
  package var isFinite: Bool {
    switch self {
    case .double(let number): number.isFinite
    case .array(let values): values.allSatisfy(\.isFinite)
    case .object(let object): object.values.allSatisfy(\.isFinite)
    case .null, .bool, .int, .string: true
    }
  }
}
