// What Google or docker would refuse, said before anything is asked for: where a DAG file is read, and by the commands.

extension JobConfig {
  /// What is wrong with the job, in words; empty when nothing is.
  package var problems: [String] {
    var found: [String] = []
    func check(_ isRight: Bool, _ message: @autoclosure () -> String) {
      if !isRight { found.append(message()) }
    }
    func number(_ problem: String?) {
      if let problem { found.append(problem) }
    }
    check(Self.isProject(project), "\"\(project)\" cannot be the id of a Google Cloud project")
    if let problem = ImageReference.problem(with: image) { found.append(problem) }
    check(!machineTypes.isEmpty, "there is no machine type")
    for type in machineTypes { check(Self.isName(type), "\"\(type)\" cannot be a machine type") }
    for zone in zones { check(Self.isZone(zone), "\"\(zone)\" cannot be a zone; write one as \"\(Self.defaultZone)\"") }
    for region in regions + allowedPersistenceRegions {
      check(
        Self.isName(region) && !Self.isZone(region), "\"\(region)\" cannot be a region; write one as \"europe-west1\"")
    }
    for accelerator in accelerators {
      check(Self.isName(accelerator.type), "\"\(accelerator.type)\" cannot be an accelerator's type")
      number(NumberBound.acceleratorCount.problem(accelerator.count))
    }
    if !accelerators.isEmpty {
      for type in machineTypes where !Self.takesAccelerators(type) {
        found.append(
          "\(type) takes no accelerators: they go with n1 machines; a2, a3 and g2 machines and the like bring their own"
        )
      }
    }
    number(diskSizeGB.flatMap(NumberBound.diskSize.problem))
    if let diskType { check(Self.isName(diskType), "\"\(diskType)\" cannot be a disk type") }
    number(maxRunDurationSeconds.flatMap(NumberBound.maxRunDuration.problem))
    number(NumberBound.maxAttempts.problem(maxAttempts))
    found += Self.problems(labels: labels)
    found += Self.problems(variables: Array(environment.keys) + Array(secrets.keys))
    for (variable, secret) in secrets.sorted(by: { $0.key < $1.key }) {
      check(
        Self.isSecret(secret),
        "\"\(secret)\", the secret for \(variable), is not NAME, NAME/versions/V or "
          + "projects/P/secrets/NAME/versions/V")
    }
    if case .cloudStorage(let path) = logDestination, let problem = Self.problem(bucketPath: path) {
      found.append(problem)
    }
    return found
  }

  /// Google's rule for labels, and that ours are not replaced.
  private static func problems(labels: [String: String]) -> [String] {
    func isAllowed(_ text: String) -> Bool {
      text.unicodeScalars.count <= 63
        && text.unicodeScalars.allSatisfy {
          $0 == "-" || $0 == "_" || $0.properties.numericType != nil
            || $0.properties.isAlphabetic && !$0.properties.isUppercase
        }
    }
    return labels.sorted { $0.key < $1.key }.compactMap { key, value in
      if key.hasPrefix("goog") { return "the label \"\(key)\" is Google's: no other begins with goog" }
      if key == "dagrun" || key.hasPrefix("dagrun-") { return "the label \"\(key)\" is dagrun's own" }
      if !isAllowed(key) || !(key.unicodeScalars.first?.properties.isAlphabetic ?? false) {
        return
          "\"\(key)\" cannot be a label's key: a lower-case letter, then lower-case letters, digits, - and _; at most 63"
      }
      return isAllowed(value)
        ? nil : "\"\(value)\", the value of label \"\(key)\", may have lower-case letters, digits, - and _; at most 63"
    }
  }

  package static func problems(variables names: [String]) -> [String] {
    names.filter { !isVariable($0) }.sorted().map { "\"\($0)\" cannot be the name of an environment variable" }
  }

  /// A bucket, or a bucket and a path in it. A leading `gs://` is not part of it.
  package static func problem(bucketPath: String) -> String? {
    let bucket = bucketPath.split(separator: "/", omittingEmptySubsequences: false).first ?? ""
    let isBucket =
      (3...222).contains(bucket.utf8.count)
      && bucket.utf8.allSatisfy { isLower($0) || isDigit($0) || [UInt8(ascii: "-"), 95, 46].contains($0) }
    return isBucket && !bucketPath.utf8.contains { $0 < 32 }
      ? nil : "\"\(bucketPath)\" is not a bucket and path; write it as \"my-bucket/a/path\""
  }

  /// An absolute path in the container that docker's arguments and the runner can carry.
  package static func problem(directory: String) -> String? {
    let parts = directory.split(separator: "/")
    if directory.hasPrefix("/"), parts.first == "dagrun" {
      return "the directory \(directory) is dagrun's own in the container; choose one outside /dagrun"
    }
    return directory.hasPrefix("/") && !directory.utf8.contains { $0 < 32 || $0 == UInt8(ascii: ":") }
      && !parts.contains { $0 == "." || $0 == ".." }
      ? nil : "\"\(directory)\" is not a directory of the container: an absolute path without \":\", \".\" and \"..\""
  }

  /// Both are directories of this machine that docker mounts: two cannot be in one place.
  package static func problems(mounted: some Sequence<String>, outputs: some Sequence<String>) -> [String] {
    let taken = Set(mounted.map(plain))
    return Set(outputs.map(plain)).intersection(taken).filter { $0 != "/" }.sorted().map {
      "the directory \($0) is a mount and an output; each needs a directory of its own"
    }
  }

  /// Without doubled and trailing slashes.
  package static func plain(_ directory: String) -> String {
    "/" + directory.split(separator: "/").joined(separator: "/")
  }

  /// https://cloud.google.com/compute/docs/gpus: n1 machines are given accelerators, the accelerator-optimised ones
  /// (a2, a3, g2, …) have some, to which the job's are then not added.
  private static func takesAccelerators(_ machineType: String) -> Bool {
    let series = machineType.prefix { $0 != "-" }
    return ["n1", "custom"].contains(series)
      || (["a", "g"].contains(series.prefix(1)) && series.dropFirst().prefix(1).allSatisfy(\.isNumber))
  }

  private static func isLower(_ byte: UInt8) -> Bool { (97...122).contains(byte) }
  private static func isDigit(_ byte: UInt8) -> Bool { (48...57).contains(byte) }

  /// Lower case, digits and hyphens, a letter first.
  private static func isName(_ text: String) -> Bool {
    guard let first = text.utf8.first, isLower(first) else { return false }
    return text.utf8.allSatisfy { isLower($0) || isDigit($0) || $0 == UInt8(ascii: "-") }
  }

  /// A project may be of a domain: `example.com:my-project`.
  private static func isProject(_ text: String) -> Bool {
    guard let name = text.split(separator: ":", omittingEmptySubsequences: false).last else { return false }
    return isName(String(name)) && text.utf8.allSatisfy { isLower($0) || isDigit($0) || "-.:".utf8.contains($0) }
  }

  /// Ends with a hyphen and one letter.
  private static func isZone(_ text: String) -> Bool {
    let parts = text.split(separator: "-", omittingEmptySubsequences: false)
    return isName(text) && parts.count >= 3 && parts.last?.utf8.count == 1
      && parts.last?.utf8.allSatisfy(isLower) == true
  }

  private static func isVariable(_ name: String) -> Bool {
    guard let first = name.utf8.first, !isDigit(first) else { return false }
    return name.utf8.allSatisfy { isLower($0) || isDigit($0) || (65...90).contains($0) || $0 == 95 }
  }

  private static func isSecret(_ text: String) -> Bool {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { $0 > 32 } }) else { return false }
    switch parts.count {
    case 1: return true
    case 3: return parts[1] == "versions"
    case 6: return parts[0] == "projects" && parts[2] == "secrets" && parts[4] == "versions"
    default: return false
    }
  }
}

extension JobSpec {
  /// What is wrong with the job, in words; empty when nothing is.
  package var problems: [String] {
    var found = config.problems + JobConfig.problems(variables: Array(environment.keys))
    for (path, directory) in mounts.sorted(by: { $0.key < $1.key }) {
      found += [JobConfig.problem(bucketPath: path), JobConfig.problem(directory: directory)].compactMap { $0 }
    }
    for (directory, path) in outputs.sorted(by: { $0.key < $1.key }) {
      found += [JobConfig.problem(directory: directory), JobConfig.problem(bucketPath: path)].compactMap { $0 }
    }
    found += JobConfig.problems(mounted: mounts.values, outputs: outputs.keys)
    if case .arguments(let arguments) = command, arguments.isEmpty { found.append("its command is an empty list") }
    if let timeoutSeconds, let problem = NumberBound.jobTimeout.problem(timeoutSeconds) {
      found.append("its \(problem)")
    }
    // The runner keeps them in files with NUL between values.
    let texts = Array(allEnvironment.values) + (command.argumentList ?? [])
    if texts.contains(where: { $0.utf8.contains(0) }) {
      found.append("an argument or a value of the environment has a NUL character, which no program can be given")
    }
    return found
  }
}

extension JobCommand {
  fileprivate var argumentList: [String]? {
    switch self {
    case .image, .script: nil
    case .arguments(let arguments), .file(_, _, let arguments): arguments
    }
  }
}

extension ComputeEngineJobDescription {
  /// What can be seen before values are put in.
  package var problems: [String] {
    var found = job.problems
    if specs.isEmpty { found.append("its group has no jobs") }
    for spec in specs {
      if case .script(let script) = spec.command, script.parts.isEmpty { found.append("its script is empty") }
      found += JobConfig.problems(variables: Array(spec.environment.keys))
      for directory in (Array(spec.mounts.keys) + Array(spec.outputs.keys)).sorted() {
        if let problem = JobConfig.problem(directory: directory) { found.append(problem) }
      }
      found += JobConfig.problems(mounted: spec.mounts.keys, outputs: spec.outputs.keys)
      if let seconds = spec.timeoutSeconds, let problem = NumberBound.jobTimeout.problem(seconds) {
        found.append("its \(problem)")
      }
    }
    return found
  }
}
