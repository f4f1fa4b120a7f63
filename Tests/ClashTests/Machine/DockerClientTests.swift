import Dagrun
import Foundation
import Testing

@testable import Clash

/// docker's own client reads the runner's command line; what it would have a daemon create is what was asked.
@Suite struct DockerClientTests {
  static let docker = ValidatorTests.path("docker")

  @Test(
    .enabled(if: docker != nil, "docker's client is not installed"),
    arguments: (0..<4).map { RunnerFuzzTests.firstSeed + 1_000 + $0 })
  func `docker's client has the daemon create what was asked`(seed: UInt64) throws {
    print("fuzz of docker's command line: DAGRUN_FUZZ_SEED=\(seed - 1_000)")
    var random = Fuzz(seed: seed)
    var spec = random.spec()
    spec.mounts = [:]
    spec.config.sharedMemorySize = "8g"

    let asked = Asked()
    let daemon = try LoopbackServer { asked.answer($0) }
    defer { daemon.stop() }
    let machine = try StandInMachine(spec)
    defer { machine.remove() }
    for reference in spec.config.secrets.values {
      machine.cloud.change {
        $0.secrets["projects/a-project/secrets/\(reference)/versions/latest"] = Data("s \(reference)\n".utf8)
      }
    }
    try FileManager.default.removeItem(atPath: machine.folder + "/bin/docker")
    try FileManager.default.createSymbolicLink(
      atPath: machine.folder + "/bin/docker", withDestinationPath: try #require(Self.docker))
    try machine.run(["DOCKER_HOST": "tcp://127.0.0.1:\(daemon.port)"])

    #expect(try machine.result().infrastructure?.kind == .containerStart)
    #expect(try machine.result().infrastructure?.message.contains("enough is known") == true, "\(machine.console)")
    let body = try JSONDecoder().decode(Created.self, from: asked.created)
    let command = try ContainerCommand(spec.command, entrypoint: spec.config.entrypoint)
    #expect(body.image == spec.config.image)
    #expect(bytes(body.command ?? []) == bytes(command.arguments))
    // An empty one takes the image's own away.
    #expect(bytes(body.entrypoint ?? []) == bytes(command.entrypoint.map { [$0] } ?? []))
    let variables =
      spec.allEnvironment.map { "\($0.key)=\($0.value)" } + ["DAGRUN_OUTPUT=/dagrun/output"]
      + spec.config.secrets.map { "\($0.key)=s \($0.value)\n" }
    #expect(Set(bytes(body.environment)) == Set(bytes(variables)))
    #expect(Set(bytes(body.host.mounts.map(\.target))) == Set(bytes(["/dagrun"] + spec.outputs.keys)))
    #expect(body.host.mounts.allSatisfy { $0.type == "bind" && $0.isReadOnly == nil })
    #expect(body.host.isPrivileged == spec.config.isPrivileged)
    #expect(body.host.sharedMemory == 8 << 30)
    #expect(body.host.log.type == "none")
    #expect(!body.hasTerminal)
  }

  private func bytes(_ strings: [String]) -> [Data] { strings.map { Data($0.utf8) } }

  /// Of `POST /containers/create`, in docker's spelling.
  private struct Created: Decodable {
    var image: String
    var command: [String]?
    var entrypoint: [String]?
    var environment: [String]
    var hasTerminal: Bool
    var host: Host

    private enum CodingKeys: String, CodingKey {
      case image = "Image", command = "Cmd", entrypoint = "Entrypoint", environment = "Env", hasTerminal = "Tty"
      case host = "HostConfig"
    }

    struct Host: Decodable {
      var mounts: [Mount]
      var isPrivileged: Bool
      var sharedMemory: Int
      var log: Log

      private enum CodingKeys: String, CodingKey {
        case mounts = "Mounts", isPrivileged = "Privileged", sharedMemory = "ShmSize", log = "LogConfig"
      }
    }

    struct Log: Decodable {
      var type: String
      private enum CodingKeys: String, CodingKey { case type = "Type" }
    }

    struct Mount: Decodable {
      var type: String
      var target: String
      var isReadOnly: Bool?
      private enum CodingKeys: String, CodingKey { case type = "Type", target = "Target", isReadOnly = "ReadOnly" }
    }
  }

  /// A daemon that knows of no container, has every image, and makes nothing.
  private final class Asked: @unchecked Sendable {
    private let lock = NSLock()
    private var body = Data()

    var created: Data { lock.withLock { body } }

    func answer(_ request: LoopbackServer.Request) -> LoopbackServer.Response {
      switch (request.method, request.path.split(separator: "/").suffix(2).joined(separator: "/")) {
      case (_, "_ping"): return .init(body: Data(), headers: ["Api-Version": "1.45", "OSType": "linux"])
      case ("GET", let path) where path.hasSuffix("version"):
        return .json(["ApiVersion": "1.45", "MinAPIVersion": "1.24", "Version": "26.0"], status: 200)
      case ("POST", "images/create"): return .init()
      case ("POST", "containers/create"):
        lock.withLock { body = request.body }
        return .json(["message": "enough is known"], status: 400)
      case (_, _): return .json(["message": "no such container"], status: 404)
      }
    }
  }
}
