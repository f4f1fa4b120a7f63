// Of two lists, each element of the first with each of the second.

extension SwiftOperator {
  /// One instance of the task for each pair of an element of a list and an element of another: all of the second for
  /// the first's first, and so on.
  ///
  ///     SwiftOperator("train", each: models.output, by: ["eu", "us"]) { context, model, region in … }
  @discardableResult
  public init<List: MappableList, Other: MappableList, Result: Codable & Sendable>(
    _ id: String, each list: List, by other: Other, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Other.MappedElement) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable, Other.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList, other.mappedList], limit: limit)
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(context, try inputs.next(List.MappedElement.self), try inputs.next(Other.MappedElement.self)))
    }
  }

  @discardableResult
  public init<List: MappableList, Other: MappableList>(
    _ id: String, each list: List, by other: Other, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Other.MappedElement) async throws -> Void
  ) where Value == [Void], List.MappedElement: Sendable, Other.MappedElement: Sendable {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.map(over: [list.mappedList, other.mappedList], limit: limit)
    task.setBody { context, inputs in
      try await body(context, try inputs.next(List.MappedElement.self), try inputs.next(Other.MappedElement.self))
      return nil
    }
  }

  // Chosen when the value can neither be handed on nor is nothing.
  @discardableResult
  public init<List: MappableList, Other: MappableList, Result: Sendable>(
    _ id: String, each list: List, by other: Other, limit: Int? = nil, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, List.MappedElement, Other.MappedElement) async throws -> Result
  ) where Value == [Result], List.MappedElement: Sendable, Other.MappedElement: Sendable {
    self.init(uncodable: id, each: Result.self, SourceLocation(file: file, line: line))
  }
}
