// The initialisers of a Swift task that is mapped: with a value to hand on and without, by the number of further
// inputs. What they have in common with those in SwiftOperator+Inputs.swift is said there.

extension SwiftOperator {
  /// One instance of the task for each element of a list, and for an empty list none: the task is skipped then.
  ///
  ///     let rows = SwiftOperator("rows", each: files.output) { context, file in try count(file) }   // output: [Int]
  ///
  /// Its output is the list of what the instances returned, in the order of the elements, without those that were
  /// skipped.
  ///
  /// - Parameters:
  ///   - list: the output of a task that comes before this one, or an array.
  ///   - limit: how many instances may run at once in one run; nil: as many as other limits allow.
  @discardableResult
  public init<List: MappableList, Result: Codable & Sendable>(
    _ id: String, each list: List, limit: Int? = nil, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(context, try inputs.next(List.MappedElement.self)))
    }
  }

  /// - Parameters:
  ///   - second: the output of another task, which comes before this one. Each instance gets the whole of it.
  @discardableResult
  public init<List: MappableList, Result: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.addInput(second.task)
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(context, try inputs.next(List.MappedElement.self), try inputs.next(Second.self)))
    }
  }

  @discardableResult
  public init<List: MappableList, Result: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, _ third: Output<Third>, limit: Int? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second, Third) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    for input in [second.task, third.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(
          context, try inputs.next(List.MappedElement.self), try inputs.next(Second.self), try inputs.next(Third.self)))
    }
  }
}

extension SwiftOperator {
  @discardableResult
  public init<List: MappableList>(
    _ id: String, each list: List, limit: Int? = nil, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement) async throws -> Void
  ) where Value == [Void], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.setBody { context, inputs in
      try await body(context, try inputs.next(List.MappedElement.self))
      return nil
    }
  }

  @discardableResult
  public init<List: MappableList, Second: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second) async throws -> Void
  ) where Value == [Void], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    task.addInput(second.task)
    task.setBody { context, inputs in
      try await body(context, try inputs.next(List.MappedElement.self), try inputs.next(Second.self))
      return nil
    }
  }

  @discardableResult
  public init<List: MappableList, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, _ third: Output<Third>, limit: Int? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second, Third) async throws -> Void
  ) where Value == [Void], List.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList], limit: limit)
    for input in [second.task, third.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try await body(
        context, try inputs.next(List.MappedElement.self), try inputs.next(Second.self), try inputs.next(Third.self))
      return nil
    }
  }
}

// Chosen when the value can neither be handed on nor is nothing.

extension SwiftOperator {
  @discardableResult
  public init<List: MappableList, Result: Sendable>(
    _ id: String, each list: List, limit: Int? = nil, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    self.init(uncodable: id, each: Result.self, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<List: MappableList, Result: Sendable, Second: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    self.init(uncodable: id, each: Result.self, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<List: MappableList, Result: Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, each list: List, _ second: Output<Second>, _ third: Output<Third>, limit: Int? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Second, Third) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable {
    self.init(uncodable: id, each: Result.self, SourceLocation(file: file, line: line))
  }
}
