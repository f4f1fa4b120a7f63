/// A task that runs a container on a Google Compute Engine VM which exists only for it.
public struct ComputeEngineJobOperator: DAGTask {
  public let task: TaskReference

  /// - Parameters:
  ///   - command: the arguments of the container; not read by a shell, so values are not quoted.
  ///   - outputs: directory in the container -> bucket and path to which it is copied at the end.
  @discardableResult
  public init(
    _ id: String, job: JobConfig, command: [Template] = [], outputs: [String: Template] = [:], retries: Int? = nil,
    retryDelay: Duration? = nil, executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil,
    pool: String? = nil, file: String = #filePath, line: Int = #line
  ) {
    task = Registry.addTask(
      id, .computeEngineJob(.init(job: job, command: command, outputs: outputs)),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: file, line: line))
  }

  /// How the job went.
  public var output: Output<JobResult> { Output(of: task) }
}
