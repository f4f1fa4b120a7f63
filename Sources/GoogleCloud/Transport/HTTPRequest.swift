package import Foundation

/// One send of one request. Redirects are answers like others: nothing here follows them, so that no credential goes to
/// a host that was not asked for.
package struct HTTPRequest: Sendable {
  package var method: String
  /// Absolute, `http` or `https`.
  package var url: String
  package var headers: [(name: String, value: String)] = []
  package var body: Data?
  package var connectTimeoutSeconds = 20.0
  /// From the start to the last byte of the answer.
  package var timeoutSeconds = 60.0
  /// A longer answer is a failure.
  package var limitBytes = 64 << 20
  /// Sent a second time it does no harm. If not, the request gets a connection of its own: on one that was used before,
  /// curl sends by itself again what seems to have found it closed.
  package var isRepeatable = true
  /// Of the buffer for the answer, which every request in flight has: small for those that wait.
  package var bufferBytes = 16 << 10
  package var sink: Sink = .memory

  package enum Sink: Sendable {
    case memory
    /// The body of a 2xx answer is written to the file from `offset` on, so that a repeat writes over it; any other
    /// body is kept in memory. The descriptor stays the caller's, and open until the send has returned.
    case file(descriptor: Int32, offset: Int64)
  }

  package init(_ method: String, _ url: String, headers: [(name: String, value: String)] = [], body: Data? = nil) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
  }
}

package struct HTTPResponse: Sendable {
  package var status: Int
  /// Names in lower case. Of several with one name, joined by a comma.
  package var headers: [String: String]
  /// Empty where it was written to a file.
  package var body: Data
  /// 1.0, 1.1, 2.0 as 10, 11, 20.
  package var version: Int
}

/// No answer came. Never holds a secret: not the URL's query, no header, no body.
package struct HTTPFailure: Error, Hashable, Sendable, CustomStringConvertible {
  package var kind: Kind
  /// What happened, and where: a sentence for a person.
  package var message: String
  /// False only where it is certain that not one byte of the request was sent.
  package var mayHaveBeenSent: Bool

  package enum Kind: Hashable, Sendable {
    /// There is no libcurl, or a request that cannot be sent.
    case unusable
    case nameNotFound
    case noConnection
    /// No trust in whoever answered.
    case untrusted
    case timeout
    /// The connection was lost on the way.
    case lost
    case tooLong
    /// The body could not be written to its file.
    case notWritten
    case cancelled
  }

  package init(_ kind: Kind, _ message: String, mayHaveBeenSent: Bool = false) {
    self.kind = kind
    self.message = message
    self.mayHaveBeenSent = mayHaveBeenSent
  }

  package var description: String { message }
}

/// Sends requests, each once. `HTTPClient` is the one that goes over the network.
package protocol HTTPSending: Sendable {
  /// Cancelling the Swift task abandons the request at once.
  func send(_ request: HTTPRequest) async throws(HTTPFailure) -> HTTPResponse
}
