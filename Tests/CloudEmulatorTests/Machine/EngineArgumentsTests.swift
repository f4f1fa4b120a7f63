import Foundation
import Processes
import Testing

@testable import CloudEmulator

/// What a VM asks of docker, in words for a real engine: pure, but for the folders that links are looked up in.
struct EngineArgumentsTests {
  private let folder = TestFolder()
  private let request = CommandRequest(
    program: "docker", arguments: [], environment: ["TAKEN": "two\nlines", "HOME": "/root"],
    workingDirectory: "/var/work")

  init() throws {
    for name in ["disk/var/work", "disk/var/lib/docker", "disk/home", "boot/run", "boot/tmp/in", "boot/etc"] {
      try makeFolders("\(folder.path)/\(name)")
    }
    let links = [
      "out": "/usr", "up": "../../../../../../etc", "shadow": "/etc/shadow", "loop": "/var/loop", "tmp": "/tmp",
      "inside": "work/deep", "sibling": "../home", "self": "/proc/self/root", "twice": "/var/out/local",
    ]
    for (name, target) in links { symlink(target, "\(folder.path)/disk/var/\(name)") }
    // As a link of this machine it would lead out of the folder.
    symlink("/tmp/in", "\(folder.path)/disk/var/absolute")
    try writeText("FILED=f\n", to: "\(folder.path)/disk/var/work/file")
  }

  private var engine: EngineArguments {
    EngineArguments(
      identity: "id", owner: "me", metadataAddress: "127.0.0.1:9", paths: MachinePaths(folder: folder.path))
  }

  @Test(arguments: [
    ("/var/work", "disk/var/work"), ("/var/work/", "disk/var/work"), ("//var/./work", "disk/var/work"),
    ("/var", "disk/var"), ("/home/new/er", "disk/home/new/er"), ("/tmp/in", "boot/tmp/in"),
    ("/var/../tmp/in", "boot/tmp/in"), ("/../../var/work", "disk/var/work"), ("/var/absent/../work", "disk/var/work"),
    ("/var/tmp/in", "boot/tmp/in"), ("/var/absolute", "boot/tmp/in"), ("/var/inside", "disk/var/work/deep"),
    ("/var/sibling/x", "disk/home/x"), ("/var/up/x", "boot/etc/x"), ("/var/shadow", "boot/etc/shadow"),
    ("/run/docker.sock", "boot/run/docker.sock"), ("/var/a:b,c \"d\"", "disk/var/a:b,c \"d\""),
  ])
  func `a path of the VM is one in its folder`(path: String, expected: String) throws {
    #expect(try engine.paths.place(path).path == "\(folder.path)/\(expected)")
  }

  @Test(arguments: [
    "/", "/usr", "/usr/bin", "/proc/self/root", "/dev/sda", "/sys", "/opt", "/boot", "/nonsense", "relative", "",
    "/var/out", "/var/out/bin", "/var/self/etc", "/var/loop", "/var/twice", "/..", "/var/../..", "/var/../usr",
    "/var/work/../../usr", "/var/nul\0l",
  ])
  func `what is not in the VM's folder is refused`(path: String) {
    #expect(throws: DockerUsageError.self) { try engine.paths.place(path) }
  }

  @Test func `a file that is no folder leads nowhere`() {
    #expect(throws: DockerUsageError.self) { try engine.paths.place("/var/work/file/x") }
  }

  private func run(_ words: [String]) throws -> EngineArguments.Run { try engine.run(words, request) }

  /// What every container is given.
  private let always = [
    "--label", "dagrun-vm=id", "--label", "dagrun-emulator=me", "--network", "host", "--cap-drop", "MKNOD",
  ]

  @Test func `a container has its VM's name, labels and network, and where the metadata server is`() throws {
    let run = try run(["--name", "job", "--rm", "-d", "im", "-v", "/:/host"])
    #expect(
      run.arguments
        == ["run", "--name", "dagrun-vm-id-job"] + always
        + ["--detach", "--rm", "--env", "GCE_METADATA_HOST", "--", "im", "-v", "/:/host"])
    #expect(run.environment == ["GCE_METADATA_HOST": "127.0.0.1:9"])
  }

  @Test func `sources of mounts are in the VM's folder, and read-only stays read-only`() throws {
    let run = try run([
      "--name=n", "-v", "/tmp/in:/a:ro", "-v", "./new:/b", "-v", "named:/c", "--mount",
      "type=bind,source=/var/work,\"target=/d,\"\"e\"\"\",readonly", "--tmpfs", "/t:size=1m", "im",
    ])
    let volumes = zip(run.arguments, run.arguments.dropFirst()).filter { $0.0 == "--mount" }.map(\.1)
    #expect(
      volumes == [
        "type=bind,source=\(folder.path)/boot/tmp/in,target=/a,readonly",
        "type=bind,source=\(folder.path)/disk/var/work/new,target=/b",
        "type=bind,source=\(folder.path)/disk/var/lib/docker/volumes/named/_data,target=/c",
        "type=bind,source=\(folder.path)/disk/var/work,\"target=/d,\"\"e\"\"\",readonly", "type=tmpfs,target=/t",
      ])
    for name in ["work/new", "lib/docker/volumes/named/_data"] {
      #expect(
        FileManager.default.fileExists(atPath: "\(folder.path)/disk/var/\(name)"), "docker makes what is not there")
    }
  }

  @Test func `values of variables are on no command line, but where their names mean something to the client`() throws {
    let run = try run([
      "--name=n", "-e", "A=secret=1", "-e", "A=2", "-e", "TAKEN", "-e", "GONE", "-e", "HOME", "-e", "DOCKER_HOST=x",
      "-e", "https_proxy=y", "-e", "a.b=z", "-e", "GCE_METADATA_HOST=own", "--env-file", "file", "im",
    ])
    let words = zip(run.arguments, run.arguments.dropFirst()).filter { $0.0 == "--env" }.map(\.1)
    #expect(
      words == [
        "GCE_METADATA_HOST", "A", "TAKEN", "HOME=/root", "DOCKER_HOST=x", "https_proxy=y", "a.b=z", "FILED",
      ])
    #expect(run.environment == ["GCE_METADATA_HOST": "own", "A": "2", "TAKEN": "two\nlines", "FILED": "f"])
  }

  @Test func `limits are handed on; a terminal, ports and restarts are not`() throws {
    let run = try run([
      "--name=n", "-itm", "2g", "--cpus=2", "--shm-size", "1g", "--pull", "never", "--log-driver", "none", "--init",
      "--entrypoint", "", "-p", "80:80", "--restart", "always", "--net", "bridge", "-l", "dagrun-vm=other", "-l",
      "own=1",
      "--privileged=false", "-u", "1", "-w", "/w", "im",
    ])
    #expect(
      run.arguments
        == ["run", "--name", "dagrun-vm-id-n"] + always
        + [
          "--log-driver", "none", "--memory", "2g", "--cpus", "2", "--shm-size", "1g", "--pull", "never", "--init",
          "--entrypoint", "", "--label", "own=1", "--workdir", "/w", "--user", "1", "--env", "GCE_METADATA_HOST", "--",
          "im",
        ])
    #expect(try self.run(["--network", "none", "im"]).arguments.contains("none"))
  }

  @Test(arguments: [
    ["--privileged"], ["--device", "/dev/sda"], ["--gpus", "all"], ["--cap-add", "SYS_ADMIN"], ["--pid", "host"],
    ["--security-opt", "seccomp=unconfined"], ["--userns", "host"], ["--volumes-from", "other"], ["--ipc=host"],
    ["--uts", "host"], ["--device-cgroup-rule", "b *:* rwm"], ["--cgroup-parent", "/"], ["--runtime", "x"],
    ["--label-file", "/etc/x"], ["--volume-driver", "x"], ["--sysctl", "a=b"], ["-v", "/:/host"], ["-v", "/usr:/x:ro"],
    ["-v", "/var/out:/x"], ["--mount", "type=bind,source=/dev,target=/x"],
    ["--mount", "type=bind,source=/var/no,target=/x"],
    ["--env-file", "/usr/x"], ["--cidfile", "/usr/x"], ["--name", "a/../b"], ["--name", "-x"], ["--name", ""],
    ["-v", "../../../../../:/x"], ["--unheard-of"],
  ])
  func `what reaches beyond the VM is refused`(words: [String]) {
    #expect(throws: DockerUsageError.self) { try run(words + ["im"]) }
  }

  @Test(arguments: [
    ("job", "dagrun-vm-id-job"), ("/job", "dagrun-vm-id-job"), ("abcd", "abcd1234"), ("abc", "dagrun-vm-id-abc"),
    ("someone-elses", "dagrun-vm-id-someone-elses"), ("x/../ffff9999/json?", "dagrun-vm-id-none"),
    ("ffff9999", "dagrun-vm-id-ffff9999"), ("", "dagrun-vm-id-none"),
  ])
  func `a container is one of this VM's, or none`(asked: String, expected: String) {
    #expect(engine.container(asked, among: [("abcd1234", "dagrun-vm-id-job")]) == expected)
  }

  @Test func `a list is of this VM's containers, by the names it knows`() {
    #expect(
      engine.list(["-aq", "--filter", "name=^job$", "--filter=name=^/x", "-f", "name=b"])
        == [
          "ps", "--filter", "label=dagrun-vm=id", "-aq", "--filter", "name=^/?dagrun-vm-id-job$",
          "--filter=name=^/?dagrun-vm-id-x", "-f", "name=b",
        ])
    let told = "/dagrun-vm-id-job \(folder.path)/disk/var/work \(folder.path)/boot/tmp \u{fffd}"
    #expect(String(decoding: engine.translated(Array(told.utf8)), as: UTF8.self) == "/job /var/work /tmp \u{fffd}")
  }
}
