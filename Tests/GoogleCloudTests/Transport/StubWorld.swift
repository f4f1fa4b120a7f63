import Foundation
import Synchronization
import Testing

@testable import GoogleCloud

/// A network whose answers a test scripts; nothing leaves the process.
final class StubHTTP: HTTPSending {
  typealias Script = @Sendable (HTTPRequest, _ number: Int) async -> Result<HTTPResponse, HTTPFailure>
  private let script: Script
  private let seen = Mutex<[HTTPRequest]>([])

  init(_ script: @escaping Script) { self.script = script }

  /// The answers one after the other, the last one for ever.
  convenience init(_ answers: Result<HTTPResponse, HTTPFailure>...) {
    self.init { _, number in answers[min(number, answers.count - 1)] }
  }

  var requests: [HTTPRequest] { seen.withLock { $0 } }

  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse {
    let number = seen.withLock {
      $0.append(request)
      return $0.count - 1
    }
    return try await script(request, number).get()
  }
}

extension Result<HTTPResponse, HTTPFailure> {
  static func status(_ status: Int, _ body: String = "{}", headers: [String: String] = [:]) -> Self {
    .success(HTTPResponse(status: status, headers: headers, body: Data(body.utf8), version: 11))
  }

  static func lost(sent: Bool, _ kind: HTTPFailure.Kind = .lost) -> Self {
    .failure(HTTPFailure(kind, "the line is dead", mayHaveBeenSent: sent))
  }

  /// What OAuth's endpoints answer.
  static func token(_ token: String, expiresIn seconds: Int = 3600) -> Self {
    .status(200, #"{"access_token":"\#(token)","expires_in":\#(seconds),"token_type":"Bearer"}"#)
  }
}

extension HTTPRequest {
  func header(_ name: String) -> String? { headers.first { $0.name.lowercased() == name.lowercased() }?.value }

  var text: String { String(decoding: body ?? Data(), as: UTF8.self) }

  /// The fields of a form.
  var form: [String: String] {
    var fields: [String: String] = [:]
    for item in URLComponents(string: "http://x/?\(text)")?.queryItems ?? [] { fields[item.name] = item.value }
    return fields
  }
}

/// A clock that only moves when somebody sleeps, or when the test says so.
final class StubClock: Sendable {
  private let seconds = Mutex(0.0)
  private let slept = Mutex<[Double]>([])
  static let start = Date(timeIntervalSince1970: 1_800_000_000)

  var sleeps: [Double] { slept.withLock { $0 } }
  func advance(_ seconds: Double) { self.seconds.withLock { $0 += seconds } }

  func world(_ environment: [String: String] = [:], random: Double = 1) -> CloudEnvironment {
    // No home of the machine's own, no metadata server.
    let bare = ["HOME": "/nonexistent", "NO_GCE_CHECK": "true"]
    var world = CloudEnvironment(environment: bare.merging(environment) { $1 })
    world.now = { Self.start.addingTimeInterval(self.seconds.withLock { $0 }) }
    world.uptimeSeconds = { self.seconds.withLock { $0 } }
    world.sleep = { seconds in
      try Task.checkCancellation()
      self.slept.withLock { $0.append(seconds) }
      self.advance(seconds)
    }
    world.random = { random }
    return world
  }
}

/// What the call threw; nil when it returned.
func error(of call: () async throws -> some Any) async -> CloudError? {
  do {
    _ = try await call()
    return nil
  } catch let error as CloudError {
    return error
  } catch {
    Issue.record(error, "not a CloudError")
    return nil
  }
}
