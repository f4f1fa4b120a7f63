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
  var startedAt: Date?
  var finishedAt: Date?
  var exitCode: Int32 = 0
  var error = ""

  static let folder = "/var/lib/docker/containers"
  var folder: String { "\(Self.folder)/\(id)" }
  var root: String { folder + "/root" }

  func save() {
    guard let json = try? JSONEncoder().encode(self) else { return }
    let path = folder + "/state.json"
    try? json.write(to: URL(fileURLWithPath: path), options: .atomic)
    chmod(path, 0o600)
  }

  /// What `docker inspect` can be asked for, by its path.
  func inspected(pid: pid_t) -> [String: String] {
    [
      ".State.Status": status.rawValue, ".State.Running": "\(status == .running)", ".State.OOMKilled": "false",
      ".State.Pid": "\(pid)", ".State.ExitCode": "\(exitCode)", ".State.Error": error,
      ".State.StartedAt": Self.text(startedAt), ".State.FinishedAt": Self.text(finishedAt),
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
