import Foundation
import Testing

@testable import CloudEmulator

struct PubSubTests {
  static let topic = "/v1/projects/proj/topics/job"
  static let subscription = "/v1/projects/proj/subscriptions/job"

  /// A topic and its subscription, with leases of 60 s.
  func cloud(_ change: (inout EmulatorOptions) -> Void = { _ in }) throws -> TestCloud {
    var cloud = TestCloud(change)
    _ = try cloud.send("PUT", Self.topic)
    let answer = try cloud.send(
      "PUT", Self.subscription, ["topic": "projects/proj/topics/job", "ackDeadlineSeconds": 60])
    #expect(answer.status == 200)
    return cloud
  }

  func publish(_ texts: String..., to cloud: inout TestCloud) throws {
    let messages = texts.map { text -> JSON in
      ["data": .string(Data(text.utf8).base64EncodedString()), "attributes": ["job": "a"]]
    }
    _ = try cloud.send("POST", Self.topic + ":publish", ["messages": .array(messages)])
  }

  func texts(_ answer: JSON) -> [String] {
    answer["receivedMessages"].elements.compactMap { $0["message"]["data"].text }
      .compactMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
  }

  func pull(_ cloud: inout TestCloud, limit: Int64 = 10) throws -> JSON {
    try cloud.send("POST", Self.subscription + ":pull", ["maxMessages": .integer(limit), "returnImmediately": true])
      .json
  }

  @Test func `a message is published, pulled, acknowledged, and gone`() throws {
    var cloud = try cloud()
    let published = try cloud.send(
      "POST", Self.topic + ":publish",
      ["messages": [["data": "aGk=", "attributes": ["k": "v"]], ["attributes": ["x": "y"]]]])
    #expect(published.json["messageIds"].elements.count == 2)
    let pulled = try pull(&cloud)["receivedMessages"].elements
    #expect(pulled.map { $0["message"]["messageId"] } == published.json["messageIds"].elements)
    #expect(pulled[0]["message"]["data"] == "aGk=")
    #expect(pulled[0]["message"]["attributes"] == ["k": "v"])
    #expect(pulled[0]["message"]["publishTime"].text?.hasSuffix("Z") == true)
    let acknowledged = try cloud.send(
      "POST", Self.subscription + ":acknowledge", ["ackIds": .array(pulled.map(\.["ackId"]))])
    #expect(acknowledged.json == [:])
    cloud.pass(1000)
    #expect(try pull(&cloud) == [:])
  }

  @Test func `an empty pull is held, and answered by a message`() throws {
    var cloud = try cloud()
    let waiting = cloud.begin("POST", Self.subscription + ":pull", ["maxMessages": 1])
    cloud.pass(60)
    #expect(cloud.answer(to: waiting) == nil)
    try publish("a", to: &cloud)
    #expect(cloud.answer(to: waiting).map { texts($0.json) } == ["a"])
  }

  @Test func `an empty pull that is held ends with nothing`() throws {
    var cloud = try cloud()
    let waiting = cloud.begin("POST", Self.subscription + ":pull", ["maxMessages": 1])
    cloud.pass(89)
    #expect(cloud.answer(to: waiting)?.status == 200)
    #expect(cloud.answer(to: waiting)?.json == [:])
  }

  @Test func `those who wait are served in order, one who has gone is not`() throws {
    var cloud = try cloud()
    let pulls = (0..<3).map { _ in cloud.begin("POST", Self.subscription + ":pull", ["maxMessages": 1]) }
    cloud.emulation.abandon(pulls[0])
    try publish("a", "b", to: &cloud)
    #expect(cloud.answer(to: pulls[0]) == nil)
    #expect(cloud.answer(to: pulls[1]).map { texts($0.json) } == ["a"])
    #expect(cloud.answer(to: pulls[2]).map { texts($0.json) } == ["b"])
  }

  @Test func `many who have gone are passed over, and nobody loses the place`() throws {
    var cloud = try cloud()
    let pulls = (0..<200).map { _ in cloud.begin("POST", Self.subscription + ":pull", ["maxMessages": 1]) }
    let patient = Set([0, 7, 8, 150, 199])
    for index in pulls.indices.reversed() where !patient.contains(index) { cloud.emulation.abandon(pulls[index]) }
    try publish("0", "7", "8", "150", to: &cloud)
    for index in pulls.indices {
      let answer = cloud.answer(to: pulls[index]).map { texts($0.json) }
      #expect(answer == (patient.contains(index) && index != 199 ? ["\(index)"] : nil))
    }
    try publish("199", "more", to: &cloud)
    #expect(cloud.answer(to: pulls[199]).map { texts($0.json) } == ["199"])
    #expect(texts(try pull(&cloud)) == ["more"])
  }

  @Test func `what is not acknowledged in time comes again`() throws {
    var cloud = try cloud()
    try publish("a", to: &cloud)
    let first = try pull(&cloud)
    cloud.pass(59)
    #expect(try pull(&cloud) == [:])
    cloud.pass(1)
    let second = try pull(&cloud)
    #expect(texts(second) == ["a"])
    #expect(first["receivedMessages"].elements[0]["ackId"] != second["receivedMessages"].elements[0]["ackId"])
  }

  @Test func `a lease is made longer, or ended at once`() throws {
    var cloud = try cloud()
    try publish("a", to: &cloud)
    let id = try pull(&cloud)["receivedMessages"].elements[0]["ackId"]
    func modify(_ seconds: Int64) throws {
      _ = try cloud.send(
        "POST", Self.subscription + ":modifyAckDeadline", ["ackIds": [id], "ackDeadlineSeconds": .integer(seconds)])
    }
    cloud.pass(50)
    try modify(100)
    cloud.pass(60)
    #expect(try pull(&cloud) == [:])
    try modify(0)
    #expect(texts(try pull(&cloud)) == ["a"])
  }

  @Test func `a pull takes at most what it asks for`() throws {
    var cloud = try cloud()
    try publish("a", "b", "c", to: &cloud)
    #expect(texts(try pull(&cloud, limit: 2)) == ["a", "b"])
    #expect(texts(try pull(&cloud, limit: 2)) == ["c"])
    #expect(try cloud.send("POST", Self.subscription + ":pull", ["maxMessages": 0]).code == "INVALID_ARGUMENT")
  }

  @Test func `each subscription has every message from its beginning on`() throws {
    var cloud = try cloud()
    try publish("a", to: &cloud)
    _ = try cloud.send("PUT", "/v1/projects/proj/subscriptions/late", ["topic": "projects/proj/topics/job"])
    try publish("b", to: &cloud)
    #expect(texts(try pull(&cloud)) == ["a", "b"])
    let late = try cloud.send(
      "POST", "/v1/projects/proj/subscriptions/late:pull", ["maxMessages": 9, "returnImmediately": true])
    #expect(texts(late.json) == ["b"])
  }

  @Test func `the backlog outlives its topic, not its subscription`() throws {
    var cloud = try cloud()
    try publish("a", to: &cloud)
    #expect(try cloud.send("DELETE", Self.topic).status == 200)
    #expect(try cloud.send("GET", Self.subscription).json["topic"] == "_deleted-topic_")
    #expect(texts(try pull(&cloud)) == ["a"])
    #expect(try cloud.send("DELETE", Self.subscription).status == 200)
    #expect(try cloud.send("POST", Self.subscription + ":pull", ["maxMessages": 1]).status == 404)
    _ = try cloud.send("PUT", Self.topic)
    _ = try cloud.send("PUT", Self.subscription, ["topic": "projects/proj/topics/job"])
    #expect(try pull(&cloud) == [:])
  }

  @Test func `a held pull ends when its subscription is deleted`() throws {
    var cloud = try cloud()
    let waiting = cloud.begin("POST", Self.subscription + ":pull", ["maxMessages": 1])
    _ = try cloud.send("DELETE", Self.subscription)
    #expect(cloud.answer(to: waiting)?.code == "NOT_FOUND")
  }

  @Test func `what exists is refused, what does not exist is not found`() throws {
    var cloud = try cloud()
    let topic = try cloud.send("PUT", Self.topic)
    #expect(topic.status == 409)
    #expect(topic.code == "ALREADY_EXISTS")
    #expect(try cloud.send("PUT", Self.subscription, ["topic": "projects/proj/topics/job"]).status == 409)
    for (method, path) in [
      ("GET", "topics/none"), ("DELETE", "topics/none"), ("POST", "topics/none:publish"), ("GET", "subscriptions/none"),
      ("DELETE", "subscriptions/none"), ("POST", "subscriptions/none:pull"),
    ] {
      let body: JSON =
        path.hasSuffix("publish") ? ["messages": [["data": "aGk="]]] : path.hasSuffix("pull") ? ["maxMessages": 1] : [:]
      let answer = try cloud.send(method, "/v1/projects/proj/\(path)", body)
      #expect(answer.status == 404, "\(method) \(path)")
      #expect(answer.code == "NOT_FOUND")
    }
    #expect(
      try cloud.send("PUT", "/v1/projects/proj/subscriptions/orphan", ["topic": "projects/proj/topics/none"]).status
        == 404)
  }

  @Test(arguments: ["ab", "1abc", "goog-x", "a b c", String(repeating: "a", count: 256)])
  func `a name that Pub/Sub would not take is refused`(name: String) throws {
    var cloud = TestCloud()
    let path = name.replacing(" ", with: "%20")
    #expect(try cloud.send("PUT", "/v1/projects/proj/topics/\(path)").code == "INVALID_ARGUMENT")
  }

  @Test(
    arguments: [
      ["ackDeadlineSeconds": 9], ["ackDeadlineSeconds": 601], ["messageRetentionDuration": "599s"],
      ["messageRetentionDuration": "2678401s"], ["expirationPolicy": ["ttl": "3600s"]], ["labels": ["A": "b"]],
      ["acDeadlineSeconds": 10],
    ] as [JSON])
  func `a subscription with a value out of its range is refused`(fields: JSON) throws {
    var cloud = TestCloud()
    _ = try cloud.send("PUT", Self.topic)
    var body = fields
    body["topic"] = "projects/proj/topics/job"
    #expect(try cloud.send("PUT", Self.subscription, body).status == 400)
    #expect(cloud.emulation.inventory.subscriptions.isEmpty)
  }

  @Test func `a request of more than ten megabytes is refused, one of ten is not`() throws {
    var cloud = try cloud()
    func answer(_ bytes: Int) throws -> TestCloud.Answer {
      let head = "{\"messages\":[{\"data\":\""
      let tail = "\"}]}"
      let text = String(repeating: "A", count: (bytes - head.utf8.count - tail.utf8.count) / 4 * 4)
      return try cloud.send(
        "POST", Self.topic + ":publish", headers: ["content-type": "application/json"],
        data: Data((head + text + tail).utf8))
    }
    #expect(try answer(10_000_000).status == 200)
    let tooMuch = try answer(10_000_008)
    #expect(tooMuch.code == "INVALID_ARGUMENT")
    #expect(tooMuch.message.contains("10000000"))
  }

  @Test(
    arguments: [
      [], [[:]], [["data": "not base64!"]], [["attributes": ["": "x"]]],
      [["attributes": ["k": .string(String(repeating: "x", count: 1025))]]],
    ] as [JSON])
  func `messages without content, or with bad content, are refused`(messages: JSON) throws {
    var cloud = try cloud()
    #expect(try cloud.send("POST", Self.topic + ":publish", ["messages": messages]).status == 400)
  }

  @Test func `a pull of something published in two halves of an hour has both, in order`() throws {
    var cloud = try cloud()
    try publish("a", to: &cloud)
    cloud.pass(3600)
    try publish("b", to: &cloud)
    #expect(texts(try pull(&cloud)) == ["a", "b"])
  }

  @Test func `on request messages come twice and in another order, the same for a seed`() throws {
    func order(seed: UInt64) throws -> [String] {
      var cloud = try cloud {
        $0.seed = seed
        $0.delivery.duplicateProbability = 0.5
        $0.delivery.isReordered = true
      }
      try publish("a", "b", "c", "d", "e", "f", "g", "h", to: &cloud)
      var seen: [String] = []
      for _ in 0..<8 { seen += texts(try pull(&cloud)) }
      return seen
    }
    let first = try order(seed: 7)
    #expect(try order(seed: 7) == first)
    #expect(Set(first) == ["a", "b", "c", "d", "e", "f", "g", "h"])
    #expect(first.count > 8)
    #expect(first.prefix(8) != ["a", "b", "c", "d", "e", "f", "g", "h"])
  }

  @Test func `topics and subscriptions are listed by project, in pages`() throws {
    var cloud = try cloud()
    for name in ["aaa", "bbb"] { _ = try cloud.send("PUT", "/v1/projects/proj/topics/\(name)") }
    _ = try cloud.send("PUT", "/v1/projects/other/topics/zzz")
    let first = try cloud.send("GET", "/v1/projects/proj/topics?pageSize=2").json
    #expect(first["topics"].elements.map { $0["name"] } == ["projects/proj/topics/aaa", "projects/proj/topics/bbb"])
    let token = first["nextPageToken"].text ?? ""
    let second = try cloud.send("GET", "/v1/projects/proj/topics?pageSize=2&pageToken=\(token)").json
    #expect(second["topics"].elements.map { $0["name"] } == ["projects/proj/topics/job"])
    #expect(second["nextPageToken"] == .null)
    let subscriptions = try cloud.send("GET", Self.topic + "/subscriptions").json
    #expect(subscriptions["subscriptions"] == ["projects/proj/subscriptions/job"])
  }
}
