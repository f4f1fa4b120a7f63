/// A task that runs a Swift closure. Its value goes to tasks that take its `output`:
///
///     let count = SwiftOperator("count_rows") { context in try rows(in: "out/\(context.ds).csv") }
///     SwiftOperator("report", count.output) { context, rows in context.log.info("\(rows) rows") }
///
/// The closure runs later, in a worker process: it can use the file's constants and functions, but not the DAG's tasks,
/// and nothing that changes. Throw `TaskSkip` to end as skipped, `TaskFailure` to fail without another try.
public struct SwiftOperator<Value: Sendable>: DAGTask {
  public let task: TaskReference
}

extension SwiftOperator where Value: Codable {
  /// - Parameters:
  ///   - inputs: outputs of other tasks, which come before this one; their values are the closure's further arguments.
  @discardableResult
  public init<each Input: Codable & Sendable>(
    _ id: String, _ inputs: repeat Output<each Input>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext, repeat each Input) async throws -> Value
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    repeat task.addInput((each inputs).task)
    let names = task.builder.description.tasks[task.index].inputs
    task.setBody { context, data in
      var reader = InputReader(data, from: names)
      let value = try await body(context, repeat try reader.next((each Input).self))
      return try ValueCoding.encode(value)
    }
  }

  /// What the closure will have returned.
  public var output: Output<Value> { Output(of: task) }
}

extension SwiftOperator where Value == Void {
  @discardableResult
  public init<each Input: Codable & Sendable>(
    _ id: String, _ inputs: repeat Output<each Input>, retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath,
    line: Int = #line, body: @escaping @Sendable (TaskContext, repeat each Input) async throws -> Void
  ) {
    task = Registry.addTask(
      id, .swift, CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    repeat task.addInput((each inputs).task)
    let names = task.builder.description.tasks[task.index].inputs
    task.setBody { context, data in
      var reader = InputReader(data, from: names)
      try await body(context, repeat try reader.next((each Input).self))
      return nil
    }
  }
}
