internal import Foundation

/// What Pub/Sub refuses, beyond unknown fields.
enum PubSubRules {
  static func checkName(_ name: String, _ path: String) throws(APIFailure) {
    let isFit =
      (3...255).contains(name.utf8.count) && name.utf8.first.map(isLetter) == true
      && name.utf8.allSatisfy { isLetter($0) || isDigit($0) || Array("-_.~+%".utf8).contains($0) }
      && !name.lowercased().hasPrefix("goog")
    guard isFit else {
      throw .pubSub(
        400, "INVALID_ARGUMENT",
        "Invalid resource name given (name=\(path)). Refer to "
          + "https://cloud.google.com/pubsub/docs/admin#resource_names for more information.")
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
  }
  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

  static func checkTopic(_ body: JSON, _ path: String) throws(APIFailure) {
    try checkOwnName(body, path)
    try checkDuration(body["messageRetentionDuration"], "messageRetentionDuration", 600...2_678_400)
    try checkLabels(body)
    let regions = body["messageStoragePolicy"]["allowedPersistenceRegions"]
    if body["messageStoragePolicy"] != .null, regions.elements.isEmpty {
      throw .pubSub(400, "INVALID_ARGUMENT", "A message storage policy must allow at least one region.")
    }
    for region in regions.elements where ComputeCatalog.zonesByRegion[region.text ?? ""] == nil {
      throw .pubSub(400, "INVALID_ARGUMENT", "Unknown region in the message storage policy: \(region.text ?? "").")
    }
  }

  static func checkSubscription(_ body: JSON, _ path: String) throws(APIFailure) {
    try checkOwnName(body, path)
    if let seconds = body["ackDeadlineSeconds"].whole, seconds != 0, !(10...600).contains(seconds) {
      throw .pubSub(400, "INVALID_ARGUMENT", "Invalid ack deadline given: \(seconds); it must be between 10 and 600.")
    }
    try checkDuration(body["messageRetentionDuration"], "messageRetentionDuration", 600...2_678_400)
    try checkDuration(body["expirationPolicy"]["ttl"], "expirationPolicy.ttl", 86_400...315_576_000_000)
    try checkLabels(body)
    guard body["topic"].text != nil else {
      throw .pubSub(400, "INVALID_ARGUMENT", "A subscription needs a topic.")
    }
  }

  private static func checkOwnName(_ body: JSON, _ path: String) throws(APIFailure) {
    if let name = body["name"].text, !name.isEmpty, name != path {
      throw .pubSub(400, "INVALID_ARGUMENT", "Invalid resource name given (name=\(name)): the path says \(path).")
    }
  }

  private static func checkLabels(_ body: JSON) throws(APIFailure) {
    do throws(APIFailure) {
      try TemplateRules.checkLabels(body["labels"].fields, "labels")
    } catch {
      throw .pubSub(400, "INVALID_ARGUMENT", error.message)
    }
  }

  /// `600s`, `86400.5s`
  private static func checkDuration(_ value: JSON, _ field: String, _ range: ClosedRange<Double>) throws(APIFailure) {
    guard let text = value.text else { return }
    guard text.hasSuffix("s"), let seconds = Double(text.dropLast()), range.contains(seconds) else {
      throw .pubSub(
        400, "INVALID_ARGUMENT",
        "Invalid \(field): \(text); it must be between \(Int(range.lowerBound))s and \(Int(range.upperBound))s.")
    }
  }

  static func checkMessages(_ messages: [JSON]) throws(APIFailure) {
    guard !messages.isEmpty else {
      throw .pubSub(
        400, "INVALID_ARGUMENT", "The value for message_count is too small. You passed 0; the minimum is 1.")
    }
    guard messages.count <= 1000 else {
      throw .pubSub(400, "INVALID_ARGUMENT", "The value for message_count is too large. The maximum is 1000.")
    }
    for message in messages {
      let attributes = message["attributes"].texts
      guard !(message["data"].text ?? "").isEmpty || !attributes.isEmpty else {
        throw .pubSub(
          400, "INVALID_ARGUMENT",
          "One or more messages in the publish request is empty. Each message must contain "
            + "either non-empty data, or at least one attribute.")
      }
      guard attributes.count <= 100 else {
        throw .pubSub(400, "INVALID_ARGUMENT", "A message has more than 100 attributes.")
      }
      for (key, value) in attributes {
        guard !key.isEmpty, key.utf8.count <= 256, value.utf8.count <= 1024, !key.hasPrefix("goog") else {
          throw .pubSub(
            400, "INVALID_ARGUMENT", "Invalid attribute '\(key)': keys have at most 256 bytes, values at most 1024.")
        }
      }
    }
  }
}
