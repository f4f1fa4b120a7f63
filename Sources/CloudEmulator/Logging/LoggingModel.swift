internal import Foundation

enum LoggingMethod: String, Sendable, CaseIterable {
  case write = "logging.entries.write"

  /// From the discovery document of logging v2.
  static let routes = RouteTable<LoggingMethod>("logging.entries.write POST entries:write")
}

/// Cloud Logging, as far as jobs need it: entries are taken, and can be read at `/emulator/log-entries`.
struct LoggingModel {
  /// The latest, oldest first.
  private(set) var entries: [JSON] = []
  private(set) var countEverMade = 0

  private static let mostEntries = 10_000
  private static let requestFields: Set<String> = [
    "logName", "resource", "labels", "entries", "partialSuccess", "dryRun",
  ]
  private static let entryFields: Set<String> = [
    "logName", "resource", "timestamp", "severity", "insertId", "httpRequest", "labels", "operation", "trace", "spanId",
    "traceSampled", "sourceLocation", "split", "textPayload", "jsonPayload", "protoPayload",
  ]

  mutating func handle(_ call: Call<LoggingMethod>, at now: Date) throws(APIFailure) -> APIResponse {
    let body = call.body
    try Self.check(body, knows: Self.requestFields, at: "")
    var new: [JSON] = []
    for (index, entry) in body["entries"].elements.enumerated() {
      try Self.check(entry, knows: Self.entryFields, at: " at 'entries[\(index)]'")
      guard let name = entry["logName"].text ?? body["logName"].text, name.contains("/logs/") else {
        throw .badRequest("Log entry with empty or invalid logName.")
      }
      guard entry["resource"]["type"].text ?? body["resource"]["type"].text != nil else {
        throw .badRequest("Log entry with empty resource.")
      }
      var whole = entry
      whole["logName"] = .string(name)
      if entry["resource"] == .null { whole["resource"] = body["resource"] }
      var labels = body["labels"] == .null ? [:] : body["labels"]
      for (key, value) in entry["labels"].fields { labels[key] = value }
      whole["labels"] = labels
      whole["receiveTimestamp"] = .string(now.computeText)
      new.append(whole)
    }
    if body["dryRun"].flag != true {
      countEverMade += new.count
      entries = Array((entries + new).suffix(Self.mostEntries))
    }
    return .json([:])
  }

  private static func check(_ object: JSON, knows fields: Set<String>, at place: String) throws(APIFailure) {
    guard let unknown = object.fields.keys.filter({ !fields.contains($0) }).min() else { return }
    throw .badRequest("Invalid JSON payload received. Unknown name \"\(unknown)\"\(place): Cannot find field.")
  }
}
