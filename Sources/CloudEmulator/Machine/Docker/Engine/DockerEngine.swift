internal import Foundation
internal import Processes

/// A docker engine of this machine, and the client that reaches it.
package struct DockerEngine: Hashable, Sendable, Codable {
  /// A path.
  package var client: String
  /// As it says itself.
  package var version: String
  /// Marks the containers of one emulator's VMs: the next one that has the same folder removes what is left.
  package var owner: String

  /// - Parameter folder: where the emulator keeps its VMs.
  package init(client: String, version: String, folder: String) {
    self.client = client
    self.version = version
    owner = Self.identity(folder)
  }

  static let machineLabel = "dagrun-vm"
  static let ownerLabel = "dagrun-emulator"

  /// Short, and the same for a folder at all times.
  static func identity(_ folder: String) -> String {
    Digest.sha256(Data(folder.utf8)).prefix(8).map { String(format: "%02x", $0) }.joined()
  }

  /// The engine that `docker` of this process's PATH talks to, if it answers within a second or two.
  package static func find(
    folder: String, environment: [String: String], seconds: Double = 2
  ) throws -> DockerEngine {
    let places = (environment["PATH"] ?? "").split(separator: ":").map { "\($0)/docker" }
    guard let client = places.first(where: { $0.hasPrefix("/") && access($0, X_OK) == 0 }) else {
      throw MachineError("there is no docker in PATH")
    }
    let answer = try Spawn(client, ["version", "--format", "{{.Server.Version}}"], environment: environment)
      .run(timeout: seconds)
    let version = answer.text(1).trimmingCharacters(in: .whitespacesAndNewlines)
    guard answer.status == .exited(0), !version.isEmpty else {
      let words = answer.text(2).split(separator: "\n").first.map { ": \($0)" } ?? ""
      throw MachineError("'docker version' reaches no engine\(answer.hasTimedOut ? " within \(seconds) s" : words)")
    }
    let words = ["context", "inspect", "--format", "{{.Endpoints.docker.Host}}"]
    let context = try? Spawn(client, words, environment: environment).run(timeout: seconds)
    let address = (environment["DOCKER_HOST"] ?? context?.text(1) ?? "")
      .trimmingCharacters(in: .whitespacesAndNewlines)
    guard address.isEmpty || address.hasPrefix("unix://") else {
      throw MachineError(
        "docker talks to \(address), which may be another machine: it could not mount the folders of a VM")
    }
    return DockerEngine(client: client, version: version, folder: folder)
  }

  /// What the client has in its environment, and nothing else: where the engine is, who asks, and by which way.
  static func clientEnvironment(_ own: [String: String]) -> [String: String] {
    own.filter { name, _ in isOfClient(name) }
  }

  /// Names that mean something to the client itself.
  static func isOfClient(_ name: String) -> Bool {
    ["PATH", "HOME", "USER", "TMPDIR", "LANG", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"].contains(name)
      || ["DOCKER_", "BUILDKIT_", "MOBY_", "OTEL_", "LD_", "LC_", "GO", "SSL_"].contains { name.hasPrefix($0) }
      || name.lowercased().hasSuffix("_proxy")
  }

  /// Removes all containers that have the label. Blocks.
  ///
  /// - Parameter looksAgain: the engine may still be making one, for a client that was just killed.
  func removeContainers(label: String, looksAgain: Bool = false, within seconds: Double = 20) throws {
    let deadline = monotonicSeconds() + seconds
    let environment = Self.clientEnvironment(ProcessInfo.processInfo.environment)
    func ask(_ arguments: [String]) throws -> String {
      let answer = try Spawn(client, arguments, environment: environment, workingDirectory: "/")
        .run(timeout: max(1, deadline - monotonicSeconds()))
      guard answer.status == .exited(0) else {
        throw MachineError(
          "'docker \(arguments[0])' has failed: \(answer.text(2).trimmingCharacters(in: .whitespacesAndNewlines))")
      }
      return answer.text(1)
    }
    var looks = looksAgain ? 2 : 1
    while true {
      do {
        let ids = try ask(["ps", "--all", "--quiet", "--no-trunc", "--filter", "label=\(label)"])
          .split(whereSeparator: \.isWhitespace).map(String.init)
        if ids.isEmpty {
          looks -= 1
          if looks == 0 { return }
        } else {
          _ = try ask(["rm", "--force", "--volumes"] + ids)
          continue
        }
      } catch {
        if monotonicSeconds() > deadline {
          throw MachineError("containers labelled \(label) may still be there: \(error)")
        }
      }
      usleep(200_000)
    }
  }
}
