import Foundation
import Testing

@testable import GoogleCloud

struct PubSubClientTests {
  @Test func `bytes and attributes arrive as they were sent`() async throws {
    let message = PubSubMessage(data: Data([0, 10, 255]), attributes: ["kind": "log", "ü": "line\nline"])
    let sender = RecordingTransport(#"{"messageIds":["19"]}"#)
    #expect(try await PubSubClient(project: "p", transport: sender).publish([message], to: "t") == ["19"])
    #expect(sender.requests[0].path == "projects/p/topics/t:publish")
    #expect(
      sender.requests[0].bodyText == #"{"messages":[{"attributes":{"kind":"log","ü":"line\nline"},"data":"AAr/"}]}"#)

    let receiver = RecordingTransport(
      #"{"receivedMessages":[{"ackId":"a","message":{"data":"AAr/","attributes":{"kind":"log","ü":"line\nline"},"messageId":"19","publishTime":"2026-11-20T01:02:03.456Z","orderingKey":""},"deliveryAttempt":2},{"ackId":"b","message":{"messageId":"20","publishTime":"x"}}]}"#
    )
    let received = try await PubSubClient(project: "p", transport: receiver).pull("s")
    #expect(received[0].message.data == message.data && received[0].message.attributes == message.attributes)
    #expect(received[1].message.data.isEmpty && received[1].message.attributes.isEmpty)
  }

  @Test func `a pull outlasts what Google holds it for`() async throws {
    let transport = RecordingTransport("{}")
    #expect(try await PubSubClient(project: "p", transport: transport).pull("s", maxMessages: 7).isEmpty)
    let request = transport.requests[0]
    #expect(request.bodyText == #"{"maxMessages":7}"#)
    #expect(request.timeoutSeconds > 90 && request.isLongPoll)
    #expect(request.alsoRetried == ["ABORTED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"])
  }

  @Test func `a pull that ends for its age is empty, a refused one is a failure`() async throws {
    let old = RecordingTransport { _, _ in .emptyPoll }
    #expect(try await PubSubClient(project: "p", transport: old).pull("s").isEmpty)
    let refused = RecordingTransport { request, _ throws(CloudError) in
      throw CloudError(answer: .json(#"{"error":{"code":404,"message":"none"}}"#, status: 404), to: request)
    }
    await #expect {
      try await PubSubClient(project: "p", transport: refused).pull("s")
    } throws: {
      ($0 as? CloudError)?.description == "cannot pull from subscription s: none"
    }
  }

  @Test func `durations are written as Google writes them`() async throws {
    let transport = RecordingTransport("{}")
    let subscription = PubSubSubscription(
      ackDeadlineSeconds: 600, messageRetention: DurationString(seconds: 604_800),
      expirationPolicy: .init(ttl: DurationString(seconds: 1.5)))
    try await PubSubClient(project: "p", transport: transport).createSubscription("s", topic: "t", subscription)
    #expect(transport.requests[0].method == .put && transport.requests[0].path == "projects/p/subscriptions/s")
    #expect(
      transport.requests[0].bodyText
        == #"{"ackDeadlineSeconds":600,"expirationPolicy":{"ttl":"1.5s"},"messageRetentionDuration":"604800s","topic":"projects/p/topics/t"}"#
    )
  }

  @Test func `a subscription that never expires is read`() async throws {
    let transport = RecordingTransport(
      #"{"name":"projects/p/subscriptions/s","topic":"_deleted-topic_","expirationPolicy":{},"pushConfig":{},"state":"NEW","messageRetentionDuration":"604800s"}"#
    )
    let subscription = try await PubSubClient(project: "p", transport: transport).subscription("s")
    #expect(subscription.id == "s" && subscription.expirationPolicy?.ttl == nil)
    #expect(subscription.messageRetentionDuration?.seconds == 604_800)
  }

  @Test func `topics are told apart by their labels, over all pages`() async throws {
    let transport = RecordingTransport(
      #"{"topics":[{"name":"projects/p/topics/a","labels":{"dagrun":"job","x":"y"}},{"name":"projects/p/topics/b"}],"nextPageToken":"2"}"#,
      #"{"topics":[{"name":"projects/p/topics/c","labels":{"dagrun":"other"}},{"name":"projects/p/topics/d","labels":{"dagrun":"job"}}]}"#
    )
    let topics = try await PubSubClient(project: "p", transport: transport).topics(labelled: ["dagrun": "job"])
    #expect(topics.map(\.id) == ["a", "d"])
  }

  @Test func `many messages are acknowledged in several requests, none in none`() async throws {
    let transport = RecordingTransport("{}")
    let client = PubSubClient(project: "p", transport: transport)
    try await client.acknowledge((0..<2500).map(String.init), of: "s")
    #expect(transport.requests.count == 3)
    try await client.acknowledge([], of: "s")
    #expect(transport.requests.count == 3)
  }

  @Test func `an id with odd characters stays one part of the path`() async throws {
    let transport = RecordingTransport("{}")
    try await PubSubClient(project: "p", transport: transport).deleteTopic("a%b+c~d")
    #expect(transport.requests[0].path == "projects/p/topics/a%25b%2Bc~d")
  }
}
