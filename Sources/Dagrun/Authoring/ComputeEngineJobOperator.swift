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

/// How a job on a VM went.
public struct JobResult: Codable, Hashable, Sendable {
  /// Seconds from the container's start to its end.
  public var durationSeconds: Double
  /// Where the job ran at last, such as `europe-west1-b`.
  public var zone: String
  public var machineType: String

  public init(durationSeconds: Double, zone: String, machineType: String) {
    self.durationSeconds = durationSeconds
    self.zone = zone
    self.machineType = machineType
  }

  /// From the container's start to its end.
  public var duration: Duration { .seconds(durationSeconds) }
}
