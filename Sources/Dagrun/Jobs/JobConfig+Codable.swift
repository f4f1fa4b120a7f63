// The same keys in a job's spec (JSON or YAML), in the description of a DAG and in the journal. What has its default
// value is left out.

extension JobConfig: Codable {
  private enum Key: String, CodingKey, CaseIterable {
    case project, image
    case machineType = "machine_type"
    case machineTypes = "machine_types"
    case provisioning, zones, regions, accelerators
    case diskSizeGB = "disk_size_gb"
    case diskType = "disk_type"
    case diskImage = "disk_image"
    case subnetwork
    case externalAddress = "external_address"
    case serviceAccount = "service_account"
    case scopes, labels
    case allowedPersistenceRegions = "allowed_persistence_regions"
    case maxRunDurationSeconds = "max_run_duration_seconds"
    case maxAttempts = "max_attempts"
    case privileged
    case sharedMemorySize = "shared_memory_size"
    case entrypoint, secrets, environment
    case mountMethod = "mount_method"
    case logDestination = "log_destination"
    case uploadOutputsOnFailure = "upload_outputs_on_failure"
  }

  public init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    let map = "a map of text to text"
    let (project, image) = ("the id of a Google Cloud project", "the name of a container image")
    if decoder.userInfo[.isCompletedLater] as? Bool == true {
      self.init(
        project: try reader.read(.project, project) ?? "", image: try reader.read(.image, image) ?? "")
    } else {
      self.init(project: try reader.require(.project, project), image: try reader.require(.image, image))
    }
    switch (reader.has(.machineType), reader.has(.machineTypes)) {
    case (true, true): throw reader.problem(.machineType, "give machine_type or machine_types, not both")
    case (true, false): machineTypes = [try reader.require(.machineType, "a machine type such as \"n1-standard-4\"")]
    case (false, true):
      machineTypes = try reader.require(.machineTypes, "a list of machine types, the best first")
      if machineTypes.isEmpty { throw reader.problem(.machineTypes, "expected at least one machine type") }
    case (false, false): break
    }
    func set<Value: Decodable>(_ path: WritableKeyPath<JobConfig, Value>, _ key: Key, _ expected: String) throws {
      if let value = try reader.read(key, as: Value.self, expected) { self[keyPath: path] = value }
    }
    try set(\.provisioning, .provisioning, "one of \"standard\", \"spot\" and \"spot_then_standard\"")
    try set(\.zones, .zones, "a list of zones such as [\"\(Self.defaultZone)\"]")
    try set(\.regions, .regions, "a list of regions such as [\"europe-west1\"]")
    try set(\.accelerators, .accelerators, "a list of objects such as {\"type\": \"nvidia-tesla-t4\", \"count\": 1}")
    diskSizeGB = try reader.read(.diskSizeGB, "a whole number of gigabytes")
    diskType = try reader.read(.diskType, "a disk type such as \"pd-ssd\"")
    try set(\.diskImage, .diskImage, "an object such as {\"project\": \"cos-cloud\", \"family\": \"cos-stable\"}")
    subnetwork = try reader.read(.subnetwork, "the name of a subnetwork")
    try set(\.hasExternalAddress, .externalAddress, "true or false")
    try set(\.serviceAccount, .serviceAccount, "the email address of a service account")
    try set(\.scopes, .scopes, "a list of scopes")
    try set(\.labels, .labels, map)
    try set(\.allowedPersistenceRegions, .allowedPersistenceRegions, "a list of regions")
    switch try reader.read(
      .maxRunDurationSeconds, as: RunLimit.self, "a whole number of seconds, or \"none\"")
    {
    case .seconds(let seconds)?: maxRunDurationSeconds = seconds
    case .never?: hasRunLimit = false
    case nil: break
    }
    try set(\.maxAttempts, .maxAttempts, "a whole number")
    try set(\.isPrivileged, .privileged, "true or false")
    sharedMemorySize = try reader.read(.sharedMemorySize, "a size such as \"8g\"")
    entrypoint = try reader.read(.entrypoint, "the path of a program in the image")
    try set(\.secrets, .secrets, map)
    try set(\.environment, .environment, map)
    try set(\.mountMethod, .mountMethod, "\"copy\" or \"gcsfuse\"")
    try set(
      \.logDestination, .logDestination, "\"none\", \"cloud_logging\" or {\"cloud_storage\": \"bucket/path\"}")
    try set(\.uploadsOutputsOnFailure, .uploadOutputsOnFailure, "true or false")
  }

  public func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    let standard = JobConfig(project: project, image: image)
    func encode<Value: Encodable & Equatable>(_ path: KeyPath<JobConfig, Value>, _ key: Key) throws {
      if self[keyPath: path] != standard[keyPath: path] { try container.encode(self[keyPath: path], forKey: key) }
    }
    try container.encode(project, forKey: .project)
    try container.encode(image, forKey: .image)
    try encode(\.machineTypes, .machineTypes)
    try encode(\.provisioning, .provisioning)
    try encode(\.zones, .zones)
    try encode(\.regions, .regions)
    try encode(\.accelerators, .accelerators)
    try encode(\.diskSizeGB, .diskSizeGB)
    try encode(\.diskType, .diskType)
    try encode(\.diskImage, .diskImage)
    try encode(\.subnetwork, .subnetwork)
    try encode(\.hasExternalAddress, .externalAddress)
    try encode(\.serviceAccount, .serviceAccount)
    try encode(\.scopes, .scopes)
    try encode(\.labels, .labels)
    try encode(\.allowedPersistenceRegions, .allowedPersistenceRegions)
    if !hasRunLimit {
      try container.encode(RunLimit.never, forKey: .maxRunDurationSeconds)
    } else {
      try encode(\.maxRunDurationSeconds, .maxRunDurationSeconds)
    }
    try encode(\.maxAttempts, .maxAttempts)
    try encode(\.isPrivileged, .privileged)
    try encode(\.sharedMemorySize, .sharedMemorySize)
    try encode(\.entrypoint, .entrypoint)
    try encode(\.secrets, .secrets)
    try encode(\.environment, .environment)
    try encode(\.mountMethod, .mountMethod)
    try encode(\.logDestination, .logDestination)
    try encode(\.uploadsOutputsOnFailure, .uploadOutputsOnFailure)
  }
}

/// `3600`, or `"none"`.
private enum RunLimit: Codable {
  case seconds(Int)
  case never

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      guard text == "none" else {
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "\"\(text)\" is not a length of time")
      }
      self = .never
    } else {
      self = .seconds(try container.decode(Int.self))
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    switch self {
    case .seconds(let seconds): try container.encode(seconds)
    case .never: try container.encode("none")
    }
  }
}

extension JobConfig.Accelerator: Codable {
  private enum Key: String, CodingKey, CaseIterable { case type, count }

  package init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    self.init(
      type: try reader.require(.type, "an accelerator's type such as \"nvidia-tesla-t4\""),
      count: try reader.read(.count, "a whole number") ?? 1)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(type, forKey: .type)
    try container.encode(count, forKey: .count)
  }
}

extension JobConfig.DiskImage: Codable {
  private enum Key: String, CodingKey, CaseIterable { case project, family, name }

  package init(from decoder: any Decoder) throws {
    let reader = try KeyedReader(decoder, keys: Key.self)
    self.init(
      project: try reader.require(.project, "the id of the image's project"),
      family: try reader.read(.family, "the name of an image family"),
      name: try reader.read(.name, "the name of an image"))
    if (family == nil) == (name == nil) { throw reader.problem(.family, "give a family or a name, one of them") }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode(project, forKey: .project)
    try container.encodeIfPresent(family, forKey: .family)
    try container.encodeIfPresent(name, forKey: .name)
  }
}

extension JobConfig.LogDestination: Codable {
  private enum Word: String, Codable, CaseIterable {
    case none
    case cloudLogging = "cloud_logging"
  }

  private enum Key: String, CodingKey, CaseIterable { case cloudStorage = "cloud_storage" }

  public init(from decoder: any Decoder) throws {
    if let container = try? decoder.singleValueContainer(), let text = try? container.decode(String.self) {
      switch Word(rawValue: text) {
      case .none?: self = .none
      case .cloudLogging: self = .cloudLogging
      case nil:
        throw DecodingError.dataCorruptedError(in: container, debugDescription: "there is no destination \"\(text)\"")
      }
      return
    }
    let reader = try KeyedReader(decoder, keys: Key.self)
    self = .cloudStorage(path: try reader.require(.cloudStorage, "a bucket and path such as \"my-bucket/logs\""))
  }

  public func encode(to encoder: any Encoder) throws {
    switch self {
    case .none: try Word.none.encode(to: encoder)
    case .cloudLogging: try Word.cloudLogging.encode(to: encoder)
    case .cloudStorage(let path):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(path, forKey: .cloudStorage)
    }
  }
}
