internal import Foundation
internal import Processes

/// What `docker run` was asked for.
struct ContainerSpec: Codable, Equatable {
  struct Volume: Codable, Equatable {
    var source: String
    var target: String
    var isReadOnly: Bool
  }

  var name: String?
  var image = ""
  var entryPoint: [String]?
  var command: [String] = []
  /// In their order; a later one of the same name wins.
  var environment: [String] = []
  var volumes: [Volume] = []
  var temporaryFileSystems: [String] = []
  var workingDirectory: String?
  var user: String?
  var hostName: String?
  var isRemoved = false
  var isDetached = false
  var keepsLog = true
  var sharedMemory = "64m"
  var stopSignal = SIGTERM
  var stopSeconds = 10.0
  var idFile: String?
  /// Options that only a real engine can do something about: name, without its dashes, and value; no value: a flag.
  var others: [Other] = []

  struct Other: Codable, Equatable {
    var name: String
    var value: String?
  }

  /// All words of the container's command.
  var words: [String] { (entryPoint ?? []) + command }
}

/// Docker's own words for what is wrong with a command line, and its exit status.
struct DockerUsageError: Error { var message: String }

extension ContainerSpec {
  private static let flags: Set<String> = [
    "privileged", "init", "interactive", "tty", "read-only", "no-healthcheck", "oom-kill-disable", "publish-all",
    "quiet", "sig-proxy", "disable-content-trust",
  ]
  /// Taken, and without meaning for a container that shares this machine's network, devices and memory.
  private static let ignored: Set<String> = [
    "log-opt", "device", "gpus", "network", "net", "label", "cap-add", "cap-drop", "security-opt", "ulimit", "memory",
    "cpus", "cpu-shares", "memory-swap", "ipc", "pid", "uts", "userns", "restart", "runtime", "platform", "publish",
    "expose", "add-host", "dns", "group-add", "label-file", "oom-score-adj", "pids-limit", "sysctl", "cgroupns",
    "cpuset-cpus", "detach-keys", "cgroup-parent", "pull", "attach", "blkio-weight", "device-cgroup-rule",
    "memory-reservation", "network-alias", "storage-opt", "volume-driver", "volumes-from", "link", "health-cmd",
  ]
  private static let short: [Character: String] = [
    "d": "detach", "e": "env", "v": "volume", "w": "workdir", "u": "user", "h": "hostname", "i": "interactive",
    "t": "tty", "l": "label", "m": "memory", "p": "publish", "P": "publish-all", "c": "cpu-shares", "a": "attach",
    "q": "quiet",
  ]

  /// - Parameter request: its environment gives `--env NAME` a value, its files are read as the command would.
  init(parsing arguments: [String], of request: CommandRequest, files: RequestFiles = .here) throws {
    var index = 0
    func value(_ flag: String, _ inline: String?) throws -> String {
      if let inline { return inline }
      index += 1
      guard index < arguments.count else { throw DockerUsageError(message: "flag needs an argument: \(flag)") }
      return arguments[index]
    }
    options: while index < arguments.count {
      let argument = arguments[index]
      if argument == "--" {
        index += 1
        break
      }
      guard argument.hasPrefix("-"), argument != "-" else { break }
      if argument.hasPrefix("--") {
        let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        try set(String(parts[0]), parts.count > 1 ? String(parts[1]) : nil, request, files) {
          try value("--\(parts[0])", $0)
        }
      } else {
        // `-itd`, `-eNAME=value`: flags until one takes the rest as its value.
        var rest = argument.dropFirst()
        while let letter = rest.popFirst() {
          guard let name = Self.short[letter] else {
            throw DockerUsageError(message: "unknown shorthand flag: '\(letter)' in \(argument)")
          }
          if Self.flags.contains(name) || name == "detach" {
            try set(name, nil, request, files) { _ in "" }
          } else {
            let inline = rest.isEmpty ? nil : String(rest.hasPrefix("=") ? rest.dropFirst() : rest)
            try set(name, inline, request, files) { try value("-\(letter)", $0) }
            break
          }
        }
      }
      index += 1
    }
    guard index < arguments.count else {
      throw DockerUsageError(message: "'docker run' requires at least 1 argument")
    }
    image = arguments[index]
    command = Array(arguments[(index + 1)...])
  }

  private mutating func set(
    _ name: String, _ inline: String?, _ request: CommandRequest, _ files: RequestFiles,
    _ value: (String?) throws -> String
  ) throws {
    let isTrue = inline.map { ["true", "1", "t"].contains($0.lowercased()) } ?? true
    switch name {
    case "name": self.name = try value(inline)
    case "rm": isRemoved = isTrue
    case "detach": isDetached = isTrue
    case "entrypoint":
      let word = try value(inline)
      entryPoint = word.isEmpty ? nil : [word]
      others.append(Other(name: name, value: word))
    case "env": add(try value(inline), request)
    case "env-file":
      let path = try value(inline)
      guard let bytes = try files.contents(request.resolved(path)) else {
        throw DockerUsageError(message: "open \(path): no such file or directory")
      }
      for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
        let line = line.drop { $0 == " " || $0 == "\t" }
        if !line.isEmpty, !line.hasPrefix("#") { add(String(line), request) }
      }
    case "volume": volumes.append(try Volume(short: value(inline), request))
    case "mount": try addMount(value(inline), files)
    case "tmpfs":
      temporaryFileSystems.append(String(try value(inline).prefix { $0 != ":" }))
    case "workdir": workingDirectory = try value(inline)
    case "user": user = try value(inline)
    case "hostname": hostName = try value(inline)
    case "shm-size":
      let size = try value(inline)
      sharedMemory = Self.size(size)
      others.append(Other(name: name, value: size))
    case "log-driver": keepsLog = try value(inline) != "none"
    case "stop-signal":
      let signal = try value(inline)
      stopSignal = signalNumber(signal) ?? SIGTERM
      others.append(Other(name: name, value: signal))
    case "stop-timeout":
      let seconds = try value(inline)
      stopSeconds = Double(seconds) ?? 10
      others.append(Other(name: name, value: seconds))
    case "cidfile": idFile = request.resolved(try value(inline))
    case _ where Self.flags.contains(name): if isTrue { others.append(Other(name: name)) }
    case _ where Self.ignored.contains(name): others.append(Other(name: name, value: try value(inline)))
    default: throw DockerUsageError(message: "unknown flag: --\(name)")
    }
  }

  /// `NAME` alone has the value that the command's own environment gives it, or is left out.
  private mutating func add(_ variable: String, _ request: CommandRequest) {
    if variable.contains("=") {
      environment.append(variable)
    } else if let value = request.environment[variable] {
      environment.append("\(variable)=\(value)")
    }
  }

  private mutating func addMount(_ text: String, _ files: RequestFiles) throws {
    var fields: [String: String] = [:]
    for field in Self.fields(ofCSV: text) {
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : "true"
    }
    guard let target = fields["target"] ?? fields["destination"] ?? fields["dst"] else {
      throw DockerUsageError(message: "invalid argument \"\(text)\" for \"--mount\" flag: target is required")
    }
    if fields["type"] == "tmpfs" { return temporaryFileSystems.append(target) }
    guard let source = fields["source"] ?? fields["src"] else {
      throw DockerUsageError(message: "invalid argument \"\(text)\" for \"--mount\" flag: source is required")
    }
    let isBind = fields["type"] == "bind"
    if isBind, try !files.exists(source) {
      throw DockerUsageError(
        message:
          "Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: \(source)"
      )
    }
    let isReadOnly = fields["readonly"] ?? fields["ro"] ?? "false"
    volumes.append(
      Volume(
        source: isBind ? source : Volume.folder(source), target: target, isReadOnly: ["true", "1"].contains(isReadOnly))
    )
  }

  /// One line of comma-separated values: a field in double quotes may hold commas, line breaks and doubled quotes.
  static func fields(ofCSV line: String) -> [String] {
    var fields = [""]
    var isQuoted = false
    var rest = line[...]
    while let character = rest.popFirst() {
      switch character {
      case "\"" where isQuoted && rest.first == "\"": fields[fields.count - 1].append(rest.removeFirst())
      case "\"" where isQuoted || fields.last == "": isQuoted.toggle()
      case "," where !isQuoted: fields.append("")
      default: fields[fields.count - 1].append(character)
      }
    }
    return fields
  }

  /// `2g`, or a number of bytes, as tmpfs takes it.
  private static func size(_ text: String) -> String {
    let text = text.lowercased()
    return String(text.hasSuffix("b") && text.count > 1 && text.dropLast().last!.isLetter ? text.dropLast() : text[...])
      .replacingOccurrences(of: "b", with: "")
  }
}

extension ContainerSpec.Volume {
  /// `SOURCE:TARGET[:OPTIONS]`; a source without a slash is a volume of docker's; `TARGET` alone a new one.
  init(short text: String, _ request: CommandRequest) throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard (1...3).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }) else {
      throw DockerUsageError(message: "Error response from daemon: invalid volume specification: '\(text)'")
    }
    let source = parts.count == 1 ? UUID().uuidString : parts[0]
    target = parts.count == 1 ? parts[0] : parts[1]
    guard target.hasPrefix("/") else {
      throw DockerUsageError(
        message: "Error response from daemon: invalid volume specification: '\(text)': invalid mount config for type "
          + "\"bind\": invalid mount path: '\(target)' mount path must be absolute")
    }
    isReadOnly = parts.count == 3 && parts[2].split(separator: ",").contains("ro")
    if source.hasPrefix("/") || source.hasPrefix(".") {
      self.source = request.resolved(source)
    } else {
      self.source = Self.folder(source)
    }
  }

  static func folder(_ name: String) -> String { "/var/lib/docker/volumes/\(name)/_data" }
}

/// How files that a command line names are looked at: where its program runs, or from outside the VM.
struct RequestFiles {
  /// nil: there is no such file.
  var contents: (_ path: String) throws -> [UInt8]?
  var exists: (_ path: String) throws -> Bool

  static var here: RequestFiles { RequestFiles(contents: readWholeFile, exists: { access($0, F_OK) == 0 }) }
}
