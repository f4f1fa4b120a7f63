import Foundation
import Testing

@testable import GoogleCloud

/// What Google answers is read, also what is missing, new or odd in it.
struct AnswerTests {
  private func compute(_ answers: String...) -> (ComputeClient, RecordingTransport) {
    let transport = RecordingTransport { _, index in .json(answers[min(index, answers.count - 1)]) }
    return (ComputeClient(project: "p", transport: transport, sleep: { _ in }), transport)
  }

  @Test func `a template is read with its whole numbers as strings and fields that nobody knows`() async throws {
    let (client, _) = compute(
      """
      {"kind":"compute#instanceTemplate","id":"8138456498464","creationTimestamp":"2026-11-20T01:02:03.456-08:00",
       "name":"train-1","description":"","selfLink":"https://www.googleapis.com/compute/v1/projects/p/global/instanceTemplates/train-1",
       "properties":{"machineType":"n1-standard-4","newField":{"a":[1]},
        "labels":{"dagrun":"job"},
        "scheduling":{"provisioningModel":"LUNAR","preemptible":true,"maxRunDuration":{"seconds":"3600"}},
        "disks":[{"boot":true,"index":0,"initializeParams":{"diskSizeGb":"100"}},{"initializeParams":{"diskSizeGb":50}}],
        "metadata":{"fingerprint":"x","items":[{"key":"user-data","value":"#cloud-config"}]}}}
      """)
    let template = try await client.instanceTemplate(named: "train-1")
    #expect(template.properties.disks?.compactMap(\.initializeParams?.diskSizeGb?.value) == [100, 50])
    #expect(template.properties.scheduling?.provisioningModel == "LUNAR")
    #expect(template.properties.scheduling?.maxRunDuration?.seconds == 3600)
    #expect(template.properties.metadata?["user-data"] == "#cloud-config")
    #expect(template.properties.labels == ["dagrun": "job"])
  }

  @Test func `a list without items is empty`() async throws {
    let (client, _) = compute(#"{"kind":"compute#instanceTemplateList","id":"x"}"#)
    #expect(try await client.instanceTemplates().isEmpty)
    #expect(try await client.managedInstances(ofGroup: "g", in: .zone("z")).isEmpty)
    #expect(try await client.errors(ofGroup: "g", in: .zone("z")).isEmpty)
    #expect(try await client.allInstances() == AggregatedList(items: []))
    let pubSub = PubSubClient(project: "p", transport: RecordingTransport("{}"))
    #expect(try await pubSub.topics().isEmpty)
    #expect(try await pubSub.pull("s").isEmpty)
    let storage = StorageClient(transport: RecordingTransport("{}"))
    #expect(try await storage.objects(below: StorageLocation(bucket: "b", path: "")).isEmpty)
  }

  @Test func `every page of a list is read, with the filter on each`() async throws {
    let (client, transport) = compute(
      #"{"items":[{"name":"a"}],"nextPageToken":"two"}"#, #"{"nextPageToken":"three"}"#,
      #"{"items":[{"name":"b"}],"nextPageToken":""}"#)
    #expect(try await client.instances(zone: "z", .name("x")).map(\.name) == ["a", "b"])
    #expect(transport.requests.map { $0.value("pageToken") } == [nil, "two", "three"])
    #expect(transport.requests.allSatisfy { $0.value("filter") == #"(name = "x")"# })
  }

  @Test func `a list whose page names itself as the next one ends with an error`() async throws {
    let (client, transport) = compute(#"{"nextPageToken":"same"}"#)
    await #expect {
      try await client.instanceTemplates()
    } throws: {
      ($0 as? CloudError)?.reason == .badAnswer
    }
    #expect(transport.requests.count == 2)
  }

  @Test func `an aggregated list joins all places, and names those that could not be asked`() async throws {
    let (client, _) = compute(
      """
      {"items":{
        "zones/europe-west1-b":{"instanceGroupManagers":[{"name":"a","zone":"https://x/zones/europe-west1-b"}]},
        "zones/europe-west1-c":{"warning":{"code":"NO_RESULTS_ON_PAGE","message":"none","data":[{"key":"scope"}]}},
        "zones/us-east1-d":{"warning":{"code":"UNREACHABLE","message":"down"}},
        "regions/europe-west1":{"instanceGroupManagers":[{"name":"r","region":"https://x/regions/europe-west1"}]}},
       "unreachables":["zones/asia-east1-a"]}
      """)
    let list = try await client.allInstanceGroups()
    #expect(list.items.map(\.name) == ["r", "a"])
    #expect(list.items.map(\.scope) == [.region("europe-west1"), .zone("europe-west1-b")])
    #expect(list.unreachable == ["zones/asia-east1-a", "zones/us-east1-d"])
  }

  @Test func `a VM that cannot be made is a managed instance with errors and no status`() async throws {
    let (client, transport) = compute(
      """
      {"managedInstances":[{"name":"train-1-x1y2","currentAction":"CREATING",
        "instance":"https://www.googleapis.com/compute/v1/projects/p/zones/europe-west1-b/instances/train-1-x1y2",
        "lastAttempt":{"errors":{"errors":[{"code":"ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS","message":"no more",
          "errorDetails":[{"help":{"links":[{"url":"https://cloud.google.com/x"}]}},{"errorInfo":{"reason":"stockout"}}]}]}}},
       {"instance":"https://x/zones/z/instances/i","instanceStatus":"DREAMING","currentAction":"HUMMING","id":"12"}]}
      """)
    let instances = try await client.managedInstances(ofGroup: "train-1", in: .zone("europe-west1-b"))
    #expect(transport.requests.first?.method == .post)
    let first = try #require(instances.first)
    #expect(first.zone == "europe-west1-b" && first.instanceStatus == nil && first.currentAction == .creating)
    let error = CloudError(first.faults, operation: "make the VM of", subject: "train-1")
    #expect(error.reason == .outOfCapacity)
    #expect(instances.last?.instanceName == "i" && instances.last?.instanceStatus == "DREAMING")
  }

  @Test func `a group's errors are read`() async throws {
    let (client, _) = compute(
      """
      {"items":[{"error":{"code":"QUOTA_EXCEEDED","message":"Quota 'CPUS' exceeded.  Limit: 8.0 in region europe-west1."},
        "instanceActionDetails":{"action":"CREATING","instance":"https://x/zones/z/instances/i","version":{}},
        "timestamp":"2026-11-20T01:02:03.456Z"},{}]}
      """)
    let errors = try await client.errors(ofGroup: "g", in: .region("r"))
    #expect(errors.count == 2 && errors[0].error?.code == "QUOTA_EXCEEDED" && errors[0].timestamp != nil)
  }

  @Test func `the serial console says where its next piece starts`() async throws {
    let (client, transport) = compute(#"{"contents":"boot","start":"0","next":"4"}"#)
    #expect(try await client.serialPortOutput(ofInstance: "i", zone: "z").next == 4)
    #expect(transport.requests[0].path == "projects/p/zones/z/instances/i/serialPort")
  }

  @Test func `an answer that is not JSON is a bad answer, which says what was asked`() async throws {
    for body in ["<html>", "", "[]", #"{"nome":"x"}"#, #"{"name":1}"#] {
      let (client, _) = compute(body)
      await #expect {
        try await client.instance(named: "i", zone: "z")
      } throws: {
        let error = $0 as? CloudError
        return error?.reason == .badAnswer && error?.description.hasPrefix("cannot read instance i: ") == true
      }
    }
  }

  @Test func `every mutation names its request, and reads do not`() async throws {
    let (client, transport) = compute(#"{"name":"op","status":"DONE"}"#)
    _ = try await client.deleteInstanceGroup(named: "g", in: .zone("z"), requestID: .sample)
    #expect(transport.requests[0].value("requestId") == "6e3b2f5a-0a51-4e0e-9c7b-3d9c1e5f7a10")
    #expect(transport.requests[0].isRepeatable)
  }

  @Test func `labels are asked for in the same words every time, with values quoted`() {
    let filter = ComputeFilter.labels(["dagrun-job": "a", "dagrun": #"j"\b"#])
    #expect(filter.description == #"(labels.dagrun = "j\"\\b") (labels.dagrun-job = "a")"#)
  }

  @Test func `a scope is found in a link`() {
    #expect(Scope(link: "https://x/compute/v1/projects/p/zones/europe-west1-b/instances/i") == .zone("europe-west1-b"))
    #expect(Scope(link: "projects/p/regions/europe-west1") == .region("europe-west1"))
    #expect(Scope(link: "global") == .global)
    #expect(Scope.zone("europe-west1-b").region == "europe-west1")
  }
}
