// The initialisers of a Swift task: with a value to hand on and without, by the number of inputs. Up to three inputs
// are spelt out, because the compiler's words for a closure that does not fit them are good then, and hard to read, or
// none at all, for a parameter pack.

extension SwiftOperator where Value: Codable {
  @discardableResult
  public init(
    _ id: String, retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.setBody { context, _ in
      try ValueCoding.encode(try await body(context))
    }
  }

  /// - Parameters:
  ///   - first: the output of another task, which comes before this one; its value is the closure's second argument.
  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.addInput(first.task)
    task.setBody { context, inputs in
      try ValueCoding.encode(try await body(context, try inputs.next(First.self)))
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try ValueCoding.encode(try await body(context, try inputs.next(First.self), try inputs.next(Second.self)))
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task, third.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(context, try inputs.next(First.self), try inputs.next(Second.self), try inputs.next(Third.self)))
    }
  }

  @discardableResult
  public init<
    First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable, Fourth: Codable & Sendable,
    each Input: Codable & Sendable
  >(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, _ fourth: Output<Fourth>,
    _ others: repeat Output<each Input>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third, Fourth, repeat each Input) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task, third.task, fourth.task] { task.addInput(input) }
    repeat task.addInput((each others).task)
    task.setBody { context, inputs in
      try ValueCoding.encode(
        try await body(
          context, try inputs.next(First.self), try inputs.next(Second.self), try inputs.next(Third.self),
          try inputs.next(Fourth.self), repeat try inputs.next((each Input).self)))
    }
  }
}

extension SwiftOperator where Value == Void {
  @discardableResult
  public init(
    _ id: String, retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.setBody { context, _ in
      try await body(context)
      return nil
    }
  }

  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    task.addInput(first.task)
    task.setBody { context, inputs in
      try await body(context, try inputs.next(First.self))
      return nil
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try await body(context, try inputs.next(First.self), try inputs.next(Second.self))
      return nil
    }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task, third.task] { task.addInput(input) }
    task.setBody { context, inputs in
      try await body(context, try inputs.next(First.self), try inputs.next(Second.self), try inputs.next(Third.self))
      return nil
    }
  }

  @discardableResult
  public init<
    First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable, Fourth: Codable & Sendable,
    each Input: Codable & Sendable
  >(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, _ fourth: Output<Fourth>,
    _ others: repeat Output<each Input>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third, Fourth, repeat each Input) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    for input in [first.task, second.task, third.task, fourth.task] { task.addInput(input) }
    repeat task.addInput((each others).task)
    task.setBody { context, inputs in
      try await body(
        context, try inputs.next(First.self), try inputs.next(Second.self), try inputs.next(Third.self),
        try inputs.next(Fourth.self), repeat try inputs.next((each Input).self))
      return nil
    }
  }
}

// Chosen when the value can neither be handed on nor is nothing: without these, the compiler would drop the value.

extension SwiftOperator {
  @discardableResult
  public init(
    _ id: String, retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext) async throws -> Value
  ) {
    self.init(uncodable: id, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First) async throws -> Value
  ) {
    self.init(uncodable: id, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Value
  ) {
    self.init(uncodable: id, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third) async throws -> Value
  ) {
    self.init(uncodable: id, SourceLocation(file: file, line: line))
  }

  @discardableResult
  public init<
    First: Codable & Sendable, Second: Codable & Sendable, Third: Codable & Sendable, Fourth: Codable & Sendable,
    each Input: Codable & Sendable
  >(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, _ third: Output<Third>, _ fourth: Output<Fourth>,
    _ others: repeat Output<each Input>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second, Third, Fourth, repeat each Input) async throws -> Value
  ) {
    self.init(uncodable: id, SourceLocation(file: file, line: line))
  }
}
