package import Foundation

/// A topic of Pub/Sub. Names are whole: `projects/P/topics/T`.
package struct PubSubTopic: Codable, Hashable, Sendable {
  package var name: String?
  package var labels: [String: String]?
  package var messageStoragePolicy: MessageStoragePolicy?
  package var messageRetentionDuration: String?

  package init(labels: [String: String]? = nil, messageStoragePolicy: MessageStoragePolicy? = nil) {
    self.labels = labels
    self.messageStoragePolicy = messageStoragePolicy
  }

  package var id: String? { name.map(resourceName(ofLink:)) }

  package struct MessageStoragePolicy: Codable, Hashable, Sendable {
    /// Regions where messages may rest: `europe-west1`.
    package var allowedPersistenceRegions: [String]?

    package init(allowedPersistenceRegions: [String]?) { self.allowedPersistenceRegions = allowedPersistenceRegions }
  }
}

/// A subscription of Pub/Sub. Names are whole: `projects/P/subscriptions/S`.
package struct PubSubSubscription: Codable, Hashable, Sendable {
  package var name: String?
  package var topic: String?
  package var labels: [String: String]?
  /// 10 to 600.
  package var ackDeadlineSeconds: Int?
  package var messageRetentionDuration: DurationString?
  package var expirationPolicy: ExpirationPolicy?
  package var enableMessageOrdering: Bool?
  package var enableExactlyOnceDelivery: Bool?
  package var filter: String?

  package init(
    ackDeadlineSeconds: Int? = nil, messageRetention: DurationString? = nil, expirationPolicy: ExpirationPolicy? = nil,
    labels: [String: String]? = nil
  ) {
    self.ackDeadlineSeconds = ackDeadlineSeconds
    self.messageRetentionDuration = messageRetention
    self.expirationPolicy = expirationPolicy
    self.labels = labels
  }

  package var id: String? { name.map(resourceName(ofLink:)) }

  package struct ExpirationPolicy: Codable, Hashable, Sendable {
    /// Unused that long, the subscription is removed: at least a day. nil: never.
    package var ttl: DurationString?
    package init(ttl: DurationString?) { self.ttl = ttl }
  }
}

/// Google's duration as Pub/Sub writes it: `"600s"`, `"1.5s"`.
package struct DurationString: Codable, Hashable, Sendable {
  package var seconds: Double

  package init(seconds: Double) { self.seconds = seconds }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard text.hasSuffix("s"), let number = Double(text.dropLast()), number.isFinite else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "“\(text)” is not a duration")
    }
    seconds = number
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    let whole = seconds.rounded()
    try container.encode(whole == seconds && abs(seconds) < 1e15 ? "\(Int64(seconds))s" : "\(seconds)s")
  }
}

/// A message. `data` travels as base64.
package struct PubSubMessage: Codable, Hashable, Sendable {
  package var data: Data
  package var attributes: [String: String]
  /// Only in answers.
  package var messageId: String?
  /// RFC 3339; only in answers.
  package var publishTime: String?

  package init(data: Data = Data(), attributes: [String: String] = [:]) {
    self.data = data
    self.attributes = attributes
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    data = try container.decodeIfPresent(Data.self, forKey: .data) ?? Data()
    attributes = try container.decodeIfPresent([String: String].self, forKey: .attributes) ?? [:]
    messageId = try container.decodeIfPresent(String.self, forKey: .messageId)
    publishTime = try container.decodeIfPresent(String.self, forKey: .publishTime)
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    if !data.isEmpty { try container.encode(data, forKey: .data) }
    if !attributes.isEmpty { try container.encode(attributes, forKey: .attributes) }
    try container.encodeIfPresent(messageId, forKey: .messageId)
    try container.encodeIfPresent(publishTime, forKey: .publishTime)
  }

  private enum CodingKeys: String, CodingKey { case data, attributes, messageId, publishTime }
}

/// A message on its way to a subscriber, with the ticket to acknowledge it by.
package struct ReceivedMessage: Codable, Hashable, Sendable {
  package var ackId: String
  package var message: PubSubMessage
  /// Only with a dead letter policy.
  package var deliveryAttempt: Int?

  package init(ackId: String, message: PubSubMessage) {
    self.ackId = ackId
    self.message = message
  }
}
