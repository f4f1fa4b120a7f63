/// Why a call to Google failed: one type for both of its channels, the HTTP answer and the operation's own errors.
///
/// Never holds a secret: no header, no token, no body of a request.
package struct CloudError: Error, Hashable, Sendable {
  package var reason: Reason
  /// What was being done, as in "cannot `operation` `subject`": `insert instance group`.
  package var operation: String
  /// The thing it was done to: a name.
  package var subject: String
  /// Google's own words, or the transport's.
  package var message: String
  /// HTTP status; nil when there was no answer, or the fault came in an operation.
  package var status: Int?
  /// Google's own code, as it came: `ZONE_RESOURCE_POOL_EXHAUSTED`, `quotaExceeded`.
  package var code: String?
  /// What to do next.
  package var hint: String?
  /// The request never left this machine: no token to send with it, or no connection.
  package var wasNeverSent = false

  package init(
    _ reason: Reason, operation: String, subject: String, message: String, status: Int? = nil, code: String? = nil,
    hint: String? = nil
  ) {
    self.reason = reason
    self.operation = operation
    self.subject = subject
    self.message = message
    self.status = status
    self.code = code
    self.hint = hint
  }

  /// What the fault is, whichever way it came.
  package enum Reason: String, Codable, Hashable, Sendable, CaseIterable {
    case notFound
    case alreadyExists
    case invalid
    case inUse
    case permissionDenied
    /// No credentials, or refused ones.
    case unauthenticated
    /// The API is not switched on in the project, or billing is not.
    case apiDisabled
    /// Too many requests: wait, and ask again.
    case rateLimited
    /// The project's quota for such machines is used up.
    case quotaExceeded
    /// Google has no such machine to give there now.
    case outOfCapacity
    /// There is no such machine type or accelerator in that zone or region, now or later.
    case notOffered
    /// Google's side is down for a moment (5xx), or did not answer in time.
    case unavailable
    /// No connection, or one that was lost.
    case network
    /// The answer could not be read.
    case badAnswer
    /// Whoever asked has lost interest.
    case cancelled
    case other
  }

  /// The same call may succeed later.
  package var isTransient: Bool {
    switch reason {
    case .rateLimited, .unavailable, .network, .badAnswer: true
    case .notFound, .alreadyExists, .invalid, .inUse, .permissionDenied, .unauthenticated, .apiDisabled,
      .quotaExceeded, .outOfCapacity, .notOffered, .cancelled, .other:
      false
    }
  }
}

extension CloudError: CustomStringConvertible {
  package var description: String { "cannot \(operation) \(subject): \(message)" }
}
