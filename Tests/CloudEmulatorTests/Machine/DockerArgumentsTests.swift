import Testing

@testable import CloudEmulator

struct DockerArgumentsTests {
  private func spec(_ words: String...) throws -> ContainerSpec {
    try ContainerSpec(parsing: words, clientEnvironment: ["TAKEN": "t"])
  }

  @Test func `options end at the image, and the rest is the command's`() throws {
    let spec = try spec(
      "--name", "n", "--pull", "never", "--log-driver", "none", "--privileged", "--env", "A=1", "--env", "TAKEN",
      "--env", "GONE", "--gpus", "all", "--device", "/dev/fuse", "im", "--env", "--rm")
    #expect(spec.name == "n")
    #expect(spec.environment == ["A=1", "TAKEN=t"])
    #expect(spec.image == "im")
    #expect(spec.command == ["--env", "--rm"])
  }

  @Test func `a volume is a folder of the VM`() throws {
    #expect(try spec("--volume", "/a:/b", "im").volumes == [.init(source: "/a", target: "/b")])
  }

  @Test func `a mount is a line of comma-separated values`() throws {
    let volumes = try spec("--mount", "type=bind,source=/tmp,\"target=/a,\"\"b\"\" c\"", "im").volumes
    #expect(volumes == [.init(source: "/tmp", target: "/a,\"b\" c")])
  }

  @Test(arguments: [
    ["--nope", "im"], ["--name"], ["--volume", "relative:/also", "im"], ["--volume", "/a:/b:ro", "im"],
    ["--mount", "type=tmpfs,target=/x", "im"], ["--mount", "type=bind,source=/tmp,target=/x,readonly", "im"],
    ["--mount", "type=bind,source=/is/not/there,target=/x", "im"], ["--rm", "im"], [],
  ])
  func `what docker refuses, or is not emulated, is refused`(words: [String]) {
    #expect(throws: DockerUsageError.self) { try ContainerSpec(parsing: words, clientEnvironment: [:]) }
  }

  @Test(arguments: [
    (".State.ExitCode", ".State.ExitCode"), ("{{.State.ExitCode}}", "3"), ("a {{.State.Running}} b", "a false b"),
    ("{{range .Config.Cmd}}{{printf \"%s\\x00\" .}}{{end}}", ""), ("", ""),
  ])
  func `templates are paths, and ranges over nothing`(template: String, result: String) throws {
    let values = [".State.ExitCode": "3", ".State.Running": "false"]
    #expect(try InspectFormat.apply(template, values: values, emptyLists: [".Config.Cmd"]) == result)
  }

  @Test(arguments: ["{{len .X}}", "{{.Y}}", "{{.X", "{{range .X}}{{end}}", "{{range .Empty}}"])
  func `a template that is not understood is refused`(template: String) {
    #expect(throws: DockerUsageError.self) {
      try InspectFormat.apply(template, values: [".X": "1"], emptyLists: [".Empty"])
    }
  }
}
