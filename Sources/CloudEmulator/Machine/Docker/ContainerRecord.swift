internal import Foundation

/// A container as docker remembers it, also after a reboot.
///
///     created -> running -> exited
///     created -> exited          it could not be started: 125, 126 or 127, and no StartedAt
struct ContainerRecord: Codable {
  enum Status: String, Codable { case created, running, exited }

  var id: String
  var name: String
  var spec: ContainerSpec
  var status = Status.created
  var createdAt = Date()
  var startedAt: Date?
  var finishedAt: Date?
  var exitCode: Int32 = 0
  var error = ""

  static let folder = "/var/lib/docker/containers"
  var folder: String { "\(Self.folder)/\(id)" }
  var log: String { folder + "/log" }
  var root: String { folder + "/root" }

  func save() {
    guard let json = try? JSONEncoder().encode(self) else { return }
    let path = folder + "/state.json"
    try? json.write(to: URL(fileURLWithPath: path), options: .atomic)
    chmod(path, 0o600)
  }

  /// As `docker inspect` shows it: enough of it for what programs ask.
  func inspected(pid: pid_t) -> [String: Any] {
    [
      "Id": id, "Name": "/" + name, "Created": Self.text(createdAt), "Path": spec.words.first ?? "",
      "Args": Array(spec.words.dropFirst()), "Image": spec.image, "RestartCount": 0, "LogPath": log,
      "State": [
        "Status": status.rawValue, "Running": status == .running, "Paused": false, "Restarting": false,
        "OOMKilled": false, "Dead": false, "Pid": Int(pid), "ExitCode": Int(exitCode), "Error": error,
        "StartedAt": Self.text(startedAt), "FinishedAt": Self.text(finishedAt),
      ] as [String: Any],
      "Config": [
        "Image": spec.image, "Cmd": spec.command, "Entrypoint": spec.entryPoint as Any, "Env": spec.environment,
        "WorkingDir": spec.workingDirectory ?? "", "User": spec.user ?? "",
      ] as [String: Any],
      "Mounts": spec.volumes.map {
        ["Type": "bind", "Source": $0.source, "Destination": $0.target, "RW": !$0.isReadOnly] as [String: Any]
      },
    ]
  }

  /// Go's zero time for what has not happened.
  private static func text(_ date: Date?) -> String {
    guard let date else { return "0001-01-01T00:00:00Z" }
    let seconds = date.timeIntervalSince1970
    let whole = seconds.rounded(.down)
    let text = Date(timeIntervalSince1970: whole).formatted(.iso8601)
    return text.dropLast() + String(format: ".%09dZ", Int((seconds - whole) * 1e9))
  }
}

/// Go templates, as far as they are paths: `{{.State.ExitCode}}`, `{{json .State}}`, and text around them.
enum InspectFormat {
  static func apply(_ template: String, to value: [String: Any]) throws -> String {
    var result = ""
    var rest = template[...]
    while let start = rest.range(of: "{{") {
      result += rest[..<start.lowerBound]
      guard let end = rest[start.upperBound...].range(of: "}}") else {
        throw DockerUsageError(message: "template parsing error: template: :1: unclosed action")
      }
      let action = rest[start.upperBound..<end.lowerBound].trimmingCharacters(in: .whitespaces)
      rest = rest[end.upperBound...]
      if action.hasPrefix("range "), let close = rest.range(of: "{{end}}") {
        let items = try find(action.dropFirst(6).trimmingCharacters(in: .whitespaces), value) as? [Any] ?? []
        for item in items { result += try body(rest[..<close.lowerBound], item) }
        rest = rest[close.upperBound...]
      } else {
        result += try evaluate(action, value)
      }
    }
    return (result + rest).replacingOccurrences(of: "\\n", with: "\n").replacingOccurrences(of: "\\t", with: "\t")
  }

  private static func evaluate(_ action: String, _ root: [String: Any]) throws -> String {
    let isJSON = action.hasPrefix("json ")
    let value = try find(isJSON ? action.dropFirst(5).trimmingCharacters(in: .whitespaces) : action, root)
    if isJSON || value is [String: Any] || value is [Any] { return try json(value) }
    if let flag = value as? Bool { return flag ? "true" : "false" }
    return "\(value)"
  }

  /// What is repeated for each item: text around `{{.}}` or `{{printf "%s..." .}}`.
  private static func body(_ template: Substring, _ item: Any) throws -> String {
    let pattern = /(?s)(.*?)\{\{\s*(?:printf "%s([^"]*)" )?\.\s*\}\}(.*)/
    guard let match = template.wholeMatch(of: pattern) else { throw unknown("range ... \(template)") }
    let suffix = String(match.2 ?? "").replacingOccurrences(of: "\\x00", with: "\0")
    return "\(match.1)\(item)\(suffix)\(match.3)"
  }

  private static func unknown(_ action: String) -> DockerUsageError {
    DockerUsageError(
      message: "template parsing error: this emulated docker knows paths and ranges only, not {{\(action)}}")
  }

  private static func find(_ path: String, _ root: [String: Any]) throws -> Any {
    guard path.hasPrefix("."), path.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." }) else { throw unknown(path) }
    var value: Any = root
    for name in path.split(separator: ".") {
      guard let next = (value as? [String: Any])?[String(name)] else {
        throw DockerUsageError(
          message:
            "template parsing error: template: :1:2: executing \"\" at <\(path)>: map has no entry for key \"\(name)\"")
      }
      value = next
    }
    return value
  }

  static func json(_ value: Any, pretty: Bool = false) throws -> String {
    let options: JSONSerialization.WritingOptions = [.sortedKeys, .fragmentsAllowed, .withoutEscapingSlashes]
    let data = try JSONSerialization.data(
      withJSONObject: value, options: pretty ? options.union(.prettyPrinted) : options)
    return String(decoding: data, as: UTF8.self)
  }
}
