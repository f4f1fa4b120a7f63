import CloudEmulator
import Dagrun
import Foundation
import GoogleCloud
import Logging
import Model
import ModelCloud
import Synchronization
import Testing

@testable import Clash

/// The runner, the transport and the clients against the emulator, with VMs that are closures.
@Suite(.timeLimit(.minutes(2))) struct EmulatorTests {
  @Test func `a job takes twelve requests besides waiting`() async throws {
    try await withCloud { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      await cloud.say(machine, "log", "hello\n", ["offset": "0"])
      await cloud.say(machine, "result", cloud.result(status: 0, log: "hello\n"))
    } body: { world in
      let job = world.start(jobRequest())
      let outcome = await job.outcome()
      #expect(outcome.ending == .exited(status: 0))
      #expect(outcome.leftBehind == [])
      #expect(job.log == "hello\n")
      let inventory = await world.emulator.inventory()
      #expect(inventory.isEmpty)
      #expect(inventory.everMade["instances"] == 1)
      // Those that wait, and what the VM says itself.
      let uncounted = [
        "compute.globalOperations.wait", "compute.zoneOperations.wait", "pubsub.projects.subscriptions.pull",
        "compute.instanceGroupManagers.listManagedInstances", "pubsub.projects.topics.publish",
        // Once before the VM is removed; and, with its console, at each look that finds it running.
        "compute.instances.list", "compute.instances.getSerialPortOutput",
      ]
      let counted = inventory.requests.filter { !uncounted.contains($0.key) }
      #expect(counted.values.reduce(0, +) == 11, "\(inventory.requests)")
    }
  }

  @Test func `stock-outs and a preemption lead down the ladder, and nothing is left`() async throws {
    var options = EmulatorOptions()
    options.faults = [FaultRule(.creation(MachinePattern(zone: "europe-west1-b"), .stockOut))]
    // It has said so before it goes, and before the client, which may see it go, gives it up.
    try await withCloud(options, graceSeconds: 2, lingers: true) { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      if !machine.description.name.hasPrefix("train-2-") {
        await cloud.say(machine, "result", cloud.result(status: 0))
      }
      for await signal in machine.signals {
        if case .preempted = signal { await cloud.say(machine, "preempted", "") }
        machine.powerOff()
      }
    } body: { world in
      let job = world.start(jobRequest { $0.config.provisioning = .spot })
      await job.began()
      let name = try #require(await world.emulator.inventory().instances.first?.name)
      #expect(await world.emulator.preempt(instance: name))
      let outcome = await job.outcome()
      #expect(outcome.ending == .exited(status: 0))
      #expect(outcome.result?.preemptions == 1)
      #expect(outcome.result?.zone == "europe-west1-c")
      #expect(
        try #require(try world.journal.job(named: "train")).attempts.map(\.ending) == [
          .outOfCapacity, .preempted, .succeeded,
        ])
      #expect(await world.emulator.inventory().isEmpty)
    }
  }

  @Test func `a zone without the machine type or the accelerator is passed by, and not asked again`() async throws {
    try await withCloud { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      await cloud.say(machine, "result", cloud.result(status: 0))
    } body: { world in
      let job = world.start(
        jobRequest {
          $0.config.machineTypes = ["a3-highgpu-1g", "n1-standard-4"]
          $0.config.accelerators = [.init(type: "nvidia-tesla-p100", count: 1)]
          $0.config.zones = ["europe-west1-c", "europe-west1-d"]
          $0.config.regions = ["us-west2"]
        })
      let outcome = await job.outcome()
      #expect(outcome.ending == .exited(status: 0))
      let attempts = try #require(try world.journal.job(named: "train")).attempts
      #expect(attempts.map(\.ending) == Array(repeating: .notOffered, count: 4) + [.succeeded])
      #expect(attempts.map(\.zone).last == "europe-west1-d")
      #expect(await world.emulator.inventory().isEmpty)
    }
  }

  @Test func `a machine type that no place has fails the job without a pause`() async throws {
    try await withCloud { _, _ in
    } body: { world in
      let job = world.start(
        jobRequest {
          $0.config.machineTypes = ["n1-standrad-4"]
          $0.config.zones = ["europe-west1-c", "europe-west1-d"]
        })
      let outcome = await job.outcome()
      guard case .infrastructure(let failure) = outcome.ending else {
        Issue.record("\(outcome.ending)")
        return
      }
      #expect(failure.kind == .invalidRequest)
      #expect(failure.message.contains("has n1-standrad-4"), "\(failure.message)")
      #expect(await world.emulator.inventory().isEmpty)
      #expect(await world.emulator.inventory().everMade["instances"] == nil)
    }
  }

  /// Requests fail, answers are lost, and the process is killed again and again.
  @Test(arguments: [UInt64(1), 2, 3, 4])
  func `whatever goes wrong on the way, there is one result and nothing left`(seed: UInt64) async throws {
    var options = EmulatorOptions()
    options.seed = seed
    options.delivery.duplicateProbability = 0.2
    options.delivery.isReordered = true
    let everything = RequestPattern(method: nil, path: nil)
    options.faults = [
      FaultRule(.request(everything, .status(503)), probability: 0.08),
      FaultRule(.request(everything, .answerLost), probability: 0.08),
      FaultRule(.request(everything, .dropped), probability: 0.04),
    ]
    try await withCloud(options) { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      for line in 0..<5 { await cloud.say(machine, "log", "line \(line)\n", ["offset": "\(line * 7)"]) }
      let log = (0..<5).map { "line \($0)\n" }.joined()
      await cloud.say(machine, "result", cloud.result(status: 7, log: log))
    } body: { world in
      var generator = SeededNumbers(state: seed)
      var job = world.start(jobRequest(), log: "train.log")
      for _ in 0..<6 {
        await world.nextCalls(Int.random(in: 1...8, using: &generator), orEndOf: job)
        world.restart()
        if job.all.outcome != nil { break }
        job = world.start(jobRequest(), log: "train.log")
      }
      let outcome = await job.outcome()
      #expect(outcome.ending == .exited(status: 7), "seed \(seed)")
      #expect(outcome.leftBehind == [])
      #expect(outcome.result?.attempts == 1)
      let inventory = await world.emulator.inventory()
      #expect(inventory.isEmpty, "seed \(seed): \(inventory)")
      #expect(inventory.everMade["instances"] == 1)
      let lines = world.text(of: "train.log").split(separator: "\n").filter { !$0.hasPrefix("[dagrun]") }
      #expect(lines == (0..<5).map { "line \($0)" }, "seed \(seed)")
    }
  }

  @Test func `what a killed process has left is collected`() async throws {
    try await withCloud { _, _ in
    } body: { world in
      let job = world.start(jobRequest())
      await job.noted("machine is up")
      world.runner.stop()
      let collector = JobCollector(project: "my-project", transport: world.session)
      let inventory = try await collector.inventory()
      #expect(
        inventory.resources.map(\.kind.words).sorted() == [
          "instance group", "instance template", "subscription", "topic",
        ])
      let plan = CollectionPlan(
        inventory, journal: [], policy: CollectionPolicy(homeID: "home1"), now: Timestamp(Date()))
      for await removal in collector.remove(plan) { #expect(removal.failure == nil) }
      #expect(await world.emulator.inventory().isEmpty)
    }
  }

  /// Killed at once, with no notice, as the power goes: nothing is heard of it, and its group shows it.
  @Test func `a Spot machine that goes without a word is missed and replaced`() async throws {
    try await withCloud { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      if machine.description.name.hasPrefix("train-1-") { return machine.kill() }
      await cloud.say(machine, "result", cloud.result(status: 0))
    } body: { world in
      let job = world.start(jobRequest { $0.config.provisioning = .spot })
      #expect(await job.outcome().ending == .exited(status: 0))
      let attempts = try #require(try world.journal.job(named: "train")).attempts
      #expect(attempts.map(\.ending) == [.lost, .succeeded])
      #expect(attempts.map(\.zone) == ["europe-west1-b", "europe-west1-b"])
      #expect(await world.emulator.inventory().isEmpty)
    }
  }

  @Test func `a detached job is found by another home`() async throws {
    try await withCloud { machine, cloud in
      await cloud.say(machine, "started", #"{"startedAt":\#(Date().timeIntervalSince1970)}"#)
      await cloud.say(machine, "result", cloud.result(status: 0, output: "42"))
    } body: { world in
      _ = world.start(jobRequest(detached: true))
      #expect(await world.runner.waitUntilHandedOver("train"))
      world.forget()
      let reader = UpdateReader()
      world.runner.attach("train", project: "my-project", logPath: nil, observer: reader.receive)
      let outcome = await reader.outcome()
      #expect(outcome.ending == .exited(status: 0))
      #expect(outcome.output == "42")
      #expect(await world.emulator.inventory().isEmpty)
    }
  }
}

/// An emulator, and a runner over the real transport.
private final class EmulatedWorld: @unchecked Sendable {
  let emulator: CloudEmulator
  let session: CloudSession
  let folder: TestFolder
  private let transport: CountingTransport
  private(set) var journal = MemoryJournal()
  private(set) var runner: JobRunner

  private let graceSeconds: Double

  init(_ emulator: CloudEmulator, _ session: CloudSession, _ folder: TestFolder, graceSeconds: Double) {
    (self.emulator, self.session, self.folder) = (emulator, session, folder)
    self.graceSeconds = graceSeconds
    transport = CountingTransport(session)
    runner = Self.makeRunner(transport, journal, graceSeconds)
  }

  private static func makeRunner(
    _ transport: CountingTransport, _ journal: MemoryJournal, _ graceSeconds: Double
  ) -> JobRunner {
    var options = JobRunnerOptions()
    options.timings = .quick
    options.timings.graceSeconds = graceSeconds
    // Looks cost requests; a VM of the emulator is up within a second.
    options.timings.firstLookSeconds = 0.3
    options.timings.removalLimitSeconds = 60
    options.firstRetrySeconds = 0.05
    // What a killed runner was just being told comes again after this.
    options.acknowledgeLimitSeconds = 10
    return JobRunner(
      transport: transport, endpoints: transport.session.endpoints, journal: journal, options: options,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  func start(_ request: JobRequest, log: String? = nil) -> UpdateReader {
    let reader = UpdateReader()
    let transport = transport
    runner.start(request, logPath: log.map { folder.path + "/" + $0 }) { update in
      reader.receive(update)
      if case .ended = update { transport.openGate() }
    }
    return reader
  }

  /// Waits until the runner has made so many more calls, or the job has ended.
  func nextCalls(_ count: Int, orEndOf job: UpdateReader) async {
    let gate = transport.gate(afterCalls: count)
    if job.all.outcome != nil { gate.open() }
    await gate.wait()
  }

  func restart() {
    runner.stop()
    runner = Self.makeRunner(transport, journal, graceSeconds)
  }

  /// As on another machine.
  func forget() {
    runner.stop()
    journal = MemoryJournal()
    runner = Self.makeRunner(transport, journal, graceSeconds)
  }

  func text(of log: String) -> String {
    FileManager.default.contents(atPath: folder.path + "/" + log).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}

/// Opens a gate when a number of calls were begun.
private final class CountingTransport: CloudTransport {
  let session: CloudSession
  private let state = Mutex<(callsLeft: Int, gate: Gate)>((0, Gate()))

  init(_ session: CloudSession) { self.session = session }

  func gate(afterCalls count: Int) -> Gate {
    let gate = Gate()
    state.withLock { $0 = (count, gate) }
    return gate
  }

  func openGate() { state.withLock { $0.gate.open() } }

  func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    state.withLock { state in
      state.callsLeft -= 1
      if state.callsLeft == 0 { state.gate.open() }
    }
    return try await session.call(request)
  }
}

/// The same numbers for the same seed.
private struct SeededNumbers: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    var mixed = state
    mixed ^= mixed >> 33
    mixed = mixed &* 0xff51_afd7_ed55_8ccd
    mixed ^= mixed >> 33
    return mixed
  }
}

/// What a VM has at hand.
private final class VirtualCloud: Sendable {
  let session: CloudSession
  init(_ session: CloudSession) { self.session = session }

  /// - Returns: once it is said, however often that has to be tried.
  func say(_ machine: ScriptedMachine, _ kind: String, _ data: String, _ also: [String: String] = [:]) async {
    guard let text = machine.description.metadata["dagrun-job"],
      let job = try? JSONDecoder().decode(JobRequest.self, from: Data(text.utf8))
    else { preconditionFailure("the template does not have the request") }
    let attempt = machine.description.name.dropFirst(job.name.count + 1).prefix { $0 != "-" }
    let attributes = [
      "dagrun": "1", "job": job.name, "attempt": String(attempt), "boot": machine.description.name, "kind": kind,
      "word": machine.description.metadata["dagrun-word"] ?? "",
    ].merging(also) { $1 }
    let client = PubSubClient(project: machine.description.project, transport: session)
    while !Task.isCancelled {
      let isSaid =
        (try? await client.publish([PubSubMessage(data: Data(data.utf8), attributes: attributes)], to: job.name)) != nil
      if isSaid { return }
    }
  }

  func result(status: Int, log: String = "", output: String? = nil) -> String {
    let now = Date().timeIntervalSince1970
    let output = output.map { "\"\(Data($0.utf8).base64EncodedString())\"" } ?? "null"
    return """
      {"status":\(status),"infrastructure":null,"startedAt":\(now),"endedAt":\(now),"logBytes":\(log.utf8.count),
      "logTail":"\(Data(log.utf8).base64EncodedString())","output":\(output)}
      """
  }
}

private func withCloud(
  _ options: EmulatorOptions = EmulatorOptions(), graceSeconds: Double = JobTimings.quick.graceSeconds,
  lingers: Bool = false,
  machine: @escaping @Sendable (ScriptedMachine, VirtualCloud) async -> Void,
  body: (EmulatedWorld) async throws -> Void
) async throws {
  let folder = TestFolder()
  let session = Mutex<CloudSession?>(nil)
  var options = options
  options.machines = .host { _ in
    ScriptedMachines(lingers: lingers) { running in
      guard let session = session.withLock(\.self) else { return }
      await machine(running, VirtualCloud(session))
    }
  }
  let emulator = try await CloudEmulator.start(options, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  do {
    let environment = emulator.environment.merging(["HOME": folder.path, "NO_GCE_CHECK": "true"]) { $1 }
    var rules = RetryRules()
    (rules.firstDelaySeconds, rules.shortestPollSeconds) = (0.02, 0.02)
    let opened = CloudSession(
      try CloudPlaces(environment: environment), HTTPClient(HTTPClientOptions(environment: environment)),
      CloudEnvironment(environment: environment), rules: rules)
    session.withLock { $0 = opened }
    let world = EmulatedWorld(emulator, opened, folder, graceSeconds: graceSeconds)
    try await body(world)
    world.runner.stop()
  } catch {
    await emulator.stop()
    throw error
  }
  await emulator.stop()
}
