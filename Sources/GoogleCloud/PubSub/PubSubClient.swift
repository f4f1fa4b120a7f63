import Foundation

/// Pub/Sub, as far as jobs need it. Topics and subscriptions are named by their ids.
package struct PubSubClient: Sendable {
  package let project: String
  let transport: any CloudTransport

  package init(project: String, transport: any CloudTransport) {
    self.project = project
    self.transport = transport
  }

  package func topicName(_ id: String) -> String { "projects/\(project)/topics/\(id)" }
  package func subscriptionName(_ id: String) -> String { "projects/\(project)/subscriptions/\(id)" }

  // MARK: Topics

  /// - Throws: `.alreadyExists` when there is one with the id; a repeat after a lost answer meets its own work so.
  @discardableResult
  package func createTopic(_ id: String, _ topic: PubSubTopic = PubSubTopic()) async throws(CloudError) -> PubSubTopic {
    try await transport.answer(
      PubSubTopic.self, to: try request(.put, "topics", id, "create topic").withBody(topic))
  }

  package func topic(_ id: String) async throws(CloudError) -> PubSubTopic {
    try await transport.answer(PubSubTopic.self, to: request(.get, "topics", id, "read topic"))
  }

  /// Its subscriptions keep what they have not delivered yet.
  package func deleteTopic(_ id: String) async throws(CloudError) {
    _ = try await transport.call(request(.delete, "topics", id, "delete topic"))
  }

  /// Those that have all of these labels. Google's list knows no filter, so that all topics travel.
  package func topics(labelled labels: [String: String] = [:]) async throws(CloudError) -> [PubSubTopic] {
    try await transport.pages(TopicPage.self, of: list("topics")).flatMap { $0.topics ?? [] }
      .filter { Self.hasLabels(labels, $0.labels) }
  }

  /// - Returns: the messages' ids, in the same order.
  @discardableResult
  package func publish(_ messages: [PubSubMessage], to id: String) async throws(CloudError) -> [String] {
    var request = try request(.post, "topics", id, "publish to topic", verb: "publish")
      .withBody(["messages": messages])
    request.alsoRetried = Self.publishRetries
    return try await transport.answer(PublishAnswer.self, to: request).messageIds ?? []
  }

  // MARK: Subscriptions

  /// - Throws: `.alreadyExists` when there is one with the id; `.notFound` when there is no such topic.
  @discardableResult
  package func createSubscription(
    _ id: String, topic: String, _ subscription: PubSubSubscription = PubSubSubscription()
  ) async throws(CloudError) -> PubSubSubscription {
    var body = subscription
    body.topic = topicName(topic)
    return try await transport.answer(
      PubSubSubscription.self, to: try request(.put, "subscriptions", id, "create subscription").withBody(body))
  }

  package func subscription(_ id: String) async throws(CloudError) -> PubSubSubscription {
    try await transport.answer(PubSubSubscription.self, to: request(.get, "subscriptions", id, "read subscription"))
  }

  /// Drops what it has not delivered yet.
  package func deleteSubscription(_ id: String) async throws(CloudError) {
    _ = try await transport.call(request(.delete, "subscriptions", id, "delete subscription"))
  }

  package func subscriptions(
    labelled labels: [String: String] = [:]
  ) async throws(CloudError) -> [PubSubSubscription] {
    try await transport.pages(SubscriptionPage.self, of: list("subscriptions")).flatMap { $0.subscriptions ?? [] }
      .filter { Self.hasLabels(labels, $0.labels) }
  }

  // MARK: Messages

  /// Waits for messages, some ninety seconds at most.
  ///
  /// - Returns: nothing, when none came: ask again.
  package func pull(_ id: String, maxMessages: Int = 1000) async throws(CloudError) -> [ReceivedMessage] {
    var request = try request(.post, "subscriptions", id, "pull from subscription", verb: "pull")
      .withBody(["maxMessages": maxMessages])
    // Longer than Google holds it.
    request.timeoutSeconds = 120
    request.isLongPoll = true
    request.alsoRetried = Self.pullRetries
    return try await transport.heldAnswer(PullAnswer.self, to: request)?.receivedMessages ?? []
  }

  /// Messages whose ticket has run out come again, and do no harm here.
  package func acknowledge(_ ackIds: [String], of id: String) async throws(CloudError) {
    for part in Self.parts(ackIds) {
      let request = try request(.post, "subscriptions", id, "acknowledge messages of subscription", verb: "acknowledge")
        .withBody(AcknowledgeBody(ackIds: part))
      _ = try await transport.call(request)
    }
  }

  /// - Parameter seconds: 0 gives the messages back at once, for another delivery; at most 600.
  package func modifyAckDeadline(_ ackIds: [String], of id: String, seconds: Int) async throws(CloudError) {
    for part in Self.parts(ackIds) {
      let request = try request(
        .post, "subscriptions", id, "change the deadline of messages of subscription", verb: "modifyAckDeadline"
      ).withBody(AcknowledgeBody(ackIds: part, ackDeadlineSeconds: seconds))
      _ = try await transport.call(request)
    }
  }

  // MARK: Requests

  /// What Google's own clients retry, call by call.
  static let publishRetries: Set<String> = [
    "ABORTED", "CANCELLED", "DEADLINE_EXCEEDED", "INTERNAL", "RESOURCE_EXHAUSTED", "UNAVAILABLE", "UNKNOWN",
  ]
  static let pullRetries: Set<String> = ["ABORTED", "INTERNAL", "UNAVAILABLE", "UNKNOWN"]
  /// A request may have 512 KiB of tickets, and a ticket some 200 characters.
  private static let ackIdsPerRequest = 1000

  private func request(
    _ method: CloudRequest.Method, _ collection: String, _ id: String, _ operation: String, verb: String? = nil
  ) -> CloudRequest {
    let path = CloudPath.joined("projects", project, collection, id) + (verb.map { ":\($0)" } ?? "")
    return CloudRequest(.pubSub, method, path, operation: operation, subject: id)
  }

  private func list(_ collection: String) -> CloudRequest {
    CloudRequest(
      .pubSub, .get, CloudPath.joined("projects", project, collection),
      query: [URLQueryItem(name: "pageSize", value: "1000")], operation: "list \(collection) of", subject: project)
  }

  private static func parts(_ ackIds: [String]) -> [[String]] {
    stride(from: 0, to: ackIds.count, by: ackIdsPerRequest).map {
      Array(ackIds[$0..<min($0 + ackIdsPerRequest, ackIds.count)])
    }
  }

  private static func hasLabels(_ wanted: [String: String], _ labels: [String: String]?) -> Bool {
    wanted.allSatisfy { labels?[$0.key] == $0.value }
  }
}

private struct TopicPage: ListPage {
  var topics: [PubSubTopic]?
  var nextPageToken: String?
}

private struct SubscriptionPage: ListPage {
  var subscriptions: [PubSubSubscription]?
  var nextPageToken: String?
}

private struct PublishAnswer: Decodable { var messageIds: [String]? }
private struct PullAnswer: Decodable { var receivedMessages: [ReceivedMessage]? }

private struct AcknowledgeBody: Encodable {
  var ackIds: [String]
  var ackDeadlineSeconds: Int?
}
