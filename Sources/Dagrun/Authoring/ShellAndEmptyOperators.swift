/// A task that runs a script with bash.
///
///     let pack = BashOperator("pack", "tar -czf out/\(.ds).tar.gz data && stat -c %s out/\(.ds).tar.gz")
///     SwiftOperator("check", pack.output(as: Int.self)) { context, size in … }
///
/// Values put into the script are quoted for the place they stand at; `\(raw: …)` puts them in as they are. The task
/// fails when bash exits with another status than 0; 99 means skipped, as in Airflow.
public struct BashOperator: DAGTask {
  public let task: TaskReference

  /// What is not given is as the DAG's `defaults` say. Everything else that a task can have is set by the functions of
  /// `DAGTask`.
  @discardableResult
  public init(
    _ id: String, _ script: Template, environment: [String: Template] = [:], workingDirectory: Template? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line
  ) {
    task = Registry.addTask(
      id, .bash(script: script), CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: file, line: line))
    let defaults = task.builder.defaults
    let environment = defaults.environment.merging(environment) { $1 }
    let workingDirectory = workingDirectory ?? defaults.workingDirectory
    task.update {
      $0.environment = environment
      $0.workingDirectory = workingDirectory
    }
    for (_, template) in environment.sorted(by: { $0.key < $1.key }) {
      task.builder.addUpstream(of: template, to: task)
    }
    if let workingDirectory { task.builder.addUpstream(of: workingDirectory, to: task) }
  }

  /// What the script wrote to the file `$DAGRUN_OUTPUT`, or else the last line of its standard output.
  public var output: Output<String> { Output(of: task) }

  /// `output` read as JSON of this type: a number, `true`, or an object for a Decodable struct.
  public func output<Value: Decodable>(as type: Value.Type) -> Output<Value> { Output(of: task) }
}

/// A task with nothing to run: a place where arrows meet.
public struct EmptyOperator: DAGTask {
  public let task: TaskReference

  @discardableResult
  public init(_ id: String, triggerRule: TriggerRule? = nil, file: String = #filePath, line: Int = #line) {
    task = Registry.addTask(
      id, .empty, CommonOptions(triggerRule: triggerRule), SourceLocation(file: file, line: line))
  }
}
