internal import Foundation
internal import NIOHTTP1

/// Who may ask the emulator for anything: it starts processes, so neither a web page nor another user of this machine
/// may.
///
/// A request is let in when it is addressed to this machine, when no browser sent it for a page, and when it carries
/// the emulator's secret: as the first part of its path, which Google's variables can name, or as one of the emulator's
/// own access tokens. What is the emulator's own (`/emulator/…`) wants the secret itself, for VMs have tokens.
struct FrontDoor: Sendable {
  /// Of lower-case hexadecimal digits, so that it is the same in every address.
  let secret: String

  static func makeSecret() -> String {
    var generator = SystemRandomNumberGenerator()
    let digits = (0..<2).map { _ in
      let half = String(UInt64.random(in: .min ... .max, using: &generator), radix: 16)
      return String(repeating: "0", count: 16 - half.count) + half
    }
    return digits.joined()
  }

  enum Verdict: Equatable {
    /// With the target as services are to see it: without the secret.
    case open(target: String)
    /// `gcloud` sends batches to a path of its own, whatever its endpoint is. Each request in it is judged by itself.
    case batch(target: String)
    case closed(APIFailure)
  }

  /// - Parameter isToken: whether a bearer token is one of the emulator's, and still good.
  func judge(_ head: HTTPRequestHead, isToken: (String) -> Bool) -> Verdict {
    let hosts = head.headers["host"]
    guard hosts.count == 1, Self.isLoopback(hosts[0]) else {
      return .closed(
        APIFailure(
          421, "misdirected", "The emulator answers requests to 127.0.0.1, localhost and [::1] only.",
          code: "FAILED_PRECONDITION"))
    }
    let sites = head.headers["sec-fetch-site"]
    guard !head.headers.contains(name: "origin"), sites.allSatisfy({ $0 == "none" }) else {
      return .closed(
        APIFailure(403, "forbidden", "The emulator answers no requests of web pages.", code: "PERMISSION_DENIED"))
    }
    guard head.uri.hasPrefix("/") else {
      return .closed(.badRequest("The request's target must be a path."))
    }
    if let target = withoutSecret(head.uri) { return .open(target: target) }
    let path = head.uri.prefix { $0 != "?" }
    if !Self.isOwn(path), let token = head.headers.first(name: "authorization").flatMap(APIRequest.bearerToken),
      isToken(token)
    {
      return .open(target: head.uri)
    }
    if path == "/batch" || path.hasPrefix("/batch/") { return .batch(target: head.uri) }
    return .closed(.noSecret)
  }

  /// The target below the secret; nil where it does not begin with it.
  func withoutSecret(_ target: some StringProtocol) -> String? {
    let front = Array("/\(secret)".utf8)
    let bytes = Array(target.utf8)
    guard !secret.isEmpty, bytes.count >= front.count else { return nil }
    // In a time that does not tell how much of it was right.
    var difference: UInt8 = 0
    for (own, given) in zip(front, bytes) { difference |= own ^ given }
    guard difference == 0 else { return nil }
    let rest = String(decoding: bytes[front.count...], as: UTF8.self)
    if rest.isEmpty || rest.hasPrefix("?") { return "/" + rest }
    return rest.hasPrefix("/") ? rest : nil
  }

  /// What the emulator has beside Google's services.
  static func isOwn(_ path: some StringProtocol) -> Bool {
    let parts = path.split(separator: "/")
    return parts.first.map { $0.removingPercentEncoding == "emulator" } ?? true
  }

  /// With any port: a tunnel has one of its own.
  static func isLoopback(_ host: String) -> Bool {
    ["127.0.0.1", "localhost", "[::1]"].contains(hostName(host))
  }

  /// Without the port, in lower case; empty where the port is none.
  static func hostName(_ host: String) -> String {
    let name = host.lowercased()
    guard let colon = name.lastIndex(of: ":"), !name.hasSuffix("]") else { return name }
    return wholeNumber(name[name.index(after: colon)...]) == nil ? "" : String(name[..<colon])
  }
}

extension APIFailure {
  static let noSecret = APIFailure(
    403, "forbidden",
    "The address lacks the secret of this emulator: take over the variables that 'dagrun emulator start' prints and "
      + "writes to its --environment-file.", code: "PERMISSION_DENIED")
}
