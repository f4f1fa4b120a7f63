import ArgumentParser
import Clash
import Dagrun
import Foundation

/// What a job is, on the command line: a spec's keys as options. What is said here counts more than what a spec says.
struct JobOptions: ParsableArguments {
  @Option(help: ArgumentHelp("A job in JSON or YAML; - for standard input.", valueName: "file"), completion: .file())
  var spec: String?

  @Option(help: "The Google Cloud project. (default: as gcloud's)") var project: String?
  @Option(help: ArgumentHelp("The container image.", valueName: "name")) var image: String?
  @Option(
    help: ArgumentHelp("A script to run; - for standard input. What follows -- are its arguments.", valueName: "file"),
    completion: .file())
  var script: String?
  @Option(
    name: [.customShort("e"), .customLong("env")],
    help: ArgumentHelp("An environment variable; NAME alone takes its value from here.", valueName: "name=value"))
  var environment: [String] = []
  @Option(help: ArgumentHelp("A secret of Secret Manager as an environment variable.", valueName: "variable=secret"))
  var secret: [String] = []
  @Option(help: ArgumentHelp("A directory of Cloud Storage in the container.", valueName: "bucket/path:directory"))
  var mount: [String] = []
  @Option(
    help: ArgumentHelp(
      "A directory of the container, copied to Cloud Storage at the end.", valueName: "directory:bucket/path"))
  var outputDir: [String] = []
  @Option(
    help: ArgumentHelp("The longest the program may run: 90, 30m, 2h, 1d.", valueName: "time"),
    transform: BoundedNumber.duration(.jobTimeout.at("--timeout")))
  var timeout: DurationOption?

  @Option(help: ArgumentHelp("A machine type; several are tried in order.", valueName: "type"))
  var machineType: [String] = []
  @Option(help: ArgumentHelp("A zone; several are tried in order.", valueName: "zone")) var zone: [String] = []
  @Option(help: ArgumentHelp("A region, where Google picks a zone; several are tried in order.", valueName: "region"))
  var region: [String] = []
  @Flag(help: "Take Spot capacity, which costs less and may be preempted.") var spot = false
  @Flag(help: "Take Spot capacity while there is any, then on demand.") var spotThenStandard = false
  @Option(
    help: ArgumentHelp("Accelerators of the machine.", valueName: "type=count"), transform: JobOptions.accelerator)
  var accelerator: [JobConfig.Accelerator] = []
  @Option(
    help: ArgumentHelp("The boot disk's size in GB.", valueName: "gb"),
    transform: BoundedNumber.whole(.diskSize.at("--disk-size")))
  var diskSize: Int?
  @Option(help: ArgumentHelp("The boot disk's type, such as pd-ssd.", valueName: "type")) var diskType: String?
  @Option(
    help: ArgumentHelp(
      "The boot disk's image: PROJECT/FAMILY, or PROJECT/images/NAME.", valueName: "image"))
  var diskImage: String?
  @Option(help: ArgumentHelp("A subnetwork.", valueName: "name")) var subnetwork: String?
  @Flag(help: "No address on the internet.") var noExternalIp = false
  @Option(help: ArgumentHelp("The machine's service account.", valueName: "email")) var serviceAccount: String?
  @Option(help: ArgumentHelp("A scope of the machine's service account.", valueName: "scope")) var scope: [String] = []
  @Option(help: ArgumentHelp("A label of everything that is made for the job.", valueName: "key=value"))
  var label: [String] = []
  @Option(
    help: ArgumentHelp(
      "The cloud deletes the machine after this time, or never ('none'); after 24h where there is no --timeout.",
      valueName: "time"),
    transform: RunLimitOption.init(argument:))
  var maxRunDuration: RunLimitOption?
  @Option(
    help: ArgumentHelp("The most machines that are begun for the job.", valueName: "count"),
    transform: BoundedNumber.whole(.maxAttempts.at("--max-attempts")))
  var maxAttempts: Int?

  @Flag(help: "Run the container with all rights on its machine.") var privileged = false
  @Option(help: ArgumentHelp("The size of /dev/shm, such as 8g.", valueName: "size")) var shmSize: String?
  @Option(help: ArgumentHelp("Replaces the image's entry point.", valueName: "program")) var entrypoint: String?
  @Option(
    help: ArgumentHelp("Where the whole log is kept: none, cloud-logging or bucket/path.", valueName: "place"))
  var logDestination: String?
  @Flag(help: "Mount by gcsfuse in the container, instead of copying.") var gcsfuse = false
  @Flag(help: "Copy output directories also when the program fails.") var uploadOnFailure = false

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("After --: the program and its arguments; no shell reads them.", valueName: "argument"))
  var command: [String] = []

  func validate() throws {
    if spot && spotThenStandard { throw ValidationError("say --spot or --spot-then-standard, not both") }
    if spec == "-" && script == "-" { throw ValidationError("only one thing can be read from standard input") }
    if spec == nil && image == nil { throw ValidationError("name an image with --image, or a job with --spec") }
  }

  /// - Parameter project: asked for where neither the options nor a spec name one.
  func jobSpec(in session: Session, project: () async throws -> String) async throws -> JobSpec {
    var job: JobSpec
    if let spec {
      job = try JobSpecFile.read(spec)
      if let image { job.config.image = image }
      guard !job.config.image.isEmpty else {
        throw UserError(
          .wrongUsage, "\(spec == "-" ? "the standard input" : spec) names no image",
          hint: "write image: NAME in its job, or say --image NAME")
      }
      if let given = self.project {
        job.config.project = given
      } else if job.config.project.isEmpty {
        job.config.project = try await project()
      }
    } else {
      let name: String
      if let given = self.project { name = given } else { name = try await project() }
      job = JobSpec(config: JobConfig(project: name, image: image ?? ""), command: .image)
    }
    try apply(to: &job, session.environment)
    if script != nil, case .file(let name, let contents, _) = job.command, contents.contains(UInt8(ascii: "\r")) {
      session.errors.line(
        "the script \(name) has line ends of Windows (CRLF): a shell hands the CR on as part of the last argument")
    }
    try apply(to: &job.config)
    return job
  }

  /// - Throws: all that is wrong with the job.
  static func check(_ request: JobRequest) throws {
    let problems = request.problems
    guard let first = problems.first else { return }
    throw UserError(.wrongUsage, first, hint: problems.count > 1 ? problems.dropFirst().joined(separator: "\n") : nil)
  }

  private func apply(to job: inout JobSpec, _ surroundings: [String: String]) throws {
    if let script {
      let name = script == "-" ? "script" : URL(filePath: script).lastPathComponent
      job.command = .file(name: name, contents: try JobSpecFile.contents(of: script), arguments: command)
    } else if !command.isEmpty {
      job.command = .arguments(command)
    }
    for text in environment {
      let pair = Self.pair(text, "=")
      guard let value = pair?.1 ?? surroundings[text] else {
        throw UserError(
          .wrongUsage, "--env \(text): there is no variable \(text) here", hint: "write --env \(text)=VALUE")
      }
      job.environment[pair?.0 ?? text] = value
    }
    for text in mount {
      // The directory is what follows the last colon: a path in a bucket may have one.
      guard let colon = text.lastIndex(of: ":") else { throw Self.wrong("--mount", text, "BUCKET/PATH:DIRECTORY") }
      job.mounts[Self.bucketPath(text[..<colon])] = String(text[text.index(after: colon)...])
    }
    for text in outputDir {
      guard let (directory, path) = Self.pair(text, ":") else {
        throw Self.wrong("--output-dir", text, "DIRECTORY:BUCKET/PATH")
      }
      job.outputs[directory] = Self.bucketPath(path[...])
    }
    if let timeout { job.timeoutSeconds = timeout.seconds }
  }

  private static let accelerator: @Sendable (String) throws -> JobConfig.Accelerator = { text in
    guard let (type, count) = pair(text, "=") else { return .init(type: text, count: 1) }
    return .init(type: type, count: try BoundedNumber.whole(.acceleratorCount.at("--accelerator"))(count))
  }

  private func apply(to config: inout JobConfig) throws {
    if !machineType.isEmpty { config.machineTypes = machineType }
    if !zone.isEmpty || !region.isEmpty { (config.zones, config.regions) = (zone, region) }
    if spot { config.provisioning = .spot }
    if spotThenStandard { config.provisioning = .spotThenStandard }
    if !accelerator.isEmpty { config.accelerators = accelerator }
    if let diskSize { config.diskSizeGB = diskSize }
    if let diskType { config.diskType = diskType }
    if let diskImage {
      let parts = diskImage.split(separator: "/").map(String.init)
      switch parts.count {
      case 2: config.diskImage = .init(project: parts[0], family: parts[1])
      case 3 where parts[1] == "images": config.diskImage = .init(project: parts[0], name: parts[2])
      default: throw Self.wrong("--disk-image", diskImage, "PROJECT/FAMILY or PROJECT/images/NAME")
      }
    }
    if let subnetwork { config.subnetwork = subnetwork }
    if noExternalIp { config.hasExternalAddress = false }
    if let serviceAccount { config.serviceAccount = serviceAccount }
    if !scope.isEmpty { config.scopes = scope }
    for text in label {
      guard let (key, value) = Self.pair(text, "=") else { throw Self.wrong("--label", text, "KEY=VALUE") }
      config.labels[key] = value
    }
    for text in secret {
      guard let (name, secret) = Self.pair(text, "=") else { throw Self.wrong("--secret", text, "VARIABLE=SECRET") }
      config.secrets[name] = secret
    }
    switch maxRunDuration {
    case .after(let duration)?:
      config.maxRunDurationSeconds = Int(saturating: duration.seconds.rounded(.up))
      config.hasRunLimit = true
    case .never?:
      config.maxRunDurationSeconds = nil
      config.hasRunLimit = false
    case nil: break
    }
    if let maxAttempts { config.maxAttempts = maxAttempts }
    if privileged { config.isPrivileged = true }
    if let shmSize { config.sharedMemorySize = shmSize }
    if let entrypoint { config.entrypoint = entrypoint }
    switch logDestination {
    case nil: break
    case "none": config.logDestination = .none
    case "cloud-logging": config.logDestination = .cloudLogging
    case let path?: config.logDestination = .cloudStorage(path: Self.bucketPath(path[...]))
    }
    if gcsfuse { config.mountMethod = .gcsfuse }
    if uploadOnFailure { config.uploadsOutputsOnFailure = true }
  }

  private static func pair(_ text: String, _ separator: Character) -> (String, String)? {
    guard let index = text.firstIndex(of: separator), index != text.startIndex else { return nil }
    return (String(text[..<index]), String(text[text.index(after: index)...]))
  }

  /// As people copy it from elsewhere.
  private static func bucketPath(_ text: Substring) -> String {
    String(text.hasPrefix("gs://") ? text.dropFirst(5) : text)
  }

  private static func wrong(_ option: String, _ text: String, _ form: String) -> UserError {
    UserError(.wrongUsage, "\(option) \(text) cannot be read", hint: "write \(option) \(form)")
  }
}
