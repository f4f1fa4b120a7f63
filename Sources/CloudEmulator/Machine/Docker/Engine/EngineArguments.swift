internal import Foundation
internal import Processes

/// What a VM asks of docker, in words for a real engine that knows nothing of the VM.
struct EngineArguments {
  /// Of the VM's folder.
  var identity: String
  /// Of the emulator.
  var owner: String
  var metadataAddress: String
  var paths: MachinePaths

  struct Run: Equatable {
    var arguments: [String]
    /// Values of `--env NAME`: on a command line everybody could read them.
    var environment: [String: String]
  }

  /// Before the names of this VM's containers.
  var prefix: String { "dagrun-vm-\(identity)-" }
  var label: String { "\(DockerEngine.machineLabel)=\(identity)" }

  /// Handed on as they are.
  private static let passed: Set<String> = [
    "add-host", "cap-drop", "cpu-shares", "cpus", "cpuset-cpus", "dns", "entrypoint", "group-add", "init", "memory",
    "memory-reservation", "memory-swap", "no-healthcheck", "oom-score-adj", "pids-limit", "platform", "pull", "quiet",
    "read-only", "shm-size", "stop-signal", "stop-timeout", "ulimit",
  ]
  /// Without meaning here: there is no terminal and no standard input, the network is this machine's, and a container
  /// never outlives its VM.
  private static let dropped: Set<String> = [
    "attach", "detach-keys", "disable-content-trust", "expose", "health-cmd", "interactive", "link", "log-opt", "net",
    "network", "network-alias", "publish", "publish-all", "restart", "sig-proxy", "tty",
  ]

  /// `docker run`.
  func run(_ words: [String], _ request: CommandRequest) throws -> Run {
    let files = RequestFiles(
      contents: { readWholeFile(try paths.place($0).path) }, exists: { try paths.place($0).exists })
    let spec = try ContainerSpec(parsing: words, of: request, files: files)
    var run = Run(arguments: ["run"], environment: [:])
    let name = spec.name ?? "container-" + UUID().uuidString.prefix(8).lowercased()
    guard Self.isName(name) else { throw DockerUsageError(message: "invalid container name (\(name))") }
    let isAlone = spec.others.contains { ["net", "network"].contains($0.name) && $0.value == "none" }
    run.arguments += [
      "--name", prefix + name, "--label", label, "--label", "\(DockerEngine.ownerLabel)=\(owner)",
      "--network", isAlone ? "none" : "host",
      // A device file on the VM's disk would be one for the VM, too.
      "--cap-drop", "MKNOD",
    ]
    if spec.isDetached { run.arguments.append("--detach") }
    if spec.isRemoved { run.arguments.append("--rm") }
    if !spec.keepsLog { run.arguments += ["--log-driver", "none"] }
    try addOthers(spec.others, to: &run)
    for volume in spec.volumes {
      let source = try folder(volume.source)
      let fields =
        ["type=bind", "source=\(source)", "target=\(volume.target)"] + (volume.isReadOnly ? ["readonly"] : [])
      run.arguments += ["--mount", fields.map(Self.field).joined(separator: ",")]
    }
    for target in spec.temporaryFileSystems {
      run.arguments += ["--mount", "type=tmpfs," + Self.field("target=\(target)")]
    }
    if let folder = spec.workingDirectory { run.arguments += ["--workdir", folder] }
    if let user = spec.user { run.arguments += ["--user", user] }
    if let hostName = spec.hostName { run.arguments += ["--hostname", hostName] }
    if let file = spec.idFile { run.arguments += ["--cidfile", try paths.place(file).path] }
    addVariables(["GCE_METADATA_HOST=\(metadataAddress)"] + spec.environment, to: &run)
    // An image's name cannot be taken for an option.
    run.arguments += ["--", spec.image] + spec.command
    return run
  }

  private func addOthers(_ others: [ContainerSpec.Other], to run: inout Run) throws {
    for other in others {
      switch other.name {
      case "label":
        // The last of a name wins.
        let key = other.value?.prefix { $0 != "=" }
        if key.map(String.init) == DockerEngine.machineLabel || key.map(String.init) == DockerEngine.ownerLabel {
          continue
        }
        run.arguments += ["--label", other.value ?? ""]
      case _ where Self.passed.contains(other.name):
        run.arguments += other.value.map { ["--\(other.name)", $0] } ?? ["--\(other.name)"]
      case _ where Self.dropped.contains(other.name): continue
      default:
        throw DockerUsageError(
          message:
            "--\(other.name) is refused: with a real engine it would reach this machine, not the VM. The stand-in "
            + "takes it: dagrun emulator start --docker stand-in")
      }
    }
  }

  /// A later one of the same name wins.
  private func addVariables(_ variables: [String], to run: inout Run) {
    var order: [String] = []
    var values: [String: String] = [:]
    for entry in variables {
      let name = String(entry.prefix { $0 != "=" })
      if values.updateValue(String(entry.dropFirst(name.count + 1)), forKey: name) == nil { order.append(name) }
    }
    for name in order {
      let isPlain = name.utf8.allSatisfy { Self.isWordByte($0) } && !(name.utf8.first.map { $0 < 58 } ?? true)
      if isPlain, !DockerEngine.isOfClient(name) {
        run.arguments += ["--env", name]
        run.environment[name] = values[name]
      } else {
        run.arguments += ["--env", "\(name)=\(values[name]!)"]
      }
    }
  }

  /// A volume's source outside the VM; as docker does, a folder that is not there is made.
  private func folder(_ source: String) throws -> String {
    let place = try paths.place(source)
    if !place.exists { try makeFolders(place.path, mode: 0o755) }
    return place.path
  }

  /// A container's name or id, for the engine. What is not this VM's becomes a name that nobody has.
  ///
  /// - Parameter own: id and name of each container of this VM.
  func container(_ asked: String, among own: [(id: String, name: String)]) -> String {
    let asked = asked.hasPrefix("/") ? String(asked.dropFirst()) : asked
    if own.contains(where: { $0.name == prefix + asked }) { return prefix + asked }
    if asked.count >= 4, let found = own.first(where: { $0.id.hasPrefix(asked) }) { return found.id }
    return prefix + (Self.isName(asked) ? asked : "none")
  }

  /// `docker ps`: this VM's only; a name's beginning is that of the name in the VM.
  func list(_ words: [String]) -> [String] {
    ["ps", "--filter", "label=\(label)"]
      + words.map { word in
        for front in ["name=^", "--filter=name=^"] where word.hasPrefix(front) {
          let rest = word.dropFirst(front.count)
          return front + "/?" + prefix + (rest.hasPrefix("/") ? rest.dropFirst() : rest)
        }
        return word
      }
  }

  /// What the engine says, in the VM's words.
  func translated(_ output: [UInt8]) -> [UInt8] {
    var text = output
    let outside = MachinePaths.parts.map { ("\(paths.folder)/\($0.value)/\($0.key)", "/\($0.key)") }
    for (from, to) in [(prefix, "")] + outside where text.count >= from.utf8.count {
      text = Self.replacing(Array(from.utf8), Array(to.utf8), in: text)
    }
    return text
  }

  private static func replacing(_ from: [UInt8], _ to: [UInt8], in text: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < text.count {
      if text[index] == from[0], text[index...].starts(with: from) {
        result += to
        index += from.count
      } else {
        result.append(text[index])
        index += 1
      }
    }
    return result
  }

  /// Docker's rule. Also: nothing that means something in a URL's path.
  static func isName(_ name: String) -> Bool {
    guard let first = name.utf8.first, Self.isWordByte(first), first != UInt8(ascii: "_") else { return false }
    return name.utf8.allSatisfy { isWordByte($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: ".") }
  }

  private static func isWordByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
    default: false
    }
  }

  /// One field of a line of comma-separated values.
  private static func field(_ text: String) -> String {
    guard text.contains(where: { ",\"\n\r".contains($0) }) || text.hasPrefix(" ") || text.hasSuffix(" ") else {
      return text
    }
    return "\"" + text.replacingOccurrences(of: "\"", with: "\"\"") + "\""
  }
}
