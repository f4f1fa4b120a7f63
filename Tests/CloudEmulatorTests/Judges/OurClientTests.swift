import Foundation
import GoogleCloud
import Testing

@testable import CloudEmulator

/// Our own clients, over the real network, against an emulator: Google's own where there is one.
struct OurClientTests {
  @Test(.enabled(if: GooglesPubSubEmulator.program != nil, "\(GooglesPubSubEmulator.absence)"))
  func `our Pub Sub client and Google's own emulator understand each other`() async throws {
    let emulator = try await GooglesPubSubEmulator.start()
    defer { emulator.stop() }
    let session = try CloudSession.standard(environment: ["PUBSUB_EMULATOR_HOST": emulator.address])
    try await exercise(PubSubClient(project: "judge", transport: session))
  }

  @Test func `our Pub Sub client and our emulator understand each other`() async throws {
    try await withEmulator { session in try await exercise(PubSubClient(project: "judge", transport: session)) }
  }

  @Test(arguments: [Scope.zone("europe-west1-b"), .region("europe-west1")])
  func `our Compute Engine client and our emulator understand each other`(scope: Scope) async throws {
    try await withEmulator { session in
      try await exercise(ComputeClient(project: "judge", transport: session) { _ in }, scope)
    }
  }

  @Test func `a large object comes back as it went`() async throws {
    try await withEmulator { session in
      let client = StorageClient(transport: session, pieceBytes: 256 << 10)
      let place = StorageLocation(bucket: "my-bucket", path: "logs/a b/ü?#.log")
      let data = Data((0..<700_001).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ $0 >> 8) })
      try await client.write(data, to: place)
      #expect(try await client.read(place) == data)
      #expect(
        try await client.objects(below: StorageLocation(bucket: "my-bucket", path: "logs/")).map(\.name) == [place.path]
      )
      try await client.write(Data(), to: place)
      #expect(try await client.read(place).isEmpty)
      try await client.delete(place)
      await #expect(throws: CloudError.self) { try await client.object(place) }
    }
  }

  @Test func `a secret is read, a missing one is not found`() async throws {
    try await withEmulator(secrets: ["db": "hunter2"]) { session in
      let client = SecretManagerClient(transport: session)
      let value = try await client.access(try #require(SecretName("db", project: "judge")))
      #expect(value.bytes == Data("hunter2".utf8))
      let missing = try #require(SecretName("none", project: "judge"))
      await #expect { try await client.access(missing) } throws: { ($0 as? CloudError)?.reason == .notFound }
    }
  }

  // MARK: -

  private func withEmulator(
    secrets: [String: String] = [:], _ body: (CloudSession) async throws -> Void
  ) async throws {
    var options = EmulatorOptions()
    options.timing.pendingSeconds = 0.01
    options.timing.runningSeconds = 0.02
    options.timing.provisioningSeconds = 0.01
    options.timing.stagingSeconds = 0.01
    options.secrets = secrets
    let emulator = try await CloudEmulator.start(options)
    do {
      try await body(try CloudSession.standard(environment: emulator.environment))
    } catch {
      await emulator.stop()
      throw error
    }
    await emulator.stop()
  }

  private func exercise(_ client: PubSubClient) async throws {
    try await client.createTopic(
      "train",
      PubSubTopic(
        labels: ["dagrun": "job"], messageStoragePolicy: .init(allowedPersistenceRegions: ["europe-west1"])))
    await #expect { try await client.createTopic("train") } throws: { ($0 as? CloudError)?.reason == .alreadyExists }
    #expect(try await client.topics(labelled: ["dagrun": "job"]).map(\.id) == ["train"])
    try await client.createSubscription(
      "train", topic: "train",
      PubSubSubscription(
        ackDeadlineSeconds: 600, messageRetention: DurationString(seconds: 604_800),
        expirationPolicy: .init(ttl: DurationString(seconds: 86_400)), labels: ["dagrun": "job"]))
    let subscription = try await client.subscription("train")
    #expect(subscription.messageRetentionDuration?.seconds == 604_800 && subscription.ackDeadlineSeconds == 600)
    #expect(try await client.subscriptions(labelled: ["dagrun": "job"]).map(\.id) == ["train"])

    // A pull that waits is answered by what is published meanwhile.
    async let waiting = client.pull("train")
    let sent = PubSubMessage(data: Data([0, 10, 255]), attributes: ["kind": "log", "text": "line\nline ü"])
    try await client.publish([sent], to: "train")
    var received = try await waiting
    while received.isEmpty { received = try await client.pull("train") }
    #expect(received.map(\.message.data) == [sent.data] && received[0].message.attributes == sent.attributes)
    try await client.modifyAckDeadline(received.map(\.ackId), of: "train", seconds: 0)
    let again = try await client.pull("train")
    #expect(again.map(\.message.messageId) == received.map(\.message.messageId))
    try await client.acknowledge(again.map(\.ackId), of: "train")

    try await client.deleteTopic("train")
    #expect(try await client.subscription("train").topic == "_deleted-topic_")
    try await client.deleteSubscription("train")
    await #expect { try await client.pull("train") } throws: { ($0 as? CloudError)?.reason == .notFound }
  }

  private func exercise(_ client: ComputeClient, _ scope: Scope) async throws {
    #expect(try await client.image(family: "cos-stable", project: "cos-cloud").name.isEmpty == false)
    var properties = InstanceProperties(machineType: "n1-standard-1")
    properties.labels = ["dagrun": "job"]
    properties.disks = [
      AttachedDisk(
        boot: true, autoDelete: true,
        initializeParams: .init(sourceImage: "projects/cos-cloud/global/images/family/cos-stable", diskSizeGb: 20))
    ]
    properties.networkInterfaces = [NetworkInterface(network: "global/networks/default")]
    let template = InstanceTemplate(name: "train-1", properties: properties)
    let request = RequestID(UUID())
    let first = try await client.insertInstanceTemplate(template, requestID: request)
    #expect(try await client.insertInstanceTemplate(template, requestID: request).name == first.name)
    try await client.wait(for: first)
    #expect(try await client.instanceTemplates(.nameFits("train-[0-9]+")).map(\.name) == ["train-1"])
    #expect(try await client.instanceTemplates(.nameFits("rain-[0-9]+")).isEmpty)
    let disks = try await client.instanceTemplate(named: "train-1").properties.disks
    #expect(disks?.map(\.initializeParams) == properties.disks?.map(\.initializeParams))

    var group = InstanceGroupManager(
      name: "train-1", baseInstanceName: "train-1", instanceTemplate: "global/instanceTemplates/train-1", targetSize: 1)
    group.instanceLifecyclePolicy = .init(defaultActionOnFailure: .doNothing)
    group.allInstancesConfig = .init(labels: ["dagrun-attempt": "1"])
    if case .region = scope {
      group.distributionPolicy = .init(targetShape: .any)
      group.updatePolicy = .init(instanceRedistributionType: "NONE")
    }
    try await client.wait(for: client.insertInstanceGroup(group, in: scope, requestID: RequestID(UUID())))
    #expect(try await client.instanceGroup(named: "train-1", in: scope).scope == scope)
    #expect(try await client.allInstanceGroups().items.map(\.name) == ["train-1"])
    var instances = try await client.managedInstances(ofGroup: "train-1", in: scope)
    while instances.first?.instanceStatus != .running {
      instances = try await client.managedInstances(ofGroup: "train-1", in: scope)
    }
    let zone = try #require(instances[0].zone)
    let name = try #require(instances[0].instanceName)
    let labels = try await client.instance(named: name, zone: zone).labels
    #expect(labels?["dagrun"] == "job" && labels?["dagrun-attempt"] == "1")
    #expect(try await client.allInstances(.labels(["dagrun": "job"])).items.map(\.name) == [name])
    #expect(try await client.errors(ofGroup: "train-1", in: scope).isEmpty)

    await #expect {
      try await client.wait(for: client.deleteInstanceTemplate(named: "train-1", requestID: RequestID(UUID())))
    } throws: {
      ($0 as? CloudError)?.reason == .inUse
    }
    try await client.wait(for: client.deleteInstanceGroup(named: "train-1", in: scope, requestID: RequestID(UUID())))
    await #expect {
      try await client.instanceGroup(named: "train-1", in: scope)
    } throws: {
      ($0 as? CloudError)?.reason == .notFound
    }
    try await client.wait(for: client.deleteInstanceTemplate(named: "train-1", requestID: RequestID(UUID())))
    #expect(try await client.instanceTemplates().isEmpty)
  }
}
