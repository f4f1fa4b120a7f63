import Testing

@testable import CloudEmulator

struct DockerArgumentsTests {
  private func spec(_ words: String...) throws -> ContainerSpec {
    let request = CommandRequest(program: "docker", arguments: [], environment: ["TAKEN": "t"], workingDirectory: "/w")
    return try ContainerSpec(parsing: words, of: request)
  }

  @Test func `options end at the image, and the rest is the command's`() throws {
    let spec = try spec(
      "--name=n", "-itd", "-eA=1", "-e", "TAKEN", "-e", "GONE", "--gpus", "all", "--", "im", "-v", "--rm")
    #expect(spec.name == "n" && spec.isDetached && !spec.isRemoved)
    #expect(spec.environment == ["A=1", "TAKEN=t"])
    #expect(spec.image == "im")
    #expect(spec.command == ["-v", "--rm"])
  }

  @Test func `volumes are folders, names or new`() throws {
    let volumes = try spec("-v", "/a:/b:ro", "-v", "name:/c", "-v", "./d:/e", "im").volumes
    #expect(volumes[0] == .init(source: "/a", target: "/b", isReadOnly: true))
    #expect(volumes[1].source == "/var/lib/docker/volumes/name/_data")
    #expect(volumes[2].source == "/w/./d")
  }

  @Test func `a mount is a line of comma-separated values`() throws {
    let volumes = try spec("--mount", "type=bind,source=/tmp,\"target=/a,\"\"b\"\" c\",readonly", "im").volumes
    #expect(volumes == [.init(source: "/tmp", target: "/a,\"b\" c", isReadOnly: true)])
  }

  @Test(arguments: [["--nope", "im"], ["--name"], ["-v", "relative:also", "im"], []])
  func `what docker refuses is refused`(words: [String]) {
    let request = CommandRequest(program: "docker", arguments: [], environment: [:], workingDirectory: "/")
    #expect(throws: DockerUsageError.self) { try ContainerSpec(parsing: words, of: request) }
  }

  @Test(arguments: [
    ("{{.State.ExitCode}}", "3"), ("a {{.State.Running}} b", "a false b"),
    ("{{json .State}}", #"{"ExitCode":3,"Running":false}"#),
    ("{{range .List}}{{printf \"%s\\x00\" .}}{{end}}", "x\0y\0"), ("{{range .Empty}}{{.}}{{end}}", ""),
  ])
  func `templates are paths and ranges`(template: String, result: String) throws {
    let value: [String: Any] = [
      "State": ["ExitCode": 3, "Running": false] as [String: Any], "List": ["x", "y"], "Empty": [String](),
    ]
    #expect(try InspectFormat.apply(template, to: value) == result)
  }

  @Test func `a template that is not understood is refused`() {
    #expect(throws: DockerUsageError.self) { try InspectFormat.apply("{{len .X}}", to: ["X": 1]) }
    #expect(throws: DockerUsageError.self) { try InspectFormat.apply("{{.Y}}", to: ["X": 1]) }
  }
}
