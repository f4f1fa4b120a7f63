internal import Foundation

/// A subscription and its backlog.
///
/// A message moves:  waiting -> leased -> acknowledged (gone).  A lease that runs out, or is ended by a deadline of 0,
/// makes it wait again.
struct Subscription: Sendable {
  var path: String
  var body: JSON
  /// `_deleted-topic_` once its topic is deleted.
  var topic: String
  var ackDeadlineSeconds: Double
  /// By number of the message: what is not acknowledged.
  private(set) var messages: [UInt64: Delivery] = [:]
  /// Numbers of messages by the ack ids that were handed out for them.
  private(set) var ackIDs: [String: UInt64] = [:]
  /// Numbers of messages that wait; those that are gone meanwhile are passed over.
  private var waiting: [UInt64] = []
  private var nextWaiting = 0
  /// Who waits for messages.
  var pulls = HeldPulls()

  struct Delivery: Sendable {
    var message: PubSubMessage
    /// Nil while it waits.
    var lease: Lease?
    var deliveries = 0
  }

  struct Lease: Sendable {
    var ackID: String
    var until: Date
  }

  init(path: String, body: JSON, topic: String, ackDeadlineSeconds: Double) {
    self.path = path
    self.body = body
    self.topic = topic
    self.ackDeadlineSeconds = ackDeadlineSeconds
  }

  mutating func add(_ message: PubSubMessage) {
    messages[message.number] = Delivery(message: message)
    waiting.append(message.number)
  }

  /// Leases up to so many messages, the oldest first.
  mutating func take(_ limit: Int, until: Date, makeAckID: () -> String) -> [Delivery] {
    var taken: [Delivery] = []
    while taken.count < limit, nextWaiting < waiting.count {
      let number = waiting[nextWaiting]
      nextWaiting += 1
      guard var delivery = messages[number], delivery.lease == nil else { continue }
      let ackID = makeAckID()
      delivery.lease = Lease(ackID: ackID, until: until)
      ackIDs[ackID] = number
      delivery.deliveries += 1
      messages[number] = delivery
      taken.append(delivery)
    }
    if nextWaiting > 1000 || nextWaiting == waiting.count {
      waiting.removeFirst(nextWaiting)
      nextWaiting = 0
    }
    return taken
  }

  /// A late one counts too, also when the message is leased to somebody else meanwhile.
  mutating func acknowledge(_ ackID: String) {
    if let number = ackIDs.removeValue(forKey: ackID) { messages[number] = nil }
  }

  /// The message that is leased by this ack id; nil: the lease has ended.
  func leased(_ ackID: String) -> Delivery? {
    guard let delivery = ackIDs[ackID].flatMap({ messages[$0] }), delivery.lease?.ackID == ackID else { return nil }
    return delivery
  }

  mutating func extend(_ number: UInt64, to until: Date) {
    messages[number]?.lease?.until = until
  }

  /// It waits again.
  mutating func release(_ number: UInt64) {
    guard messages[number]?.lease != nil else { return }
    messages[number]?.lease = nil
    waiting.append(number)
  }

  /// Puts what waits into another order.
  mutating func shuffle(using generator: inout SeededGenerator) {
    waiting[nextWaiting...].shuffle(using: &generator)
  }
}

struct PubSubMessage: Sendable {
  var number: UInt64
  /// As published: `data`, `attributes`, `orderingKey`.
  var body: JSON
  var publishedAt: Date

  var json: JSON {
    var json = body
    json["messageId"] = "\(number)"
    json["publishTime"] = .string(publishedAt.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    return json
  }
}
