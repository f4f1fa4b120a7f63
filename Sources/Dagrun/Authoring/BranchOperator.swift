/// A task that chooses which of the tasks right below it run; the others are skipped.
///
///     let choose = BranchOperator("choose", count.output, to: Load.self) { context, rows in rows > 1_000 ? .full : .delta }
///     choose.when(.full) --> BashOperator("full", "load.sh --all")
///     choose.when(.delta) --> BashOperator("delta", "load.sh")
///
/// Each case leads somewhere, or says that it does not: `choose.when(.delta) --> .nothing`. Several cases may lead to one
/// task. A task that comes after a chosen one is not skipped for being right below the branch as well. The choice stays
/// with the run: a task below that is cleared is skipped again.
public struct BranchOperator<Case>: DAGTask
where Case: RawRepresentable, Case.RawValue == String, Case: CaseIterable & Sendable {
  public let task: TaskReference

  /// Where an arrow starts that is followed when `way` is chosen.
  public func when(_ way: Case) -> BranchPath { BranchPath(task: task, way: way.rawValue) }
}

/// One way out of a branch, for arrows.
public struct BranchPath: Chainable {
  let task: TaskReference
  let way: String

  public var firstTasks: [TaskReference] { [task] }
  public var lastTasks: [TaskReference] { [task.along(way)] }
}

/// Where a case of a branch leads that leads to no task.
public struct NoTask: Sendable {
  public static var nothing: NoTask { NoTask() }
}

/// When nothing but the case is chosen, all tasks right below the branch are skipped.
public func --> (path: BranchPath, nothing: NoTask) { path.task.builder.endBranch(path) }

public func --> (paths: [BranchPath], nothing: NoTask) {
  for path in paths { path.task.builder.endBranch(path) }
}

extension BranchOperator {
  private init(
    _ id: String, _ inputs: [TaskReference], _ options: CommonOptions, _ location: SourceLocation,
    _ body: @escaping @Sendable (TaskContext, inout InputReader) async throws -> [Case]
  ) {
    task = Registry.addTask(id, .swift, options, location)
    task.builder.addBranch(task, names: Dictionary(Case.allCases.map { ($0.rawValue, ".\($0)") }) { first, _ in first })
    for input in inputs { task.addInput(input) }
    task.setBody { context, inputs in
      try ValueCoding.encode(try await body(context, &inputs).map(\.rawValue))
    }
  }

  /// - Parameters:
  ///   - cases: the type whose cases are the ways.
  @discardableResult
  public init(
    _ id: String, to cases: Case.Type, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext) async throws -> Case
  ) {
    self.init(
      id, [], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, _ in [try await body(context)] }
  }

  /// - Parameters:
  ///   - first: the output of another task, which comes before this one; its value is the closure's second argument.
  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, to cases: Case.Type, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext, First) async throws -> Case
  ) {
    self.init(
      id, [first.task], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, inputs in [try await body(context, try inputs.next(First.self))] }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, to cases: Case.Type, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Case
  ) {
    self.init(
      id, [first.task, second.task], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, inputs in [try await body(context, try inputs.next(First.self), try inputs.next(Second.self))] }
  }

  /// Chooses several ways at once, or no way at all.
  @discardableResult
  public init(
    _ id: String, toAnyOf cases: Case.Type, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext) async throws -> Set<Case>
  ) where Case: Hashable {
    self.init(
      id, [], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, _ in Self.inOrder(try await body(context)) }
  }

  @discardableResult
  public init<First: Codable & Sendable>(
    _ id: String, _ first: Output<First>, toAnyOf cases: Case.Type, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext, First) async throws -> Set<Case>
  ) where Case: Hashable {
    self.init(
      id, [first.task], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, inputs in Self.inOrder(try await body(context, try inputs.next(First.self))) }
  }

  @discardableResult
  public init<First: Codable & Sendable, Second: Codable & Sendable>(
    _ id: String, _ first: Output<First>, _ second: Output<Second>, toAnyOf cases: Case.Type, retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line,
    body: @escaping @Sendable (TaskContext, First, Second) async throws -> Set<Case>
  ) where Case: Hashable {
    self.init(
      id, [first.task, second.task], CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line)
    ) { context, inputs in
      Self.inOrder(try await body(context, try inputs.next(First.self), try inputs.next(Second.self)))
    }
  }

  private static func inOrder(_ chosen: Set<Case>) -> [Case] where Case: Hashable {
    Case.allCases.filter(chosen.contains)
  }
}
