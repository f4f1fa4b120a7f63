internal import Foundation

/// A request, as it came.
struct APIRequest: Sendable {
  var method: String
  /// Without the query, still percent-encoded: `/compute/v1/projects/p/zones`.
  var path: String
  /// Decoded, in order.
  var query: [(name: String, value: String)] = []
  /// Names in lower case.
  var headers: [String: String] = [:]
  var body = Data()
  /// It was let in by itself. Else it is a batch, of which each request must be (`FrontDoor`).
  var isProven = true

  init(_ method: String, _ target: String, headers: [String: String] = [:], body: Data = Data()) {
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    self.method = method
    // A base that ends in a slash and a path that begins with one give two.
    path = String(parts[0]).replacing("//", with: "/")
    query = parts.count == 2 ? Self.form(String(parts[1])) : []
    self.headers = headers
    self.body = body
  }

  /// The pairs of a query, or of a form's body.
  static func form(_ text: String) -> [(name: String, value: String)] {
    text.split(separator: "&").map { pair in
      let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      return (decoded(parts[0]), parts.count == 2 ? decoded(parts[1]) : "")
    }
  }

  private static func decoded(_ text: Substring) -> String {
    let spaced = text.replacing("+", with: " ")
    return spaced.removingPercentEncoding ?? String(spaced)
  }

  func value(of name: String) -> String? { query.last { $0.name == name }?.value }

  /// Of `Authorization: Bearer …`, or of the query.
  var bearerToken: String? {
    headers["authorization"].flatMap(Self.bearerToken) ?? value(of: "access_token")
  }

  /// Of the value of `Authorization`.
  static func bearerToken(_ header: String) -> String? {
    header.lowercased().hasPrefix("bearer ") ? String(header.dropFirst(7)) : nil
  }

  /// Whether the body is said to be JSON. A web page cannot say that to another site without asking first.
  var isJSON: Bool { mediaType == "application/json" }

  var isYAML: Bool { ["application/yaml", "application/x-yaml"].contains(mediaType) }

  private var mediaType: String? {
    headers["content-type"]?.prefix { $0 != ";" }.trimmingCharacters(in: .whitespaces).lowercased()
  }
}

struct APIResponse: Hashable, Sendable {
  var status: Int
  var headers: [String: String] = [:]
  var body = Data()

  static func json(_ value: JSON, status: Int = 200) -> APIResponse {
    APIResponse(status: status, headers: ["Content-Type": "application/json; charset=UTF-8"], body: value.data)
  }
}

/// Which request: given by whoever received it.
struct RequestID: Hashable, Sendable, Comparable {
  var value: UInt64
  static func < (left: RequestID, right: RequestID) -> Bool { left.value < right.value }
}

/// What a model answers to a request.
enum Reply: Hashable, Sendable {
  case now(APIResponse)
  /// The model answers later, by an `Output.answer`.
  case held
}

/// What leaves the emulated cloud.
enum Output: Hashable, Sendable {
  case answer(RequestID, APIResponse)
  /// Close the connection without an answer.
  case drop(RequestID)
  case machine(HostCommand)
}

/// What the VMs' host is to do. Instances are told apart by their numbers.
enum HostCommand: Hashable, Sendable {
  case boot(VirtualMachineDescription)
  case preempt(UInt64, graceSeconds: Double)
  case shutDown(UInt64, graceSeconds: Double)
  case kill(UInt64)
  /// Its console is asked for no more.
  case forget(UInt64)
}
