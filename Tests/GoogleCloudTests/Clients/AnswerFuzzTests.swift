import Foundation
import FuzzSupport
import Testing

@testable import GoogleCloud

/// Whatever comes in place of Google's answers, such as a proxy's, is read or refused: nothing traps, and nothing is
/// asked for without end. From a seed: `DAGRUN_FUZZ_SEED`, `DAGRUN_FUZZ_ROUNDS`.
struct AnswerFuzzTests {
  private static let good = [
    #"{"kind":"compute#operation","name":"operation-1","status":"DONE","progress":100,"targetId":"7","zone":"z"}"#,
    #"{"name":"operation-1","status":"RUNNING","error":{"errors":[{"code":"ZONE_RESOURCE_POOL_EXHAUSTED","message":"m"}]}}"#,
    #"{"name":"operation-1","status":"DONE","httpErrorStatusCode":409,"error":{"errors":[{"code":"CONDITION_NOT_MET","errorDetails":[{"quotaInfo":{"metricName":"CPUS","limit":8.0}}]}]}}"#,
    #"{"items":[{"name":"a","creationTimestamp":"2026-11-20T01:02:03.456-08:00","properties":{"machineType":"n1","scheduling":{"maxRunDuration":{"seconds":"3600","nanos":5}},"disks":[{"initializeParams":{"diskSizeGb":"100"}}],"metadata":{"items":[{"key":"k","value":"v"}]}}}],"nextPageToken":"two"}"#,
    #"{"items":{"zones/z":{"instances":[{"name":"a","status":"RUNNING","id":"18446744073709551615"}],"instanceGroupManagers":[{"name":"g","targetSize":1}]},"regions/r":{"warning":{"code":"UNREACHABLE"}}},"unreachables":["zones/y"]}"#,
    #"{"managedInstances":[{"name":"a","instance":"https://h/compute/v1/projects/p/zones/z/instances/a","currentAction":"CREATING","instanceStatus":"RUNNING","lastAttempt":{"errors":{"errors":[{"code":"QUOTA_EXCEEDED","message":"m"}]}}}]}"#,
    #"{"receivedMessages":[{"ackId":"1","deliveryAttempt":3,"message":{"data":"aGk=","messageId":"5","publishTime":"2026-01-01T00:00:00.123456789Z","attributes":{"a":"b"}}}]}"#,
    #"{"topics":[{"name":"projects/p/topics/t","labels":{"a":"b"}}],"subscriptions":[{"name":"projects/p/subscriptions/s","ackDeadlineSeconds":10}],"messageIds":["1"]}"#,
    #"{"name":"o","size":"18446744073709551615","generation":"1","updated":"2026-01-01T00:00:00Z","items":[{"name":"x","size":"5"}]}"#,
    #"{"contents":"text","start":"9223372036854775807","next":"12"}"#,
    #"{"error":{"code":403,"message":"m","errors":[{"reason":"quotaExceeded"}],"status":"RESOURCE_EXHAUSTED","details":[{"reason":"SERVICE_DISABLED","metadata":{"activationUrl":"u"}}]}}"#,
    "<html><head><title>502</title></head><body>Bad Gateway &amp; more</body></html>", "",
  ]

  private static let values =
    FuzzSource.integers.map { "\($0)" } + [
      "9223372036854775808", "-9223372036854775809", "1e19", "1e400", "0.5", "null", "true", "[]", "{}", "\"\"",
      "\"x\"",
      "\"-1\"", "\"9223372036854775807\"", "\"1e300\"", "\"NaN\"", "\"9999-99-99T99:99:99Z\"", "\"\\u0000\"", "\"+1\"",
    ]

  /// Another value in place of one, or a few bytes changed.
  private static func mutated(_ fuzz: inout FuzzSource) -> Data {
    var text = good.randomElement(using: &fuzz) ?? ""
    for _ in 0..<Int.random(in: 0...3, using: &fuzz) {
      let places = text.ranges(of: #/:("[^"]*"|\d+)/#)
      guard let place = places.randomElement(using: &fuzz) else { break }
      text.replaceSubrange(place, with: ":" + (values.randomElement(using: &fuzz) ?? "0"))
    }
    let bytes = Array(text.utf8)
    return Data(Int.random(in: 0..<3, using: &fuzz) == 0 ? fuzz.mutate(bytes) : bytes)
  }

  @Test(.timeLimit(.minutes(5))) func `no answer of Google's services traps`() async throws {
    var fuzz = FuzzSource("answers of Google's services")
    let statuses = [200, 200, 200, 200, 204, 206, 302, 308, 400, 401, 403, 404, 409, 412, 429, 500, 503]
    for _ in 0..<FuzzSource.rounds(usual: 300) {
      let answers = (0..<6).map { _ in
        CloudResponse(
          status: statuses.randomElement(using: &fuzz) ?? 200, body: Self.mutated(&fuzz),
          headers: [
            "location": "https://h/upload?upload_id=\(Self.values.randomElement(using: &fuzz) ?? "")",
            "range": ["bytes=0-5", "bytes=0-9223372036854775807", "bytes=5-0", "x", "bytes=-1--2"]
              .randomElement(using: &fuzz) ?? "",
            "retry-after": Self.values.randomElement(using: &fuzz) ?? "",
          ])
      }
      let transport = RecordingTransport { (_, index) throws(CloudError) in
        // Asking for more pages than a list can have would never end.
        guard index < 500 else {
          throw CloudError(.network, operation: "ask", subject: "again", message: "asked without end")
        }
        return answers[index % answers.count]
      }
      await ask(transport)
      #expect(transport.requests.count < 2000)
    }
  }

  private func ask(_ transport: RecordingTransport) async {
    let compute = ComputeClient(project: "p", transport: transport, sleep: { _ in })
    _ = try? await compute.instanceTemplates()
    _ = try? await compute.instanceTemplate(named: "t")
    _ = try? await compute.allInstanceGroups()
    _ = try? await compute.managedInstances(ofGroup: "g", in: .zone("z"))
    _ = try? await compute.errors(ofGroup: "g", in: .region("r"))
    _ = try? await compute.allInstances()
    _ = try? await compute.image(family: "cos", project: "p")
    if let operation = try? await compute.operation(named: "o", in: .zone("z")) {
      _ = try? await compute.wait(for: operation)
    }
    _ = try? await compute.serialPortOutput(ofInstance: "i", zone: "z")
    let pubSub = PubSubClient(project: "p", transport: transport)
    _ = try? await pubSub.topics()
    _ = try? await pubSub.subscription("s")
    _ = try? await pubSub.pull("s")
    _ = try? await pubSub.publish([PubSubMessage(data: Data("x".utf8))], to: "t")
    let storage = StorageClient(transport: transport, pieceBytes: 256 << 10)
    let location = StorageLocation(bucket: "b", path: "p")
    _ = try? await storage.object(location)
    _ = try? await storage.objects(below: location)
    _ = try? await storage.read(location)
    _ = try? await storage.write(Data(count: 1 << 20), to: location, contentType: "text/plain")
  }
}
