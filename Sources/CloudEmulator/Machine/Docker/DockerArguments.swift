internal import Foundation

/// What `docker run` was asked for.
struct ContainerSpec: Codable, Equatable {
  struct Volume: Codable, Equatable {
    var source: String
    var target: String
  }

  var name: String?
  var image = ""
  var entryPoint: String?
  var command: [String] = []
  /// In their order; a later one of the same name wins.
  var environment: [String] = []
  var volumes: [Volume] = []
  var sharedMemory = "64m"

  /// All words of the container's command.
  var words: [String] { (entryPoint.map { [$0] } ?? []) + command }
}

/// Docker's own words for what is wrong with a command line, and its exit status.
struct DockerUsageError: Error { var message: String }

extension ContainerSpec {
  /// Taken, and without meaning for a container that shares this machine's devices and images.
  private static let ignored: Set<String> = ["--pull", "--log-driver", "--device", "--gpus"]

  /// The options that a job's runner writes, each a word of its own.
  ///
  /// - Parameter clientEnvironment: gives `--env NAME` a value.
  init(parsing arguments: [String], clientEnvironment: [String: String]) throws {
    var rest = arguments[...]
    while let option = rest.first, option.hasPrefix("-") {
      rest.removeFirst()
      if option == "--privileged" { continue }
      func value() throws -> String {
        guard let value = rest.popFirst() else { throw DockerUsageError(message: "flag needs an argument: \(option)") }
        return value
      }
      switch option {
      case "--name": name = try value()
      case "--entrypoint":
        let word = try value()
        entryPoint = word.isEmpty ? nil : word
      case "--env": add(try value(), clientEnvironment)
      case "--volume": volumes.append(try Volume(short: value()))
      case "--mount": volumes.append(try Volume(csv: value()))
      case "--shm-size": sharedMemory = Self.size(try value())
      case _ where Self.ignored.contains(option): _ = try value()
      default: throw DockerUsageError(message: "unknown flag: \(option)")
      }
    }
    guard let image = rest.popFirst() else {
      throw DockerUsageError(message: "'docker run' requires at least 1 argument")
    }
    self.image = image
    command = Array(rest)
  }

  /// `NAME` alone has the value that the command's own environment gives it, or is left out.
  private mutating func add(_ variable: String, _ clientEnvironment: [String: String]) {
    if variable.contains("=") {
      environment.append(variable)
    } else if let value = clientEnvironment[variable] {
      environment.append("\(variable)=\(value)")
    }
  }

  /// `2g`, or a number of bytes, as tmpfs takes it: without docker's `b` at the end.
  private static func size(_ text: String) -> String {
    let text = text.lowercased()
    return text.hasSuffix("b") ? String(text.dropLast()) : text
  }
}

extension ContainerSpec.Volume {
  /// `SOURCE:TARGET`
  init(short text: String) throws {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 2, parts.allSatisfy({ $0.hasPrefix("/") }) else {
      throw DockerUsageError(message: "Error response from daemon: invalid volume specification: '\(text)'")
    }
    self.init(source: parts[0], target: parts[1])
  }

  /// `type=bind,source=…,target=…`
  init(csv text: String) throws {
    var fields: [String: String] = [:]
    for field in Self.fields(ofCSV: text) {
      let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      fields[String(parts[0])] = parts.count > 1 ? String(parts[1]) : "true"
    }
    guard fields["type"] == "bind", let source = fields["source"], let target = fields["target"], fields.count == 3
    else {
      throw DockerUsageError(
        message: "invalid argument \"\(text)\" for \"--mount\" flag: only type=bind,source=…,target=… is emulated")
    }
    guard access(source, F_OK) == 0 else {
      throw DockerUsageError(
        message:
          "Error response from daemon: invalid mount config for type \"bind\": bind source path does not exist: \(source)"
      )
    }
    self.init(source: source, target: target)
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
}
