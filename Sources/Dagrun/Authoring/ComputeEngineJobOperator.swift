/// A task that runs a container on a Google Compute Engine VM which exists only for it.
///
///     let train = ComputeEngineJobOperator("train", job: gpu, command: ["python", "train.py", "--day", "\(.ds)"],
///         mounts: ["my-bucket/data/\(.ds)": "/data"], outputs: ["/artifacts": "my-bucket/models/\(.ds)"])
///
/// A list is a program with its arguments, a text is a shell script, `file:` is a script beside the DAG file. A
/// stock-out, a quota or a preemption moves the job to the next of its machines and places without using one of the
/// task's retries. The task fails when the program exits with another status than 0.
public struct ComputeEngineJobOperator: DAGTask {
  public let task: TaskReference

  /// - Parameters:
  ///   - command: a program and its arguments. No shell reads them, so values are not quoted. Empty: what the image
  ///     says.
  ///   - environment: environment variable -> value, besides the job's.
  ///   - mounts: bucket and path -> directory in the container, where the objects below it are.
  ///   - outputs: directory in the container -> bucket and path to which it is copied at the end. A directory that is
  ///     missing or empty then fails the job.
  ///   - timeout: from the container's first start. `executionTimeout` is the same limit for the task.
  @discardableResult
  public init(
    _ id: String, job: JobConfig, command: [Template] = [], environment: [String: Template] = [:],
    mounts: [Template: String] = [:], outputs: [String: Template] = [:], timeout: Duration? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, dagFile: String = #filePath, line: Int = #line
  ) {
    self.init(
      id, job,
      JobRuntimeSpec(
        command: command, environment: environment, mounts: mounts, outputs: outputs, timeout: timeout),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: dagFile, line: line)
    )
  }

  /// - Parameter command: a script for the container's shell; values are quoted as in a `BashOperator`. With a `#!`
  ///   line of another language it is a script of that language, and values are put in as they are.
  @discardableResult
  public init(
    _ id: String, job: JobConfig, command: Template, environment: [String: Template] = [:],
    mounts: [Template: String] = [:], outputs: [String: Template] = [:], timeout: Duration? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, dagFile: String = #filePath, line: Int = #line
  ) {
    self.init(
      id, job,
      JobRuntimeSpec(
        command: command, environment: environment, mounts: mounts, outputs: outputs, timeout: timeout),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: dagFile, line: line)
    )
  }

  /// - Parameter script: as `command` with a text.
  @discardableResult
  public init(
    _ id: String, job: JobConfig, script: Template, environment: [String: Template] = [:],
    mounts: [Template: String] = [:], outputs: [String: Template] = [:], timeout: Duration? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, dagFile: String = #filePath, line: Int = #line
  ) {
    self.init(
      id, job,
      JobRuntimeSpec(
        command: script, environment: environment, mounts: mounts, outputs: outputs, timeout: timeout),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), SourceLocation(file: dagFile, line: line)
    )
  }

  /// - Parameters:
  ///   - file: a script file, by its path from the DAG file's folder. Read when the DAG file is; without a `#!` line
  ///     its extension says what runs it.
  ///   - arguments: of the script.
  @discardableResult
  public init(
    _ id: String, job: JobConfig, file: String, arguments: [Template] = [], environment: [String: Template] = [:],
    mounts: [Template: String] = [:], outputs: [String: Template] = [:], timeout: Duration? = nil,
    retries: Int? = nil, retryDelay: Duration? = nil, executionTimeout: Duration? = nil,
    triggerRule: TriggerRule? = nil, pool: String? = nil, dagFile: String = #filePath, line: Int = #line
  ) {
    self.init(
      id, job,
      JobRuntimeSpec(
        file: file, arguments: arguments, environment: environment, mounts: mounts, outputs: outputs,
        timeout: timeout),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool),
      SourceLocation(file: dagFile, line: line))
  }

  private init(
    _ id: String, _ job: JobConfig, _ spec: JobRuntimeSpec, _ options: CommonOptions, _ location: SourceLocation
  ) {
    task = Registry.addTask(
      id, .computeEngineJob(.init(job: job, specs: [spec.described(at: location)])), options, location)
  }

  /// How the job went. A task has one output: either this or `output(as:)`.
  public var output: Output<JobResult> {
    task.builder.noteUse(ofJob: task, .result)
    return Output(of: task)
  }

  /// What the job wrote to the file `$DAGRUN_OUTPUT`, read as JSON of this type, or as it is for a `String`. The task
  /// fails when it wrote nothing. It is the task's output then, in place of the `JobResult`.
  public func output<Value: Decodable>(
    as type: Value.Type, dagFile: String = #filePath, line: Int = #line
  ) -> Output<Value> {
    task.builder.noteUse(ofJob: task, .own(at: SourceLocation(file: dagFile, line: line)))
    task.update {
      guard case .computeEngineJob(var job) = $0.work else { return }
      job.handsOnOwnOutput = true
      $0.work = .computeEngineJob(job)
    }
    return Output(of: task)
  }
}

/// A task that runs several containers at once, each on a Google Compute Engine VM of its own.
///
///     let train = ComputeEngineJobGroupOperator("train", job: gpu, specs: models.map {
///         JobRuntimeSpec(command: ["train", "--model", "\($0)"], timeout: .hours(2))
///     })
///
/// The task ends when all of them have ended, and fails when one has failed: the others are not stopped for it. Each
/// job has a log of its own: `dagrun job logs NAME`, with the names of `dagrun job list --all`.
public struct ComputeEngineJobGroupOperator: DAGTask {
  public let task: TaskReference

  @discardableResult
  public init(
    _ id: String, job: JobConfig, specs: [JobRuntimeSpec], retries: Int? = nil, retryDelay: Duration? = nil,
    executionTimeout: Duration? = nil, triggerRule: TriggerRule? = nil, pool: String? = nil,
    file: String = #filePath, line: Int = #line
  ) {
    let location = SourceLocation(file: file, line: line)
    task = Registry.addTask(
      id, .computeEngineJob(.init(job: job, specs: specs.map { $0.described(at: location) }, isGroup: true)),
      CommonOptions(retries, retryDelay, executionTimeout, triggerRule, pool), location)
  }

  /// How each of the jobs went, in the order of the specs.
  public var output: Output<[JobResult]> { Output(of: task) }
}
