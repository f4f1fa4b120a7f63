/// A task that says whether the run continues below it. When its closure answers false, the tasks below are skipped.
///
///     ShortCircuitOperator("has_rows", count.output) { context, rows in rows > 0 } --> publish
public struct ShortCircuitOperator: DAGTask {
  public let task: TaskReference

  private init(
    _ id: String, _ inputs: [TaskReference], _ ignoresTriggerRules: Bool, _ options: CommonOptions,
    _ location: SourceLocation, _ body: @escaping @Sendable (TaskContext, inout InputReader) async throws -> Bool
  ) {
    task = Registry.addTask(id, .swift, options, location)
    task.update { $0.decision = .shortCircuit(ignoresTriggerRules: ignoresTriggerRules) }
    for input in inputs { task.addInput(input) }
    task.setBody { context, inputs in try ValueCoding.encode(try await body(context, &inputs)) }
  }

  /// - Parameters:
  ///   - ignoringDownstreamTriggerRules: all tasks below are skipped, whatever their rules say, but for teardowns. If
  ///     false, only those right below are, and the rules decide about the others.
  @discardableResult
  public init(
    _ id: String, ignoringDownstreamTriggerRules: Bool = true, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext) async throws -> Bool
  ) {
    self.init(
      id, [], ignoringDownstreamTriggerRules, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, _ in try await body(context) }
  }

  /// - Parameters:
  ///   - first: the output of another task, which comes before this one; its value is the closure's second argument.
  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, ignoringDownstreamTriggerRules: Bool = true, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First) async throws -> Bool
  ) {
    self.init(
      id, [first.task], ignoringDownstreamTriggerRules,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line)
    ) { context, inputs in try await body(context, try inputs.next(First.self)) }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, ignoringDownstreamTriggerRules: Bool = true,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Bool
  ) {
    self.init(
      id, [first.task, second.task], ignoringDownstreamTriggerRules,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line)
    ) { context, inputs in try await body(context, try inputs.next(First.self), try inputs.next(Second.self)) }
  }
}

/// Lets the tasks right below it run only in the run of the newest date that is due: a run that comes late, as by
/// catchup or a backfill, skips them. Manual runs never do. Runs no process.
public struct LatestOnlyOperator: DAGTask {
  public let task: TaskReference

  @discardableResult
  public init(_ id: String, triggerRule: TriggerRule? = nil, file: String = #filePath, line: Int = #line) {
    task = Registry.addTask(
      id, .empty, CommonOptions(triggerRule: triggerRule), SourceLocation(file: file, line: line))
    task.update { $0.decision = .latestOnly }
  }
}
