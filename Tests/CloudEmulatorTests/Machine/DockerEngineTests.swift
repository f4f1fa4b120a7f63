import Foundation
import Processes
import Testing

@testable import CloudEmulator

/// VMs whose docker is a client outside of them. There is no real engine here: what is asked of one is looked at.
@Suite(.enabled(if: canRunMachines, needsMachines))
struct DockerEngineTests {
  private let engine: StandInEngine

  init() throws { engine = try StandInEngine() }

  private func machine(_ script: String, folder: TestFolder = TestFolder(), ends: Bool = true) throws -> TestMachine {
    try TestMachine(
      userData: TestMachine.userData(script: script + (ends ? "\npoweroff\n" : "")), folder: folder,
      docker: .real(DockerEngine(client: engine.client, version: "99.1", folder: folder.path)))
  }

  @Test func `a container's status, output and environment are the real client's`() async throws {
    let machine = try machine(
      """
      export TAKEN=$'two\\nlines'
      mkdir in; echo inside > in/file
      docker run --name a -v ./in:/in --env TAKEN im sh -c 'cat $MOUNT_0/file; echo "$TAKEN"; echo error >&2; exit 7' > out 2> err
      echo $? > status
      docker inspect --type container --format '{{.Name}} {{.State.ExitCode}}' a > inspected
      docker ps -a --format '{{.ID}} {{.Names}}' | cut -d ' ' -f 2 > listed
      docker run --name b im sh -c 'kill -9 $$'; echo $? > killed
      docker run --name a im true; echo $? > conflict
      docker rm -f a b > removed; echo $? >> removed; docker inspect --type container a 2> gone; echo $? >> gone
      docker system prune 2> refused; echo $? >> refused
      docker pull im > pulled; docker version --format x > version
      docker run --privileged im true 2> privileged; echo $? >> privileged
      head -c 3000000 /dev/zero > zeros; docker run --name z -v ./zeros:/z im sh -c 'cat $MOUNT_0' | cmp - zeros && echo same > big
      """)
    #expect(await machine.end() == [.booted, .ended(.poweredOff)])
    #expect(machine.output("out") == "inside\ntwo\nlines")
    #expect(machine.output("err") == "error")
    #expect(machine.output("status") == "7")
    #expect(machine.output("inspected") == "/a 7 [\(engine.folder.path)]")
    #expect(machine.output("listed") == "a")
    #expect(machine.output("killed") == "137")
    #expect(machine.output("conflict") == "125")
    #expect(machine.output("removed") == "a\nb\n0")
    #expect(machine.output("gone") == "Error response from daemon: No such container: a\n1")
    #expect(machine.output("refused")?.contains("'system' is not done with a real engine") == true)
    #expect(machine.output("pulled") == "pulled im")
    #expect(machine.output("version") == "99.1")
    #expect(machine.output("privileged")?.hasSuffix("\n125") == true)
    #expect(machine.output("big") == "same")
    #expect(!engine.calls.contains { $0.contains("lines") || $0.hasPrefix("system") }, "values are on no command line")
  }

  @Test func `a signal to docker run is the container's`() async throws {
    let machine = try machine(
      """
      mkfifo up
      docker run --name c -v /var/out:/out im sh -c 'trap "echo told; exit 7" TERM; echo > $MOUNT_0/up; while :; do sleep 0.05; done' > said &
      read < up; kill -TERM $!; wait $!; echo $? > status
      """)
    await machine.end()
    #expect(machine.output("said") == "told")
    #expect(machine.output("status") == "7")
  }

  @Test func `containers of others are neither seen nor touched`() async throws {
    try engine.makeContainer("others", label: "dagrun-vm=other")
    let machine = try machine(
      "docker ps -aq > seen; docker rm -f others > removed 2>&1; docker logs others > logs 2>&1; echo $? >> logs")
    await machine.end()
    #expect(machine.output("seen") == "")
    #expect(machine.output("removed") == "Error response from daemon: No such container: others")
    #expect(machine.output("logs")?.hasSuffix("\n1") == true)
    #expect(engine.containers == ["others"])
  }

  /// A script that leaves a container running, and says so.
  private let leaving = """
    docker run -d --name d im sleep 1000 > id
    docker run --name c -v /var:/v im sh -c 'echo > $MOUNT_0/ready; exec sleep 1000'
    """

  @Test func `no container is left when it is said that the VM has ended`() async throws {
    let machine = try machine(leaving, ends: false)
    await machine.ready()
    #expect(engine.containers.count == 2)
    machine.machine.kill()
    #expect(await machine.end() == [.booted, .ended(.killed)])
    #expect(engine.containers == [])
  }

  @Test func `a VM that is shut down stops its containers before it kills them`() async throws {
    let machine = try machine("docker run -d --name d im sleep 1000")
    await machine.end()
    let stop = engine.calls.firstIndex { $0.hasPrefix("stop ") }
    let remove = engine.calls.firstIndex { $0.hasPrefix("rm ") }
    #expect(stop != nil && remove != nil && stop! < remove!)
    #expect(engine.containers == [])
  }

  @Test func `no container is left when the emulator is killed`() async throws {
    let folder = TestFolder()
    let emulator = try await emulate(in: folder)
    #expect(engine.containers.count == 2)
    // Only the broker is left to do it.
    let broker = try brokers(of: emulator).map { try ProcessDescriptor(pid: $0) }
    #expect(broker.count == 1)
    kill(emulator, SIGKILL)
    _ = waitForChild(emulator)
    #expect(broker[0].hasEnded(within: 20_000))
    #expect(engine.containers == [])
  }

  @Test func `what a killed emulator and a killed broker have left is removed by the next emulator`() async throws {
    let folder = TestFolder()
    let emulator = try await emulate(in: folder)
    try engine.makeContainer("others", label: "dagrun-emulator=other")
    for pid in try brokers(of: emulator) { kill(pid, SIGKILL) }
    kill(emulator, SIGKILL)
    _ = waitForChild(emulator)
    #expect(engine.containers.count == 3)
    var options = MachineOptions(program: []) { _, _ in MachineToken(value: "", expiresAt: Date()) }
    options.docker = .real(DockerEngine(client: engine.client, version: "", folder: folder.path + "/vm"))
    _ = ProcessMachines(options)
    #expect(engine.containers == ["others"])
  }

  /// Another process with a VM in which containers run.
  private func emulate(in folder: TestFolder) async throws -> pid_t {
    folder.prepareDisk()
    let userData = folder.path + "/user-data"
    try TestMachine.userData(script: leaving).write(toFile: userData, atomically: true, encoding: .utf8)
    var spawn = Spawn(TestMachine.fixture, ["emulate", folder.path + "/vm", userData, engine.client])
    spawn.group = .session
    let null = open("/dev/null", O_RDWR | O_CLOEXEC)
    defer { close(null) }
    spawn.descriptors = [1: null, 2: null]
    let emulator = try spawn.start()
    await folder.ready()
    return emulator
  }

  private func brokers(of emulator: pid_t) throws -> [pid_t] {
    children(of: emulator).filter {
      String(decoding: readWholeFile("/proc/\($0)/cmdline") ?? [], as: UTF8.self).contains("docker-broker")
    }
  }

  @Test func `an engine is found by its answer`() throws {
    let environment = ["PATH": "\(engine.folder.path):/usr/bin:/bin"]
    let found = try DockerEngine.find(folder: "/f", environment: environment)
    #expect(found.version == "99.1" && found.client == engine.client)
    #expect(throws: MachineError.self) { try DockerEngine.find(folder: "/f", environment: ["PATH": "/nowhere"]) }
    for remote in [["DOCKER_HOST": "tcp://10.0.0.1:2375"], ["ENDPOINT": "ssh://somewhere"]] {
      #expect(throws: MachineError.self) {
        try DockerEngine.find(folder: "/f", environment: environment.merging(remote) { $1 })
      }
    }
  }

  @Test func `an engine that does not answer is none`() throws {
    try "#!/bin/sh\nexec sleep 1000\n".write(toFile: engine.client, atomically: true, encoding: .utf8)
    chmod(engine.client, 0o755)
    let error = #expect(throws: MachineError.self) {
      try DockerEngine.find(folder: "/f", environment: ["PATH": "\(engine.folder.path):/usr/bin:/bin"], seconds: 0.1)
    }
    #expect(error?.description.contains("within 0.1 s") == true)
  }
}
