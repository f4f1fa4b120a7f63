import Dagrun
import Foundation
import Testing

@testable import Clash

func machineSpec(_ command: JobCommand = .script("echo"), _ change: (inout JobSpec) -> Void = { _ in }) -> JobSpec {
  var spec = JobSpec(config: JobConfig(project: "a-project", image: "an-image"), command: command)
  change(&spec)
  return spec
}

/// The runner itself, in a folder, among stand-ins.
@Suite struct RunnerTests {
  @Test func `a program's status, log and output come back, and the group goes`() throws {
    let machine = try StandInMachine(
      machineSpec(), program: "echo hello; echo error >&2; printf '%s' '{\"a\": 1}' >$INSIDE/output; exit 3")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.status == 3)
    #expect(result.infrastructure == nil)
    #expect(result.output == #"{"a": 1}"#)
    #expect(result.logBytes == 12)
    #expect(result.logTail == Array("hello\nerror\n".utf8))
    #expect(machine.log == Data("hello\nerror\n".utf8))
    let started = result.startedAt ?? Timestamp(microseconds: .max)
    #expect(started <= result.endedAt)
    // Each is told as soon as it is noticed, the first line perhaps before the start; the result comes last.
    let kinds = machine.messages.map(\.kind).filter { $0 != "heartbeat" }
    #expect(kinds.last == "result" && Set(kinds) == ["started", "log", "result"] && kinds.count == 3)
    #expect(machine.messages.allSatisfy { $0.attributes["job"] == "a-job" && $0.attributes["attempt"] == "3" })
    let sequence = machine.messages.compactMap { $0.attributes["sequence"].flatMap { Int($0) } }
    #expect(sequence.sorted() == Array(machine.messages.indices))
    #expect(Set(machine.messages.map { $0.attributes["boot"] }).count == 1)
    #expect(
      machine.cloud.read { $0.removedGroups } == [
        "projects/a-project/zones/europe-west1-b/instanceGroupManagers/a-job-3"
      ])
    #expect(machine.text("systemctl") == "poweroff\n")
  }

  @Test(arguments: [125, 126, 127])
  func `a program's own status is not taken for docker's`(status: Int) throws {
    let machine = try StandInMachine(machineSpec(), program: "exit \(status)")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.status == status)
    #expect(result.infrastructure == nil)
  }

  @Test(arguments: [
    (125, InfrastructureFailure.Kind.containerStart), (126, .commandNotExecutable), (127, .commandNotFound),
  ])
  func `docker's own status is not a program's`(status: Int, kind: InfrastructureFailure.Kind) throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    try machine.write("refuse", "docker: Error response from daemon: \"no\" such\tthing")
    try machine.write("refuse-status", "\(status)")
    try machine.run()
    let result = try machine.result()
    #expect(result.status == nil)
    #expect(result.startedAt == nil)
    #expect(result.infrastructure?.kind == kind)
    #expect(result.infrastructure?.message.contains("daemon: \"no\" such\tthing") == true)
    #expect(machine.messages("started").isEmpty)
  }

  @Test func `an image that cannot be pulled is told with docker's words`() throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    try machine.write("pull-fault", "Error response from daemon: pull access denied for an-image")
    try machine.run()
    let result = try machine.result()
    #expect(result.status == nil)
    #expect(result.infrastructure?.kind == .imagePull)
    #expect(result.infrastructure?.message.contains("pull access denied for an-image") == true)
    #expect(machine.text("asked").components(separatedBy: "pull").count == 2, "a refusal is final")
    #expect(machine.data("runs") == nil)
  }

  @Test func `a pull that may go better later is tried again`() throws {
    let machine = try StandInMachine(machineSpec())
    defer { machine.remove() }
    try machine.write("pull-fault", "net/http: TLS handshake timeout")
    try machine.run()
    #expect(try machine.result().infrastructure?.kind == .imagePull)
    #expect(machine.text("asked").components(separatedBy: "pull").count == 6)
  }

  @Test func `secrets reach the container and nothing else`() throws {
    let value = "line one\nline 'two' \"$HOME\"\n\n"
    let machine = try StandInMachine(
      machineSpec {
        $0.config.secrets = ["TOKEN": "a-secret", "DOCKER_PASSWORD": "projects/p2/secrets/other/versions/7"]
      })
    defer { machine.remove() }
    machine.cloud.change {
      $0.secrets = [
        "projects/a-project/secrets/a-secret/versions/latest": Data(value.utf8),
        "projects/p2/secrets/other/versions/7": Data("seven".utf8),
      ]
    }
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(
      Set(machine.values("environment")) == [
        "TOKEN=" + value, "DOCKER_PASSWORD=seven", "DAGRUN_OUTPUT=/dagrun/output",
      ])
    #expect(!machine.console.contains("line one"))
  }

  /// Names that begin as those do that mean something to docker, to a loader or to a shell.
  @Test func `no secret stands on a command line, unless its name is docker's own`() throws {
    let names = [
      "GOOGLE_API_KEY", "GOPROXY_TOKEN", "GOLD", "LANGCHAIN_API_KEY", "LANGSMITH_API_KEY", "LC_API_KEY", "LD_SDK_KEY",
      "BASHED", "PATH_TOKEN", "HOME_TOKEN", "ENV_TOKEN", "OLDPWD_", "PWDS", "TMPDIR_KEY", "UIDS", "dagrun", "setting",
      "line", "variables", "options", "container", "DOCKERHUB_TOKEN", "docker_program",
    ]
    let machine = try StandInMachine(
      machineSpec { for name in names { $0.config.secrets[name] = "the-secret" } })
    defer { machine.remove() }
    machine.cloud.change {
      $0.secrets = ["projects/a-project/secrets/the-secret/versions/latest": Data("s3cret".utf8)]
    }
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(Set(machine.values("environment")).isSuperset(of: names.map { "\($0)=s3cret" }))
    #expect(machine.values("line").filter { $0.contains("s3cret") }.isEmpty)
  }

  @Test func `a secret that cannot be read fails the job before its container`() throws {
    let machine = try StandInMachine(machineSpec { $0.config.secrets = ["TOKEN": "missing"] })
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.infrastructure?.kind == .inputs)
    #expect(result.infrastructure?.message.contains("secrets/missing") == true)
    #expect(result.infrastructure?.message.contains("secretAccessor") == true)
    #expect(machine.data("runs") == nil)
  }

  @Test func `a script of 200 kB arrives by metadata of its own`() throws {
    let script = "#!/usr/bin/env -S bash -e \n" + String(repeating: "# §\"'\\ $(x) 🚀\r\n", count: 12_000)
    let machine = try StandInMachine(machineSpec(.script(script)))
    defer { machine.remove() }
    #expect(script.utf8.count > 200_000)
    #expect(!machine.machine.fileItems.isEmpty)
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(machine.data("inside/script") == Data(script.utf8))
    #expect(machine.text("entrypoint") == "/usr/bin/env")
    #expect(machine.values("arguments") == ["-S bash -e", "/dagrun/script"])
  }

  @Test func `a value over 1 MiB is refused as an output`() throws {
    let machine = try StandInMachine(machineSpec(), program: "head -c 1048577 /dev/zero >$INSIDE/output")
    defer { machine.remove() }
    try machine.run()
    let result = try machine.result()
    #expect(result.infrastructure?.kind == .outputs)
    #expect(result.output == nil)
  }

  @Test func `the VM ends a job that its client has forgotten`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.timeoutSeconds = 0.5 }, program: "trap 'exit 9' TERM; sleep 60 & wait")
    defer { machine.remove() }
    try machine.run(["DAGRUN_OVERTIME_SECONDS": "0"])
    let result = try machine.result()
    #expect(result.infrastructure?.message.contains("longer than its limit of 1 s") == true)
  }

  /// A group that repairs would make the VM anew, and the job would begin again, for ever.
  @Test func `a VM that the cloud is about to end ends its job and removes its group before`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.maxRunDurationSeconds = 3600 }, isDetached: true,
      program: "trap 'echo ending; exit 0' TERM; sleep 60 & wait")
    defer { machine.remove() }
    try machine.run(["DAGRUN_LIMIT_SECONDS": "2", "DAGRUN_LINGER_SECONDS": "600"])
    let result = try machine.result()
    #expect(result.infrastructure?.kind == .machine)
    #expect(result.infrastructure?.message.contains("max_run_duration of 3600 s") == true)
    #expect(machine.log == Data("ending\n".utf8))
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
  }

  @Test func `a program that does not end when it is asked to does not outlast the VM's time`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.maxRunDurationSeconds = 30 }, isDetached: true,
      program: "trap '' TERM; while :; do sleep 0.1; done")
    defer { machine.remove() }
    try machine.run(["DAGRUN_LIMIT_SECONDS": "2", "DAGRUN_LINGER_SECONDS": "600"])
    #expect(try machine.result().infrastructure?.message.contains("max_run_duration of 30 s") == true)
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
  }

  @Test func `a VM whose time is up before its image is there says so too`() throws {
    let machine = try StandInMachine(machineSpec { $0.config.maxRunDurationSeconds = 3600 }, isDetached: true)
    defer { machine.remove() }
    try machine.write("pull-fault", "dial tcp: i/o timeout")
    try machine.run(["DAGRUN_LIMIT_SECONDS": "1", "DAGRUN_RETRY_SECONDS": "60", "DAGRUN_LINGER_SECONDS": "600"])
    #expect(try machine.result().infrastructure?.message.contains("max_run_duration of 3600 s") == true)
    #expect(machine.data("runs") == nil)
    #expect(machine.cloud.read { $0.removedGroups }.count == 1)
  }

  @Test func `a VM with a limit that ends in time knows nothing of it`() throws {
    let machine = try StandInMachine(machineSpec { $0.config.maxRunDurationSeconds = 3600 }, program: "exit 3")
    defer { machine.remove() }
    try machine.run()
    #expect(try machine.result().status == 3)
    #expect(machine.values("var/lib/dagrun/a-job/settings").contains("run-limit"))
  }
}

/// What Container-Optimized OS brings, and docker is told about.
@Suite struct RunnerPlatformTests {
  @Test func `drivers of GPUs are installed at each boot and handed to the container`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 1)] })
    defer { machine.remove() }
    try machine.addTool("cos-extensions", "#!/bin/bash\necho \"$*\" >>'\(machine.folder)/extensions'\n")
    try machine.addTool("mount", "#!/bin/bash\necho \"$*\" >>'\(machine.folder)/mounted'\n")
    try machine.run()
    #expect(try machine.result().status == 0)
    #expect(machine.text("extensions") == "install gpu\n")
    #expect(
      machine.text("mounted") == "--bind /var/lib/nvidia /var/lib/nvidia\n-o remount,exec /var/lib/nvidia\n")
    let options = machine.values("options")
    #expect(options.contains("/var/lib/nvidia/lib64:/usr/local/nvidia/lib64"))
    #expect(options.contains("/var/lib/nvidia/bin:/usr/local/nvidia/bin"))
    #expect(options.contains("/dev/nvidiactl") && options.contains("/dev/nvidia-uvm"))
  }

  /// What the image has, what the job sets, and what the program finds.
  @Test(
    arguments: [
      (
        "", [:],
        [
          "LD_LIBRARY_PATH=/usr/local/nvidia/lib64",
          "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/nvidia/bin",
        ]
      ),
      (
        "PATH=/opt/conda/bin:/bin\0LD_LIBRARY_PATH=/opt/lib\0", [:],
        ["LD_LIBRARY_PATH=/usr/local/nvidia/lib64:/opt/lib", "PATH=/opt/conda/bin:/bin:/usr/local/nvidia/bin"]
      ),
      ("PATH=/usr/local/nvidia/bin:/bin\0LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64\0", [:], []),
      (
        "PATH=/bin\0", ["LD_LIBRARY_PATH": "/mine"],
        ["LD_LIBRARY_PATH=/usr/local/nvidia/lib64", "PATH=/bin:/usr/local/nvidia/bin", "LD_LIBRARY_PATH=/mine"]
      ),
    ] as [(String, [String: String], [String])])
  func `a program finds the drivers without knowing where they are`(
    image: String, job: [String: String], expected: [String]
  ) throws {
    let machine = try StandInMachine(
      machineSpec {
        $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 1)]
        $0.config.environment = job
      })
    defer { machine.remove() }
    try machine.addTool("cos-extensions", "#!/bin/bash\n")
    try machine.addTool("mount", "#!/bin/bash\n")
    try machine.write("image-environment", image)
    try machine.run()
    #expect(try machine.result().status == 0)
    let found = machine.values("environment").filter { $0.hasPrefix("PATH=") || $0.hasPrefix("LD_LIBRARY_PATH=") }
    // Of one that is there twice, docker takes the last.
    #expect(found == expected)
  }

  @Test func `drivers that cannot be installed fail the job before its container`() throws {
    let machine = try StandInMachine(
      machineSpec { $0.config.accelerators = [.init(type: "nvidia-tesla-t4", count: 1)] })
    defer { machine.remove() }
    try machine.addTool("cos-extensions", "#!/bin/bash\nexit 1\n")
    try machine.run()
    #expect(try machine.result().infrastructure?.kind == .machine)
    #expect(machine.data("runs") == nil)
  }

  @Test(arguments: [
    ("europe-west1-docker.pkg.dev/p/r/i:1", "europe-west1-docker.pkg.dev"), ("gcr.io/p/i", "gcr.io"),
    ("eu.gcr.io/p/i", "eu.gcr.io"), ("python:3", nil), ("docker.io/library/python", nil),
  ])
  func `Google's own registries get the VM's credentials`(image: String, registry: String?) throws {
    let machine = try StandInMachine(machineSpec { $0.config.image = image })
    defer { machine.remove() }
    try machine.addTool(
      "docker-credential-gcr", "#!/bin/bash\necho \"$HOME $*\" >'\(machine.folder)/credentials'\n")
    try machine.run()
    let home = "\(machine.folder)/var/lib/dagrun/a-job/work/docker"
    #expect(machine.text("credentials") == (registry.map { "\(home) configure-docker --registries=\($0)\n" } ?? ""))
    #expect(machine.text("pulled") == image)
  }

  @Test func `container options reach docker`() throws {
    let machine = try StandInMachine(
      machineSpec {
        $0.config.isPrivileged = true
        $0.config.sharedMemorySize = "8g"
      })
    defer { machine.remove() }
    try machine.run()
    #expect(
      machine.values("options") == ["--pull", "never", "--log-driver", "none", "--privileged", "--shm-size", "8g"])
  }
}
