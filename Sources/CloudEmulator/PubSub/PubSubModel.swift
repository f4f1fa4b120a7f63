internal import Foundation

/// Pub/Sub, without sockets or clock: at least once, with leases. Whoever owns it calls `advance` when `nextWake` has
/// come.
struct PubSubModel {
  let timing: EmulatorTiming
  let delivery: MessageDelivery
  private(set) var topics: [String: JSON] = [:]
  private(set) var subscriptions: [String: Subscription] = [:]
  /// Subscriptions of a topic, in the order in which they were made.
  private var subscribers: [String: [String]] = [:]
  private(set) var everMade: [String: Int] = [:]
  private var waiting: [RequestID: String] = [:]
  private var lastNumber: UInt64 = 0
  private var generator: SeededGenerator
  private var agenda = TimerQueue<Deadline>()
  private var outputs: [Output] = []

  private enum Deadline {
    case pullEnds(RequestID)
    case leaseEnds(ackID: String, of: String)
  }

  static let requestLimit = 10_000_000
  static let deletedTopic = "_deleted-topic_"

  init(timing: EmulatorTiming = EmulatorTiming(), delivery: MessageDelivery = MessageDelivery(), seed: UInt64 = 1) {
    self.timing = timing
    self.delivery = delivery
    generator = SeededGenerator(seed: seed)
  }

  var nextWake: Date? { agenda.nextTime }

  mutating func takeOutputs() -> [Output] {
    defer { outputs = [] }
    return outputs
  }

  mutating func advance(to now: Date) {
    while let (time, appointment) = agenda.popDue(at: now) {
      switch appointment {
      case .pullEnds(let request):
        guard waiting[request] != nil else { continue }
        abandon(request)
        outputs.append(.answer(request, .json([:])))
      case .leaseEnds(let ackID, let path): leaseEnds(ackID, of: path, at: time)
      }
    }
  }

  mutating func handle(_ call: Call<PubSubMethod>, at now: Date) throws(APIFailure) -> Reply {
    guard call.request.body.count <= Self.requestLimit else {
      throw .pubSub(
        400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: \(Self.requestLimit) bytes.")
    }
    if let message = call.method.body { try Schema.pubSub.check(call.body, is: message) }
    let topic = "projects/\(call["project"])/topics/\(call["topic"])"
    let subscription = "projects/\(call["project"])/subscriptions/\(call["subscription"])"
    switch call.method {
    case .topicsCreate: return .now(.json(try createTopic(topic, call)))
    case .topicsGet: return .now(.json(try existing(topic: topic)))
    case .topicsList:
      let rows = topics.filter { $0.key.hasPrefix("projects/\(call["project"])/") }.sorted { $0.key < $1.key }
      return .now(.json(try page(call, "topics", rows.map(\.value))))
    case .topicsDelete:
      _ = try existing(topic: topic)
      topics[topic] = nil
      // The backlog stays: whoever has not read it may still do so.
      for path in subscribers.removeValue(forKey: topic) ?? [] {
        subscriptions[path]?.topic = Self.deletedTopic
      }
      return .now(.json([:]))
    case .topicsPublish: return .now(.json(try publish(topic, call, at: now)))
    case .topicSubscriptionsList:
      _ = try existing(topic: topic)
      let rows = (subscribers[topic] ?? []).sorted()
      return .now(.json(try page(call, "subscriptions", rows.map(JSON.string))))
    case .subscriptionsCreate: return .now(.json(try createSubscription(subscription, call)))
    case .subscriptionsGet: return .now(.json(json(of: try existing(subscription: subscription))))
    case .subscriptionsList:
      let rows = subscriptions.values.filter { $0.path.hasPrefix("projects/\(call["project"])/") }
      return .now(.json(try page(call, "subscriptions", rows.sorted { $0.path < $1.path }.map { json(of: $0) })))
    case .subscriptionsDelete:
      let gone = try existing(subscription: subscription)
      subscriptions[subscription] = nil
      subscribers[gone.topic]?.removeAll { $0 == subscription }
      for request in gone.pulls.requests {
        waiting[request] = nil
        outputs.append(.answer(request, APIFailure.noSuchPubSub(subscription).response))
      }
      return .now(.json([:]))
    case .subscriptionsPull: return try pull(subscription, call, at: now)
    case .subscriptionsAcknowledge:
      _ = try existing(subscription: subscription)
      for ackID in try ids(call) { subscriptions[subscription]?.acknowledge(ackID) }
      return .now(.json([:]))
    case .subscriptionsModifyAckDeadline:
      _ = try existing(subscription: subscription)
      try modifyAckDeadline(subscription, call, at: now)
      return .now(.json([:]))
    }
  }

  // MARK: Topics and subscriptions

  private mutating func createTopic(_ path: String, _ call: Call<PubSubMethod>) throws(APIFailure) -> JSON {
    try PubSubRules.checkName(call["topic"], path)
    try PubSubRules.checkTopic(call.body, path)
    guard topics[path] == nil else {
      throw .pubSub(409, "ALREADY_EXISTS", "Resource already exists in the project (resource=\(call["topic"])).")
    }
    var topic = call.body == .null ? [:] : call.body
    topic["name"] = .string(path)
    topics[path] = topic
    everMade["topics", default: 0] += 1
    return topic
  }

  private mutating func createSubscription(_ path: String, _ call: Call<PubSubMethod>) throws(APIFailure) -> JSON {
    try PubSubRules.checkName(call["subscription"], path)
    try PubSubRules.checkSubscription(call.body, path)
    guard subscriptions[path] == nil else {
      throw .pubSub(409, "ALREADY_EXISTS", "Resource already exists in the project (resource=\(call["subscription"])).")
    }
    let topic = call.body["topic"].text ?? ""
    _ = try existing(topic: topic)
    let subscription = Subscription(
      path: path, body: call.body, topic: topic,
      ackDeadlineSeconds: Double(call.body["ackDeadlineSeconds"].whole.map { $0 == 0 ? 10 : $0 } ?? 10))
    subscriptions[path] = subscription
    subscribers[topic, default: []].append(path)
    everMade["subscriptions", default: 0] += 1
    return json(of: subscription)
  }

  private func json(of subscription: Subscription) -> JSON {
    var json = subscription.body
    json["name"] = .string(subscription.path)
    json["topic"] = .string(subscription.topic)
    json["ackDeadlineSeconds"] = .integer(Int64(subscription.ackDeadlineSeconds))
    json["state"] = "ACTIVE"
    if json["pushConfig"] == .null { json["pushConfig"] = [:] }
    if json["messageRetentionDuration"] == .null { json["messageRetentionDuration"] = "604800s" }
    if json["expirationPolicy"] == .null { json["expirationPolicy"] = ["ttl": "2678400s"] }
    return json
  }

  private func existing(topic: String) throws(APIFailure) -> JSON {
    guard let found = topics[topic] else { throw .noSuchPubSub(topic) }
    return found
  }

  private func existing(subscription: String) throws(APIFailure) -> Subscription {
    guard let found = subscriptions[subscription] else { throw .noSuchPubSub(subscription) }
    return found
  }

  private func page(_ call: Call<PubSubMethod>, _ name: String, _ rows: [JSON]) throws(APIFailure) -> JSON {
    let size = call.query("pageSize").flatMap(Int.init) ?? 0
    let start = call.query("pageToken").flatMap(Int.init) ?? 0
    guard size >= 0, start >= 0 else {
      throw .pubSub(400, "INVALID_ARGUMENT", "Invalid page size or token.")
    }
    let selected = rows.dropFirst(start).prefix(size == 0 ? 1000 : min(size, 1000))
    var answer: JSON = [:]
    if !selected.isEmpty { answer[name] = .array(Array(selected)) }
    if start + selected.count < rows.count { answer["nextPageToken"] = "\(start + selected.count)" }
    return answer
  }

  // MARK: Messages

  private mutating func publish(
    _ topic: String, _ call: Call<PubSubMethod>, at now: Date
  ) throws(APIFailure) -> JSON {
    _ = try existing(topic: topic)
    let bodies = call.body["messages"].elements
    try PubSubRules.checkMessages(bodies)
    var ids: [JSON] = []
    var messages: [PubSubMessage] = []
    for body in bodies {
      lastNumber += 1
      messages.append(PubSubMessage(number: 10_000_000_000_000_000 + lastNumber, body: body, publishedAt: now))
      ids.append("\(10_000_000_000_000_000 + lastNumber)")
    }
    for path in subscribers[topic] ?? [] {
      for message in messages { subscriptions[path]?.add(message) }
      if delivery.isReordered { subscriptions[path]?.shuffle(using: &generator) }
      serve(path, at: now)
    }
    return ["messageIds": .array(ids)]
  }

  private mutating func pull(
    _ path: String, _ call: Call<PubSubMethod>, at now: Date
  ) throws(APIFailure) -> Reply {
    _ = try existing(subscription: path)
    guard let limit = call.body["maxMessages"].whole, limit > 0 else {
      throw .pubSub(400, "INVALID_ARGUMENT", "Invalid maxMessages: it must be a positive number.")
    }
    let taken = take(min(limit, 1000), from: path, at: now)
    if taken != [:] { return .now(.json(taken)) }
    if call.body["returnImmediately"].flag == true { return .now(.json([:])) }
    subscriptions[path]?.pulls.add(call.id, limit: min(limit, 1000))
    waiting[call.id] = path
    agenda.add(.pullEnds(call.id), at: now.addingTimeInterval(timing.pullSeconds))
    return .held
  }

  /// Answers those who wait, as far as there are messages.
  private mutating func serve(_ path: String, at now: Date) {
    while let pull = subscriptions[path]?.pulls.first() {
      let taken = take(pull.limit, from: path, at: now)
      if taken == [:] { return }
      subscriptions[path]?.pulls.remove(pull.request)
      waiting[pull.request] = nil
      outputs.append(.answer(pull.request, .json(taken)))
    }
  }

  /// - Returns: an empty object where there is nothing.
  private mutating func take(_ limit: Int, from path: String, at now: Date) -> JSON {
    guard let seconds = subscriptions[path]?.ackDeadlineSeconds else { return [:] }
    let until = now.addingTimeInterval(seconds)
    let taken = subscriptions[path]?.take(limit, until: until) { Self.makeAckID(&generator) } ?? []
    guard !taken.isEmpty else { return [:] }
    var rows: [JSON] = []
    for delivered in taken {
      guard let lease = delivered.lease else { continue }
      agenda.add(.leaseEnds(ackID: lease.ackID, of: path), at: until)
      rows.append(["ackId": .string(lease.ackID), "message": delivered.message.json])
      // At least once: sometimes the same message comes twice in spite of its lease.
      if generator.chance(delivery.duplicateProbability) { subscriptions[path]?.release(delivered.message.number) }
    }
    return ["receivedMessages": .array(rows)]
  }

  private static func makeAckID(_ generator: inout SeededGenerator) -> String {
    (0..<3).map { _ in String(generator.next(), radix: 36) }.joined(separator: "-")
  }

  private func ids(_ call: Call<PubSubMethod>) throws(APIFailure) -> [String] {
    let ids = call.body["ackIds"].elements.compactMap(\.text)
    guard !ids.isEmpty else { throw .pubSub(400, "INVALID_ARGUMENT", "No ack ids specified.") }
    return ids
  }

  private mutating func modifyAckDeadline(
    _ path: String, _ call: Call<PubSubMethod>, at now: Date
  ) throws(APIFailure) {
    let seconds = call.body["ackDeadlineSeconds"].whole ?? 0
    guard (0...600).contains(seconds) else {
      throw .pubSub(400, "INVALID_ARGUMENT", "Invalid ack deadline given: \(seconds); it must be between 0 and 600.")
    }
    for ackID in try ids(call) {
      guard let number = subscriptions[path]?.leased(ackID)?.message.number else { continue }
      if seconds == 0 {
        subscriptions[path]?.release(number)
      } else {
        let until = now.addingTimeInterval(Double(seconds))
        subscriptions[path]?.extend(number, to: until)
        agenda.add(.leaseEnds(ackID: ackID, of: path), at: until)
      }
    }
    serve(path, at: now)
  }

  private mutating func leaseEnds(_ ackID: String, of path: String, at now: Date) {
    // It may have been extended meanwhile; its later appointment is in the agenda then.
    guard let delivery = subscriptions[path]?.leased(ackID), let lease = delivery.lease, lease.until <= now else {
      return
    }
    subscriptions[path]?.release(delivery.message.number)
    if self.delivery.isReordered { subscriptions[path]?.shuffle(using: &generator) }
    serve(path, at: now)
  }

  /// Whoever pulled is gone.
  mutating func abandon(_ request: RequestID) {
    guard let path = waiting.removeValue(forKey: request) else { return }
    subscriptions[path]?.pulls.remove(request)
  }
}

extension APIFailure {
  private static let reasons = [
    400: "badRequest", 401: "authError", 403: "forbidden", 404: "notFound", 409: "alreadyExists",
    429: "rateLimitExceeded", 503: "backendError", 504: "backendError",
  ]

  static func pubSub(_ status: Int, _ code: String, _ message: String) -> APIFailure {
    APIFailure(status, reasons[status] ?? "backendError", message, code: code)
  }

  static func noSuchPubSub(_ path: String) -> APIFailure {
    .pubSub(404, "NOT_FOUND", "Resource not found (resource=\(ComputeNames.lastPart(path))).")
  }
}
