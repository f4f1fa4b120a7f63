internal import Dagrun
internal import Foundation
internal import GoogleCloud

/// What lies in the job's folder on the VM: the runner, and every value that it needs, each in a file of its own.
package struct MachineFiles: Hashable, Sendable {
  /// The runner finds its files beside itself.
  package let folder: String
  /// Values of a job; the larger ones may come by other metadata keys than the user-data.
  package let values: [MachineFile]
  package let settings: [String: String]
  package let unit: String

  package static func folder(of job: String) -> String { "/var/lib/dagrun/\(job)" }
  package static let unitName = "dagrun-job.service"
  package static let unitPath = "/etc/systemd/system/\(unitName)"

  init(
    request: JobRequest, attempt: Int, offer: MachineOffer, endpoints: Endpoints, firstWordSeconds: Int? = nil
  ) throws(JobMachineError) {
    let folder = Self.folder(of: request.name)
    let config = request.spec.config
    let command = try ContainerCommand(request.spec.command, entrypoint: config.entrypoint)
    try ContainerValues.check(request.spec, command)

    var values = ["arguments": ZeroTerminated(command.arguments).data]
    values["environment"] = Self.pairs(request.spec.allEnvironment)
    var secrets: [String: String] = [:]
    for (name, reference) in config.secrets {
      secrets[name] = try SecretReference.resource(reference, project: config.project)
    }
    values["secrets"] = Self.pairs(secrets)
    let mounts = try Self.directories(request.spec.mounts.map { (directory: $0.value, bucketPath: $0.key) })
    let outputs = try Self.directories(request.spec.outputs.map { (directory: $0.key, bucketPath: $0.value) })
    values["mounts"] = ZeroTerminated(mounts.flatMap { [$0.directory, $0.path.bucket, $0.path.prefix] }).data
    values["outputs"] = ZeroTerminated(outputs.flatMap { [$0.directory, $0.path.bucket, $0.path.prefix] }).data
    if let script = command.script { values["script"] = script.contents }
    if config.mountMethod == .gcsfuse, !mounts.isEmpty {
      values["mount-entry"] = Data(MountEntry.script(mounts.map { ($0.directory, $0.path) }).utf8)
    }

    self.folder = folder
    self.values = values.sorted { $0.key < $1.key }.map {
      MachineFile(path: "\(folder)/\($0.key)", permissions: "0600", contents: $0.value)
    }
    var settings = try Self.settings(request, attempt: attempt, offer: offer, endpoints: endpoints, command: command)
    settings["first-word-seconds"] = firstWordSeconds.map(String.init)
    self.settings = settings
    unit = JobUnit.text(job: request.name, folder: folder)
  }

  package var runner: MachineFile {
    MachineFile(path: "\(folder)/runner.sh", permissions: "0700", contents: Data(RunnerScript.text.utf8))
  }

  package var unitFile: MachineFile {
    MachineFile(path: Self.unitPath, permissions: "0644", contents: Data(unit.utf8))
  }

  /// - Parameter pieces: file name -> how many metadata values hold it.
  func settingsFile(pieces: [String: Int] = [:]) -> MachineFile {
    var settings = settings
    settings["pieces"] = pieces.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    return MachineFile(path: "\(folder)/settings", permissions: "0600", contents: Self.pairs(settings))
  }

  /// As they lie on the VM once it runs, in the order of the user-data.
  package var all: [MachineFile] { [runner, settingsFile()] + values + [unitFile] }

  private static func pairs(_ values: [String: String]) -> Data {
    ZeroTerminated(values.sorted { $0.key < $1.key }.flatMap { [$0.key, $0.value] }).data
  }

  private struct Directory {
    var directory: String
    var path: BucketPath
  }

  private static func directories(
    _ pairs: [(directory: String, bucketPath: String)]
  ) throws(JobMachineError) -> [Directory] {
    var directories: [Directory] = []
    for pair in pairs.sorted(by: { ($0.directory, $0.bucketPath) < ($1.directory, $1.bucketPath) }) {
      directories.append(Directory(directory: pair.directory, path: try BucketPath(pair.bucketPath)))
    }
    return directories
  }

  /// What `runner.sh` reads by name.
  private static func settings(
    _ request: JobRequest, attempt: Int, offer: MachineOffer, endpoints: Endpoints, command: ContainerCommand
  ) throws(JobMachineError) -> [String: String] {
    let config = request.spec.config
    let name = JobMachine.name(of: request.name, attempt: attempt)
    var settings = [
      "job": request.name, "attempt": String(attempt), "project": config.project, "image": config.image,
      "publish-url": "\(endpoints.pubSub)projects/\(CloudPath.encoded(config.project))/topics/"
        + "\(CloudPath.encoded(request.name)):publish",
      "group-url": "\(endpoints.compute)projects/\(CloudPath.encoded(config.project))/\(offer.scope.path)"
        + "/instanceGroupManagers/\(name)",
      "storage-url": endpoints.storage, "upload-url": endpoints.storageUpload,
      "secrets-url": endpoints.secretManager, "logging-url": endpoints.logging,
      "mount-method": config.mountMethod.rawValue,
    ]
    settings["word"] = request.word(ofAttempt: attempt)
    settings["entrypoint"] = command.entrypoint
    settings["script-name"] = command.script?.name
    settings["shared-memory"] = config.sharedMemorySize
    if config.isPrivileged { settings["privileged"] = "yes" }
    if config.uploadsOutputsOnFailure { settings["outputs-on-failure"] = "yes" }
    if request.isDetached { settings["detached"] = "yes" }
    if !config.accelerators.isEmpty || MachineSeries(machineType: offer.machineType).hasOwnAccelerators {
      settings["accelerators"] = "yes"
    }
    settings["run-limit"] = request.runLimitSeconds.map(String.init)
    if let limit = request.spec.timeoutSeconds { settings["timeout"] = String(Int(saturating: limit.rounded(.up))) }
    switch config.logDestination {
    case .none: break
    case .cloudLogging: settings["log-to"] = "logging"
    case .cloudStorage(let text):
      let path = try BucketPath(text)
      settings["log-to"] = "storage"
      settings["log-bucket"] = path.bucket
      settings["log-object"] = path.object("\(request.name)/attempt-\(attempt).log")
    }
    return settings
  }
}
