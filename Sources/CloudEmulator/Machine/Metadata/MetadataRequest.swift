internal import Foundation

/// A request to the metadata server, as far as it matters.
struct MetadataRequest: Equatable {
  var path: String
  var query: [String: String]
  var hasFlavor: Bool
  var isForwarded: Bool

  init(uri: String, hasFlavor: Bool, isForwarded: Bool) {
    let parts = uri.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    path = parts[0].removingPercentEncoding ?? String(parts[0])
    query = [:]
    for field in (parts.count > 1 ? parts[1] : "").split(separator: "&") {
      let pair = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      let value = pair.count > 1 ? String(pair[1]) : ""
      query[String(pair[0])] = value.replacingOccurrences(of: "+", with: " ").removingPercentEncoding ?? value
    }
    self.hasFlavor = hasFlavor
    self.isForwarded = isForwarded
  }

  /// Its names on a VM, and where it is in truth. With any port.
  static func isOwnHost(_ host: String) -> Bool {
    ["metadata.google.internal", "metadata.goog", "metadata", "169.254.169.254"].contains(
      FrontDoor.hostName(host)) || FrontDoor.isLoopback(host)
  }

  func isSet(_ name: String) -> Bool { query[name]?.lowercased() == "true" }
}

/// What is answered now, or later.
enum MetadataAnswer: Equatable {
  struct Response: Equatable {
    var status: Int
    var body: String
    var contentType = "application/text"
    var entityTag: String?
    var location: String?
  }

  case respond(Response)
  /// A token of the VM's account; nil: with the scopes that the VM has.
  case token(scopes: [String]?)
  /// Once the value is another one than this, or when the time is up.
  case wait(since: String, seconds: Double?)

  static let root = "/computeMetadata/v1"

  /// - Parameter since: the entity tag that a request that waits has begun with.
  init(_ request: MetadataRequest, _ metadata: InstanceMetadata, since: String? = nil, isLate: Bool = false) {
    func text(_ status: Int, _ body: String) -> Self { .respond(Response(status: status, body: body)) }
    if request.path == "/" { self = text(200, "computeMetadata/\n"); return }
    guard request.path == Self.root || request.path.hasPrefix(Self.root + "/") else {
      self = text(404, "not found\n")
      return
    }
    guard request.hasFlavor, !request.isForwarded else {
      self = text(403, "Missing Metadata-Flavor:Google header.\n")
      return
    }
    guard let entry = metadata.entry(String(request.path.dropFirst(Self.root.count))) else {
      self = text(404, "The requested URL \(request.path) was not found on this server.\n")
      return
    }
    if entry == .token {
      self = .token(scopes: request.query["scopes"].map { $0.split(separator: ",").map(String.init) })
      return
    }
    let isRecursive = request.isSet("recursive")
    if case .folder = entry, !request.path.hasSuffix("/"), !isRecursive {
      self = .respond(Response(status: 301, body: "", location: request.path + "/"))
      return
    }
    let asJSON = request.query["alt"].map { $0 == "json" } ?? isRecursive
    let body = asJSON ? entry.json : entry.text
    let tag = Self.entityTag(entry.json)
    if request.isSet("wait_for_change"), !isLate {
      let known = since ?? request.query["last_etag"].flatMap { $0 == "0" ? nil : $0 } ?? tag
      // An etag that is unknown is answered at once: whoever has it has missed a change.
      if known == tag {
        self = .wait(
          since: tag, seconds: request.query["timeout_sec"].flatMap { Double($0) }.map { clamp($0, to: 0...86400) })
        return
      }
    }
    self = .respond(
      Response(status: 200, body: body, contentType: asJSON ? "application/json" : "application/text", entityTag: tag))
  }

  /// FNV-1a: the same for the same value, in 16 digits, as Google's look.
  private static func entityTag(_ text: String) -> String {
    let hash = text.utf8.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
  }
}
