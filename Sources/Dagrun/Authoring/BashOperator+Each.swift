// The initialisers of a mapped shell task.

extension BashOperator where Value == [String] {
  /// One instance of the task for each element of a list, and for an empty list none: the task is skipped then.
  ///
  ///     BashOperator("load", each: files.output) { path in "load.sh \(path) --day \(.ds)" }
  ///
  /// - Parameters:
  ///   - list: the output of a task that comes before this one, or an array.
  ///   - limit: how many instances may run at once in one run; nil: as many as other limits allow.
  ///   - script: called in a worker for each instance.
  @discardableResult
  public init<List: MappableList>(
    _ id: String, each list: List, limit: Int? = nil, environment: [String: Template] = [:],
    workingDirectory: Template? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (List.MappedElement) throws -> Template
  ) where List.MappedElement: Sendable {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.setScript { inputs in
      try script(try inputs.next(List.MappedElement.self))
    }
  }

  /// - Parameters:
  ///   - second: the output of another task, which comes before this one. Each instance gets the whole of it.
  @discardableResult
  public init<List: MappableList, Second: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, limit: Int? = nil, environment: [String: Template] = [:],
    workingDirectory: Template? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (List.MappedElement, Second) throws -> Template
  ) where List.MappedElement: Sendable {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.addInput(second.task)
    task.setScript { inputs in
      try script(try inputs.next(List.MappedElement.self), try inputs.next(Second.self))
    }
  }

  /// One instance of the task for each pair of an element of a list and an element of another: all of the second for
  /// the first's first, and so on.
  @discardableResult
  public init<List: MappableList, Other: MappableList>(
    _ id: String, each list: List, by other: Other, limit: Int? = nil, environment: [String: Template] = [:],
    workingDirectory: Template? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    script: @escaping @Sendable (List.MappedElement, Other.MappedElement) throws -> Template
  ) where List.MappedElement: Sendable, Other.MappedElement: Sendable {
    self.init(
      id, .madeScript, environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList, other.mappedList], limit: limit)
    task.setScript { inputs in
      try script(try inputs.next(List.MappedElement.self), try inputs.next(Other.MappedElement.self))
    }
  }
}
