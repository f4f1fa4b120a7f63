internal import Foundation

/// Which method of an API a request calls, and with what.
struct Call<Method: Sendable>: Sendable {
  var method: Method
  var id: RequestID
  /// What stands in the path's places, by their names.
  var names: [String: String]
  var request: APIRequest
  /// The JSON of the body; an empty object where there is none.
  var body: JSON = [:]

  subscript(name: String) -> String { names[name] ?? "" }

  /// Of the query.
  func query(_ name: String) -> String? {
    request.value(of: name).flatMap { $0.isEmpty ? nil : $0 }
  }
}

/// The methods of an API: name, verb, path, names of the query, a line each, as Google's discovery documents give them.
struct RouteTable<Method: RawRepresentable & Sendable>: Sendable where Method.RawValue == String {
  private struct Route: Sendable {
    var method: Method
    var verb: String
    var pattern: [Piece]
    var query: Set<String>
  }

  private enum Piece: Sendable {
    case literal(String)
    /// A name, and what follows it in the same piece: `{topic}:publish`.
    case name(String, suffix: String)
  }

  /// By the number of pieces of the path.
  private var routes: [Int: [Route]] = [:]

  /// Understood by every method of Google's APIs.
  private static var everywhere: Set<String> {
    [
      "alt", "$alt", "fields", "$fields", "key", "prettyPrint", "$prettyPrint", "quotaUser", "userIp", "access_token",
      "oauth_token", "callback", "uploadType", "upload_protocol", "$.xgafv", "$httpMethod",
    ]
  }

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      guard let method = Method(rawValue: words[0]) else { preconditionFailure("no method \(words[0])") }
      let pattern = words[2].split(separator: "/").map(Self.piece)
      routes[pattern.count, default: []].append(
        Route(
          method: method, verb: words[1], pattern: pattern,
          query: Self.everywhere.union(words.dropFirst(3))))
    }
  }

  /// A request for each route, with a name in every place of its path. For tests that go through all of them.
  var samples: [(method: Method, verb: String, path: String)] {
    routes.sorted { $0.key < $1.key }.flatMap { $0.value }.map { route in
      let pieces = route.pattern.map { piece in
        switch piece {
        case .literal(let text): text
        case .name(let name, let suffix): (name == "project" ? "proj" : name.lowercased() + "-1") + suffix
        }
      }
      return (route.method, route.verb, pieces.joined(separator: "/"))
    }
  }

  private static func piece(_ text: Substring) -> Piece {
    guard text.first == "{", let end = text.firstIndex(of: "}") else { return .literal(String(text)) }
    return .name(
      String(text[text.index(after: text.startIndex)..<end]), suffix: String(text[text.index(after: end)...]))
  }

  /// - Parameter path: below the API's base.
  /// - Returns: nil where the API has no such method.
  /// - Throws: where the method does not know a parameter of the query.
  func find(_ request: APIRequest, path: Substring, id: RequestID) throws(APIFailure) -> Call<Method>? {
    let pieces = path.split(separator: "/").map { $0.removingPercentEncoding ?? String($0) }
    for route in routes[pieces.count] ?? [] where route.verb == request.method {
      guard let names = Self.match(route.pattern, pieces) else { continue }
      if let unknown = request.query.first(where: { !route.query.contains($0.name) }) {
        throw .badRequest(
          "Invalid JSON payload received. Unknown name \"\(unknown.name)\": Cannot bind query parameter. "
            + "Field '\(unknown.name)' could not be found in request message.")
      }
      return Call(method: route.method, id: id, names: names, request: request)
    }
    return nil
  }

  private static func match(_ pattern: [Piece], _ pieces: [String]) -> [String: String]? {
    var names: [String: String] = [:]
    for (expected, piece) in zip(pattern, pieces) {
      switch expected {
      case .literal(let text):
        guard text == piece else { return nil }
      case .name(let name, let suffix):
        guard piece.hasSuffix(suffix), piece.utf8.count > suffix.utf8.count else { return nil }
        names[name] = String(piece.dropLast(suffix.count))
      }
    }
    return names
  }
}
