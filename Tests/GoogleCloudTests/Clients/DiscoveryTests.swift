import Foundation
import GoogleDiscovery
import Testing

@testable import GoogleCloud

@Suite(.enabled(if: GooglePackages.hasDiscoveryDocuments, "\(GooglePackages.absence)"))
struct RequestsByGooglesDescription {
  private let transport = RecordingTransport { request, index throws(CloudError) in
    if request.query.contains(URLQueryItem(name: "uploadType", value: "resumable")) {
      return request.method == .post
        ? .json("", headers: ["location": "https://storage.googleapis.com/upload/storage/v1/b/b/o?upload_id=ABC"])
        : request.headers["Content-Range"]!.hasPrefix("bytes 0-")
          ? .json("", status: 308, headers: ["range": "bytes=0-262143"]) : .json(#"{"name":"o"}"#)
    }
    if request.path.contains("/instanceGroupManagers/"), request.method == .get { return .json(#"{"name":"n"}"#) }
    // Enough of everything else that is read.
    return request.query.contains(URLQueryItem(name: "alt", value: "media"))
      ? CloudResponse(status: 206, body: Data("12345".utf8))
      : .json(#"{"name":"n","status":"DONE","properties":{"machineType":"m"},"size":"5","generation":"7"}"#)
  }

  private func check(_ expectedMethods: Int) throws {
    for request in transport.requests {
      let problems = try DiscoveryDocument.problems(of: request)
      #expect(problems.isEmpty, "\(request.method.rawValue) \(request.path) \(request.bodyText)")
    }
    #expect(transport.requests.count == expectedMethods)
  }

  @Test func `what is sent to Compute Engine is valid`() async throws {
    let client = ComputeClient(project: "my-project", transport: transport)
    _ = try await client.insertInstanceTemplate(.everything, requestID: .sample)
    _ = try await client.instanceTemplate(named: "train-1")
    _ = try await client.deleteInstanceTemplate(named: "train-1", requestID: .sample)
    _ = try await client.instanceTemplates(.nameFits("train-[0-9]+"))

    for scope in [Scope.zone("europe-west1-b"), .region("europe-west1")] {
      let group = InstanceGroupManager.everything(isRegional: scope == .region("europe-west1"))
      _ = try await client.insertInstanceGroup(group, in: scope, requestID: .sample)
      _ = try await client.instanceGroup(named: "train-1", in: scope)
      _ = try await client.deleteInstanceGroup(named: "train-1", in: scope, requestID: .sample)
      _ = try await client.instanceGroups(in: scope, .name("train-1"))
      _ = try await client.managedInstances(ofGroup: "train-1", in: scope)
      _ = try await client.errors(ofGroup: "train-1", in: scope)
    }
    _ = try await client.allInstanceGroups(.name("train-1").and(.labels(["a": "b"])))

    _ = try await client.instance(named: "train-1-x1y2", zone: "europe-west1-b")
    _ = try await client.deleteInstance(named: "train-1-x1y2", zone: "europe-west1-b", requestID: .sample)
    _ = try await client.instances(zone: "europe-west1-b", .labels(["dagrun": "job"]))
    _ = try await client.allInstances(.labels(["dagrun": "job"]))
    _ = try await client.serialPortOutput(ofInstance: "train-1-x1y2", zone: "europe-west1-b", start: 100)
    _ = try await client.image(family: "cos-stable", project: "cos-cloud")
    _ = try await client.image(named: "cos-stable-1-2-3", project: "cos-cloud")

    for scope in ["zones/europe-west1-b", "regions/europe-west1", ""] {
      _ = try await client.operation(named: "operation-1", in: Scope(link: scope))
      var running = ComputeOperation(name: "operation-1", status: .running)
      running.zone = scope.hasPrefix("zones") ? scope : nil
      running.region = scope.hasPrefix("regions") ? scope : nil
      try await client.wait(for: running)
    }
    try check(30)
  }

  @Test func `what is sent to Pub Sub is valid`() async throws {
    let client = PubSubClient(project: "my-project", transport: transport)
    try await client.createTopic(
      "train", PubSubTopic(labels: ["dagrun": "job"], messageStoragePolicy: .init(allowedPersistenceRegions: ["r"])))
    _ = try await client.topic("train")
    _ = try await client.topics(labelled: ["dagrun": "job"])
    try await client.publish([PubSubMessage(data: Data([0, 255]), attributes: ["kind": "log"])], to: "train")
    try await client.createSubscription(
      "train", topic: "train",
      PubSubSubscription(
        ackDeadlineSeconds: 600, messageRetention: DurationString(seconds: 604_800.5),
        expirationPolicy: .init(ttl: DurationString(seconds: 86_400)), labels: ["dagrun": "job"]))
    _ = try await client.subscription("train")
    _ = try await client.subscriptions()
    _ = try await client.pull("train", maxMessages: 100)
    try await client.acknowledge(["a", "b"], of: "train")
    try await client.modifyAckDeadline(["a"], of: "train", seconds: 0)
    try await client.deleteSubscription("train")
    try await client.deleteTopic("train")
    try check(12)
  }

  @Test func `what is sent to Cloud Storage is valid`() async throws {
    let client = StorageClient(transport: transport, pieceBytes: 256 << 10)
    let location = StorageLocation(bucket: "my-bucket", path: "logs/a b/ü#?.log")
    _ = try await client.object(location)
    _ = try await client.objects(below: location)
    _ = try await client.read(location)
    try await client.write(Data("hello".utf8), to: location)
    try await client.write(Data(repeating: 7, count: 300_000), to: location)
    try await client.delete(location)
    try check(9)
  }

  @Test func `what is sent to Secret Manager is valid`() async throws {
    let client = SecretManagerClient(transport: transport)
    _ = try await client.access(try #require(SecretName("db-password", project: "my-project")))
    try check(1)
  }
}

extension InstanceTemplate {
  /// Every field that can be sent.
  static var everything: InstanceTemplate {
    var properties = InstanceProperties(machineType: "n1-standard-4")
    properties.description = "dagrun job train"
    var disk = AttachedDisk(
      boot: true, autoDelete: true,
      initializeParams: .init(
        sourceImage: "projects/cos-cloud/global/images/family/cos-stable", diskSizeGb: 100, diskType: "pd-balanced",
        labels: ["dagrun": "job"]))
    disk.type = .persistent
    disk.mode = .readWrite
    disk.deviceName = "boot"
    properties.disks = [disk]
    properties.networkInterfaces = [
      NetworkInterface(
        network: "global/networks/default", subnetwork: "projects/host/regions/europe-west1/subnetworks/s",
        accessConfigs: [AccessConfig(name: "External NAT", networkTier: .premium)])
    ]
    properties.serviceAccounts = [ServiceAccount()]
    var scheduling = Scheduling()
    scheduling.provisioningModel = .spot
    scheduling.automaticRestart = false
    scheduling.onHostMaintenance = .terminate
    scheduling.instanceTerminationAction = .delete
    scheduling.maxRunDuration = SecondsDuration(seconds: 3600)
    scheduling.preemptible = true
    properties.scheduling = scheduling
    properties.guestAccelerators = [AcceleratorConfig(type: "nvidia-tesla-t4", count: 1)]
    properties.metadata = InstanceMetadata(items: [.init(key: "user-data", value: "#cloud-config\n")])
    properties.labels = ["dagrun": "job"]
    properties.tags = Tags(items: ["dagrun"])
    properties.minCpuPlatform = "Intel Skylake"
    var shielded = ShieldedInstanceConfig()
    shielded.enableSecureBoot = true
    shielded.enableVtpm = true
    shielded.enableIntegrityMonitoring = true
    properties.shieldedInstanceConfig = shielded
    return InstanceTemplate(name: "train-1", description: "dagrun job train", properties: properties)
  }
}

extension InstanceGroupManager {
  static func everything(isRegional: Bool) -> InstanceGroupManager {
    var group = InstanceGroupManager(
      name: "train-1", baseInstanceName: "train-1", instanceTemplate: "global/instanceTemplates/train-1", targetSize: 1)
    group.description = "dagrun job train"
    group.instanceLifecyclePolicy = LifecyclePolicy(defaultActionOnFailure: .doNothing)
    group.instanceLifecyclePolicy?.forceUpdateOnRepair = "NO"
    group.updatePolicy = UpdatePolicy(instanceRedistributionType: isRegional ? "NONE" : nil, type: "OPPORTUNISTIC")
    group.allInstancesConfig = AllInstancesConfig(labels: ["dagrun": "job"])
    group.allInstancesConfig?.properties?.metadata = ["a": "b"]
    if isRegional {
      group.distributionPolicy = DistributionPolicy(targetShape: .any, zones: ["europe-west1-b"])
      group.instanceFlexibilityPolicy = FlexibilityPolicy(
        instanceSelections: ["first": .init(machineTypes: ["n1-standard-4"], rank: 1)])
    }
    return group
  }
}

/// The checker itself: it finds what is wrong.
@Suite(.enabled(if: GooglePackages.hasDiscoveryDocuments, "\(GooglePackages.absence)"))
struct DiscoveryCheckerTests {
  private static func insertTemplate(_ body: String) -> CloudRequest {
    request(.compute, .post, "projects/p/global/instanceTemplates", body)
  }

  private static func request(
    _ service: CloudService, _ method: CloudRequest.Method, _ path: String, _ body: String? = nil,
    query: [String: String] = [:]
  ) -> CloudRequest {
    CloudRequest(
      service, method, path, query: query.map { URLQueryItem(name: $0.key, value: $0.value) },
      body: body.map { Data($0.utf8) }, operation: "try", subject: "it")
  }

  @Test(arguments: [
    (request(.compute, .get, "projects/p/global/instanceTemplate/t"), "no method GET"),
    (request(.compute, .put, "projects/p/global/instanceTemplates/t"), "no method PUT"),
    (request(.compute, .get, "projects/Not A Project/global/instanceTemplates/t"), "is not percent-encoded"),
    (request(.compute, .get, "projects/UPPER/global/instanceTemplates/t"), "path project: “UPPER”"),
    (request(.compute, .get, "projects/p/global/images/family/UPPER"), "path family: “UPPER”"),
    (request(.compute, .get, "projects/p/global/images/i", query: ["requestId": "x"]), "query requestId: there is no"),
    (request(.compute, .get, "projects/p/zones/z/instances", query: ["maxResults": "-1"]), "query maxResults: -1"),
    (request(.compute, .get, "projects/p/zones/z/instances", query: ["maxResults": "many"]), "query maxResults: is no"),
    (request(.compute, .get, "projects/p/zones/z/instances/i", "{}"), "takes no body"),
    (request(.compute, .post, "projects/p/global/instanceTemplates"), "the body is missing"),
    (insertTemplate("["), "the body is not JSON"),
    (insertTemplate("[]"), "is not an object"),
    (insertTemplate(#"{"properties":{"machineType":"m"}}"#), "InstanceTemplate.name: compute.instanceTemplates.insert"),
    (insertTemplate(#"{"name":"t","properties":{}}"#), "properties.machineType: compute.instanceTemplates.insert"),
    (insertTemplate(#"{"name":"t","properties":{"name":"t","machineType":"m"}}"#), "properties.name: there is no such"),
    (insertTemplate(#"{"name":"Bad Name","properties":{"machineType":"m"}}"#), "InstanceTemplate.name: “Bad Name”"),
    (insertTemplate(#"{"name":"t","selfLink":"x","properties":{"machineType":"m"}}"#), "selfLink: only Google"),
    (
      insertTemplate(
        #"{"name":"t","properties":{"machineType":"m","disks":[{"initializeParams":{"diskSizeGb":100}}]}}"#),
      "disks[0].initializeParams.diskSizeGb: is not a string"
    ),
    (
      insertTemplate(
        #"{"name":"t","properties":{"machineType":"m","disks":[{"initializeParams":{"diskSizeGb":"big"}}]}}"#),
      "“big” is not an int64"
    ),
    (
      insertTemplate(#"{"name":"t","properties":{"machineType":"m","scheduling":{"provisioningModel":"CHEAP"}}}"#),
      "“CHEAP” is not one of its values"
    ),
    (
      insertTemplate(#"{"name":"t","properties":{"machineType":"m","scheduling":{"automaticRestart":"false"}}}"#),
      "automaticRestart: is not a boolean"
    ),
    (insertTemplate(#"{"name":"t","properties":{"machineType":"m","labels":{"a":1}}}"#), "labels.a: is not a string"),
    (
      insertTemplate(#"{"name":"t","properties":{"machineType":"m","metadata":{"items":[{"key":"a b"}]}}}"#),
      "items[0].key: “a b”"
    ),
    (
      insertTemplate(#"{"name":"t","properties":{"machineType":"m","tags":{"items":["UP"]}}}"#), "items[0]: “UP” is not"
    ),
    (
      request(
        .compute, .post, "projects/p/regions/r/instanceGroupManagers",
        #"{"name":"g","targetSize":1,"distributionPolicy":{"targetDistributionShape":"ANY"}}"#),
      "distributionPolicy.targetDistributionShape: there is no such"
    ),
    (
      request(
        .compute, .post, "projects/p/zones/z/instanceGroupManagers", #"{"name":"g","targetSize":1,"labels":{}}"#),
      "InstanceGroupManager.labels: there is no such"
    ),
    (request(.pubSub, .put, "projects/p/topics/a/b", "{}"), "“projects/p/topics/a/b” is not"),
    (request(.pubSub, .get, "projects/p/topics/t:publish"), "no method GET"),
    (request(.pubSub, .post, "projects/p/topics/t:publish", #"{"messages":[{"data":"%"}]}"#), "“%” is not a byte"),
    (
      request(.pubSub, .put, "projects/p/subscriptions/s", #"{"messageRetentionDuration":"7 days"}"#),
      "“7 days” is not a google-duration"
    ),
    (
      request(.pubSub, .post, "projects/p/subscriptions/s:pull", #"{"maxMessages":4294967296}"#),
      "maxMessages: 4294967296 is not in"
    ),
    (request(.storage, .get, "b/bucket/o/a/b"), "no method GET"),
    (request(.storage, .delete, "b/bucket/o/a", query: ["alt": "media"]), "gives no media"),
    (request(.storageUpload, .post, "b/bucket/o", "x", query: ["uploadType": "media"]), "the object has no name"),
    (request(.storageUpload, .post, "b/bucket/o", "x", query: ["uploadType": "fast", "name": "a"]), "uploadType fast"),
    (request(.secretManager, .post, "projects/p/secrets/s/versions/1:access"), "no method POST"),
  ])
  func `a wrong request is found`(request: CloudRequest, problem: String) throws {
    let problems = try DiscoveryDocument.problems(of: request)
    #expect(problems.contains { $0.contains(problem) }, "\(problems)")
  }
}
