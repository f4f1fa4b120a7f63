/// A task that runs a script with bash.
///
///     let pack = BashOperator("pack", "tar -czf out/\(.ds).tar.gz data && stat -c %s out/\(.ds).tar.gz")
///     SwiftOperator("check", pack.output(as: Int.self)) { context, size in … }
///
/// Values put into the script are quoted for the place they stand at; `\(raw: …)` puts them in as they are. The task
/// fails when bash exits with another status than 0; 99 means skipped, as in Airflow.
///
/// `Value` is that of its output: a text, and of a mapped task a list of texts.
public struct BashOperator<Value>: DAGTask {
  public let task: TaskReference

  init(
    _ id: String, _ work: TaskDescription.Work, environment: [String: Template], workingDirectory: Template?,
    _ options: CommonOptions, _ location: SourceLocation
  ) {
    task = Registry.addTask(id, work, options, location)
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
}

extension BashOperator where Value == String {
  /// What is not given is as the DAG's `defaults` say. Everything else that a task can have is set by the functions of
  /// `DAGTask`.
  @discardableResult
  public init(
    _ id: String, _ script: Template, environment: [String: Template] = [:], workingDirectory: Template? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, file: String = #filePath, line: Int = #line
  ) {
    self.init(
      id, .bash(script: script), environment: environment, workingDirectory: workingDirectory,
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
  }

  /// What the script wrote to the file `$DAGRUN_OUTPUT`, or else the last line of its standard output.
  public var output: Output<String> { Output(of: task) }

  /// `output` read as JSON of this type: a number, `true`, or an object for a Decodable struct.
  public func output<Result: Decodable>(as type: Result.Type) -> Output<Result> { Output(of: task) }
}

extension BashOperator where Value == [String] {
  /// What the instances' scripts wrote, in the order of the elements, without those that were skipped or failed.
  public var output: Output<[String]> { Output(of: task) }

  /// `output`, each text of it read as JSON of this type: `output(as: [Int].self)`.
  public func output<Element: Decodable>(as type: [Element].Type) -> Output<[Element]> { Output(of: task) }

  @available(*, unavailable, message: "the task is mapped, so that its output is a list: output(as: [Int].self)")
  public func output<Result: Decodable>(as type: Result.Type) -> Output<Result> { fatalError("unavailable") }
}
