/// What one job runs, and with which data: one of a group's jobs.
///
///     ComputeEngineJobGroupOperator("train", job: gpu, specs: ["small", "large"].map {
///         JobRuntimeSpec(command: ["train", "--model", "\($0)"], outputs: ["/out": "my-bucket/\($0)/\(.ds)"])
///     })
public struct JobRuntimeSpec: Hashable, Sendable {
  enum Source: Hashable, Sendable {
    case image
    case arguments([Template])
    case script(Template)
    case file(path: String, arguments: [Template])
  }

  var source: Source
  var environment: [String: Template]
  var mounts: [Template: String]
  var outputs: [String: Template]
  var timeout: Duration?

  init(
    _ source: Source, _ environment: [String: Template], _ mounts: [Template: String], _ outputs: [String: Template],
    _ timeout: Duration?
  ) {
    self.source = source
    self.environment = environment
    self.mounts = mounts
    self.outputs = outputs
    self.timeout = timeout
  }

  /// - Parameters:
  ///   - command: a program and its arguments. No shell reads them, so values are not quoted. Empty: what the image
  ///     says.
  ///   - environment: environment variable -> value, besides the config's.
  ///   - mounts: bucket and path -> directory in the container, where the objects below it are.
  ///   - outputs: directory in the container -> bucket and path to which it is copied at the end. A directory that is
  ///     missing or empty then fails the job.
  ///   - timeout: from the container's first start; the job has failed then.
  public init(
    command: [Template] = [], environment: [String: Template] = [:], mounts: [Template: String] = [:],
    outputs: [String: Template] = [:], timeout: Duration? = nil
  ) {
    self.init(command.isEmpty ? .image : .arguments(command), environment, mounts, outputs, timeout)
  }

  /// - Parameter command: a script for the container's shell; values are quoted as in a `BashOperator`. With a `#!`
  ///   line of another language it is a script of that language, and values are put in as they are.
  public init(
    command: Template, environment: [String: Template] = [:], mounts: [Template: String] = [:],
    outputs: [String: Template] = [:], timeout: Duration? = nil
  ) {
    self.init(.script(command), environment, mounts, outputs, timeout)
  }

  /// - Parameters:
  ///   - file: a script file, by its path from the DAG file's folder. Read when the DAG file is; without a `#!` line
  ///     its extension says what runs it.
  ///   - arguments: of the script.
  public init(
    file: String, arguments: [Template] = [], environment: [String: Template] = [:], mounts: [Template: String] = [:],
    outputs: [String: Template] = [:], timeout: Duration? = nil
  ) {
    self.init(.file(path: file, arguments: arguments), environment, mounts, outputs, timeout)
  }
}

extension JobRuntimeSpec {
  /// - Parameter location: of the operator, beside whose file script files lie.
  func described(at location: SourceLocation) -> ComputeEngineJobDescription.Spec {
    let command: ComputeEngineJobDescription.Command =
      switch source {
      case .image: .image
      case .arguments(let arguments): .arguments(arguments)
      case .script(let script): .script(script)
      case .file(let path, let arguments):
        .file(
          name: path.split(separator: "/").last.map(String.init) ?? path,
          contents: Registry.readFile(path, besides: location), arguments: arguments)
      }
    var spec = ComputeEngineJobDescription.Spec(command: command)
    spec.environment = environment
    for (path, directory) in mounts.sorted(by: { $0.value < $1.value }) {
      if spec.mounts.updateValue(path, forKey: directory) != nil {
        Registry.problem("two paths are mounted at \(directory)", at: location)
      }
    }
    spec.outputs = outputs
    spec.timeoutSeconds = timeout?.inSeconds
    return spec
  }
}
