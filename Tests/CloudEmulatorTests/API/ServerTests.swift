import Foundation
import Testing

@testable import CloudEmulator

/// Over loopback, with real VMs' hosts, and no waiting but for what is to happen.
struct ServerTests {
  static let group = "/compute/v1/projects/proj/zones/europe-west1-b/instanceGroupManagers"

  /// An emulator that answers at once, and ends when the test does.
  func withEmulator(
    _ change: (inout EmulatorOptions) -> Void = { _ in },
    _ body: (CloudEmulator, EmulatorClient) async throws -> Void
  ) async throws {
    var options = EmulatorOptions()
    options.timing.pendingSeconds = 0
    options.timing.runningSeconds = 0
    options.timing.provisioningSeconds = 0
    options.timing.stagingSeconds = 0
    options.timing.repairSeconds = 0
    change(&options)
    let emulator = try await CloudEmulator.start(options)
    do {
      try await body(emulator, EmulatorClient(address: emulator.address))
    } catch {
      await emulator.stop()
      throw error
    }
    await emulator.stop()
  }

  func send(
    _ client: EmulatorClient, _ method: String, _ target: String, _ body: JSON? = nil, token: String? = nil
  ) async throws -> (status: Int, json: JSON) {
    let headers = token.map { ["Authorization": "Bearer \($0)"] } ?? [:]
    let answer = try await client.send(method, target, headers: headers, body: body?.data ?? Data())
    return (answer.status, (try? JSON(parsing: answer.body)) ?? .null)
  }

  /// Waits for the operation that the request starts.
  func change(_ client: EmulatorClient, _ method: String, _ target: String, _ body: JSON? = nil) async throws {
    let operation = try await send(client, method, target, body)
    #expect(operation.status == 200, "\(operation.json)")
    let link = try #require(operation.json["selfLink"].text?.split(separator: "/compute/").last)
    let done = try await send(client, "POST", "/compute/\(link)/wait")
    #expect(done.json["status"] == "DONE")
    #expect(done.json["error"] == .null)
  }

  func makeGroup(_ client: EmulatorClient, scheduling: JSON = .null, repairs: Bool = false) async throws {
    try await change(
      client, "POST", "/compute/v1/projects/proj/global/instanceTemplates",
      TestCloud.template("job", scheduling: scheduling))
    try await change(client, "POST", Self.group, TestCloud.group("job", template: "job", repairs: repairs))
  }

  @Test func `a VM runs its program, and everything is gone after it`() async throws {
    let (messages, told) = AsyncStream.makeStream(of: String.self)
    let host = ScriptedMachines { machine in
      machine.print("hello\n")
      told.yield(machine.description.name)
      for await signal in machine.signals { told.yield("\(signal)") }
    }
    try await withEmulator({ $0.machines = .host { _ in host } }) { emulator, client in
      try await makeGroup(client)
      var iterator = messages.makeAsyncIterator()
      let name = try #require(await iterator.next())
      let console = try await send(
        client, "GET", "/compute/v1/projects/proj/zones/europe-west1-b/instances/\(name)/serialPort")
      #expect(console.json["contents"] == "hello\n")
      try await change(client, "DELETE", Self.group + "/job")
      #expect(await iterator.next()?.hasPrefix("shutDown") == true)
      try await change(client, "DELETE", "/compute/v1/projects/proj/global/instanceTemplates/job")
      let inventory = await emulator.inventory()
      #expect(inventory.isEmpty)
      #expect(inventory.everMade["instances"] == 1)
    }
  }

  @Test func `a preemption is asked for from outside, and the group makes the VM again`() async throws {
    let (boots, booted) = AsyncStream.makeStream(of: String.self)
    let host = ScriptedMachines { booted.yield($0.description.name) }
    try await withEmulator({ $0.machines = .host { _ in host } }) { _, client in
      try await makeGroup(client, scheduling: TestCloud.spot, repairs: true)
      var iterator = boots.makeAsyncIterator()
      let name = try #require(await iterator.next())
      try await client.preempt(instance: name, graceSeconds: 3)
      #expect(await iterator.next() == name)
      await #expect(throws: EmulatorClient.Failure.self) { try await client.preempt(instance: "nobody") }
      #expect(host.machines.count == 2)
    }
  }

  @Test func `a VM that cannot be booted is off`() async throws {
    struct Broken: VirtualMachineHost {
      struct Refusal: Error, CustomStringConvertible { var description: String { "no room for it" } }
      func boot(
        _ machine: VirtualMachineDescription, events: @escaping @Sendable (VirtualMachineEvent) -> Void
      ) throws -> any VirtualMachine { throw Refusal() }
      func removeDisk(folder: String) {}
    }
    try await withEmulator({ $0.machines = .host { _ in Broken() } }) { emulator, client in
      try await makeGroup(client, repairs: true)
      // The operation of a stop is done when the VM is off.
      let instance = try #require(await emulator.inventory().instances.first).name
      try await change(client, "POST", "/compute/v1/\(instance)/stop")
      // The group says why, as of a VM that could not be made, and does not try for ever.
      let members = try await send(client, "POST", Self.group + "/job/listManagedInstances")
      let member = try #require(members.json["managedInstances"].elements.first)
      let error = try #require(member["lastAttempt"]["errors"]["errors"].elements.first)
      #expect(error["code"] == "CONDITION_NOT_MET")
      #expect(error["message"].text?.contains("no room for it") == true)
      let errors = try await send(client, "GET", Self.group + "/job/listErrors")
      #expect(errors.json["items"].elements.count == 1)
      let console = try await send(client, "GET", "/compute/v1/\(instance)/serialPort")
      #expect(console.json["contents"].text?.contains("no room for it") == true)
      #expect(await emulator.inventory().instances.map(\.status) == ["TERMINATED"])
      #expect(await emulator.inventory().everMade["instances"] == 1)
    }
  }

  @Test func `a thousand pulls are held on one thread, and answered by what comes`() async throws {
    try await withEmulator { emulator, client in
      for index in 0..<10 {
        _ = try await send(client, "PUT", "/v1/projects/proj/topics/topic\(index)")
        _ = try await send(
          client, "PUT", "/v1/projects/proj/subscriptions/sub\(index)", ["topic": "projects/proj/topics/topic\(index)"])
      }
      try await withThrowingTaskGroup(of: Int.self) { tasks in
        for index in 0..<1000 {
          tasks.addTask {
            try await send(
              client, "POST", "/v1/projects/proj/subscriptions/sub\(index % 10):pull", ["maxMessages": 1]
            ).json["receivedMessages"].elements.count
          }
        }
        // Messages may come before or after the pulls: each pull has one in the end.
        for index in 0..<10 {
          _ = try await send(
            client, "POST", "/v1/projects/proj/topics/topic\(index):publish",
            ["messages": .array(Array(repeating: ["data": "aGk="], count: 100))])
        }
        var received = 0
        for try await count in tasks { received += count }
        #expect(received == 1000)
      }
      #expect(await emulator.inventory().subscriptions.map(\.unacknowledged) == Array(repeating: 100, count: 10))
    }
  }

  @Test func `a pull whose client has gone takes nothing`() async throws {
    try await withEmulator { _, client in
      _ = try await send(client, "PUT", "/v1/projects/proj/topics/job")
      _ = try await send(client, "PUT", "/v1/projects/proj/subscriptions/job", ["topic": "projects/proj/topics/job"])
      let pull: JSON = ["maxMessages": 1]
      let gone = Task { try await send(client, "POST", "/v1/projects/proj/subscriptions/job:pull", pull) }
      // Seen by the emulator before it is given up.
      while try await client.inventory().requests["pubsub.projects.subscriptions.pull"] == nil {}
      gone.cancel()
      _ = await gone.result
      let waiting = Task { try await send(client, "POST", "/v1/projects/proj/subscriptions/job:pull", pull) }
      while try await client.inventory().requests["pubsub.projects.subscriptions.pull"] != 2 {}
      _ = try await send(client, "POST", "/v1/projects/proj/topics/job:publish", ["messages": [["data": "aGk="]]])
      #expect(try await waiting.value.json["receivedMessages"].elements.count == 1)
    }
  }

  @Test func `faults come and go by the endpoint`() async throws {
    try await withEmulator { _, client in
      let ids = try await client.addFaults(Data("{request: {method: compute.zones.list}, dropped: true}".utf8))
      await #expect(throws: (any Error).self) { try await client.send("GET", "/compute/v1/projects/proj/zones") }
      let rules = try await send(client, "GET", "/emulator/faults").json["faults"].elements
      #expect(rules.map(\.["happened"]) == [1])
      try await client.removeFault(ids.first)
      #expect(try await client.send("GET", "/compute/v1/projects/proj/zones").status == 200)
      await #expect(throws: EmulatorClient.Failure.self) { try await client.removeFault("none") }
      await #expect(throws: EmulatorClient.Failure.self) { try await client.addFaults(Data("{request: {}}".utf8)) }
    }
  }

  @Test func `the file of credentials is private, and what it signs opens the door`() async throws {
    try await withEmulator({ $0.requiresTokens = true }) { emulator, client in
      for name in ["PUBSUB_EMULATOR_HOST", "STORAGE_EMULATOR_HOST"] {
        #expect(emulator.environment[name] == nil, "a client that reads it sends no token")
      }
      #expect(emulator.environment["GOOGLE_APPLICATION_CREDENTIALS"] == emulator.serviceAccountFile)
      let attributes = try FileManager.default.attributesOfItem(atPath: emulator.serviceAccountFile)
      #expect(attributes[.posixPermissions] as? Int == 0o600)
      let file = try JSON(parsing: try #require(FileManager.default.contents(atPath: emulator.serviceAccountFile)))
      let assertion = TokenTests.Signer(file: file).assertion(at: Date())
      let answer = try await client.send(
        "POST", "/token", headers: ["Content-Type": "application/x-www-form-urlencoded"],
        body: Data("grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=\(assertion)".utf8))
      let token = try JSON(parsing: answer.body)["access_token"].text
      #expect(try await send(client, "GET", "/v1/projects/proj/topics").status == 401)
      #expect(try await send(client, "GET", "/v1/projects/proj/topics", token: token).status == 200)
      let ours = await emulator.issueToken()
      #expect(try await send(client, "GET", "/v1/projects/proj/topics", token: ours.value).status == 200)
      await emulator.revokeTokens()
      #expect(try await send(client, "GET", "/v1/projects/proj/topics", token: token).status == 401)
    }
  }

  @Test func `stopping ends held requests and VMs, and removes the folder`() async throws {
    let host = ScriptedMachines(lingers: true) { _ in }
    var options = EmulatorOptions()
    options.machines = .host { _ in host }
    let emulator = try await CloudEmulator.start(options)
    let client = try EmulatorClient(address: emulator.address)
    _ = try await send(client, "PUT", "/v1/projects/proj/topics/job")
    _ = try await send(client, "PUT", "/v1/projects/proj/subscriptions/job", ["topic": "projects/proj/topics/job"])
    let held = Task { try await send(client, "POST", "/v1/projects/proj/subscriptions/job:pull", ["maxMessages": 1]) }
    while try await client.inventory().requests["pubsub.projects.subscriptions.pull"] == nil {}
    await emulator.stop()
    await #expect(throws: (any Error).self) { try await held.value }
    #expect(!FileManager.default.fileExists(atPath: emulator.folder))
    await #expect(throws: (any Error).self) { try await client.send("GET", "/") }
  }

  @Test func `a port that is taken is an error at the start`() async throws {
    try await withEmulator { emulator, _ in
      var options = EmulatorOptions()
      options.port = emulator.port
      await #expect(throws: (any Error).self) { try await CloudEmulator.start(options) }
    }
  }

  @Test func `a large object goes through, also in a folder that stays`() async throws {
    let folder = NSTemporaryDirectory() + "emulator-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: folder) }
    try await withEmulator({ $0.folder = folder }) { _, client in
      let data = Data((0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7) })
      let answer = try await client.send(
        "POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=big", body: data)
      #expect(answer.status == 200)
      #expect(try await client.send("GET", "/storage/v1/b/bucket/o/big?alt=media").body == data)
    }
    #expect(FileManager.default.fileExists(atPath: folder + "/buckets/bucket/big"))
  }

  @Test func `the inventory is the same from inside and from outside`() async throws {
    try await withEmulator { emulator, client in
      try await makeGroup(client, scheduling: TestCloud.spot)
      let inside = await emulator.inventory()
      let outside = try await client.inventory()
      #expect(outside.instanceGroupManagers == ["projects/proj/zones/europe-west1-b/instanceGroupManagers/job"])
      #expect(outside.instances.map(\.name) == inside.instances.map(\.name))
      #expect(outside.instances.first?.isSpot == true)
      #expect(outside.requests == inside.requests)
      #expect(!outside.isEmpty)
    }
  }
}
