// The initialisers of a shell task whose script is made of values. As many inputs as in SwiftOperator+Inputs.swift are
// spelt out, for the same reason.

extension BashOperator where Value == String {
  /// A script made of the outputs of other tasks, when they are there.
  ///
  ///     BashOperator("load", fetch.output) { path in "load.sh \(path) --day \(.ds)" }
  ///
  /// - Parameters:
  ///   - first: the output of another task, which comes before this one; its value is the closure's first argument.
  ///   - script: called in a worker when the task runs. Values are quoted as in any script.
  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, environment: [String: Template] = [:], workingDirectory: Template? = nil,
    retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (First) throws -> Template
  ) {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    task.addInput(first.task)
    task.setScript { inputs in
      try script(try inputs.next(First.self))
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, environment: [String: Template] = [:],
    workingDirectory: Template? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (First, Second) throws -> Template
  ) {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    for input in [first.task, second.task] { task.addInput(input) }
    task.setScript { inputs in
      try script(try inputs.next(First.self), try inputs.next(Second.self))
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>,
    environment: [String: Template] = [:], workingDirectory: Template? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (First, Second, Third) throws -> Template
  ) {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    for input in [first.task, second.task, third.task] { task.addInput(input) }
    task.setScript { inputs in
      try script(try inputs.next(First.self), try inputs.next(Second.self), try inputs.next(Third.self))
    }
  }
}
