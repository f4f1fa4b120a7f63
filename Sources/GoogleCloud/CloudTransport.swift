package import Foundation

/// One logical call to a Google API, as the clients make it. Whoever sends it knows the endpoint, the credentials and
/// the retries; the clients know the API.
package struct CloudRequest: Hashable, Sendable {
  package var service: CloudService
  package var method: Method
  /// Below the service's base, percent-encoded: `projects/p/global/instanceTemplates`.
  package var path: String
  package var query: [URLQueryItem] = []
  package var body: Data?
  package var contentType = "application/json"
  /// Besides those of every request: `Range`, `Content-Range`.
  package var headers: [String: String] = [:]
  /// Statuses outside 2xx that are an answer and no error: 308 of an upload that continues.
  package var acceptedStatuses: Set<Int> = []
  /// A repeat does no harm: a GET, or a call with a `requestId`, or one whose second time is refused as "exists".
  package var isRepeatable = true
  /// For one send, not for all retries together.
  package var timeoutSeconds = 60.0
  /// For all retries together, where that is less than what every request has: its answer is of use only soon.
  package var patienceSeconds: Double?
  /// Google's codes (`UNAVAILABLE`, …) or HTTP statuses that are retried besides the usual ones.
  package var alsoRetried: Set<String> = []
  /// A request that is held by the server until there is something to say: an empty end (its time is up, 504, 499, a
  /// lost connection) is normal, is not retried, and is answered as `CloudResponse.emptyPoll`.
  package var isLongPoll = false
  /// For errors: "cannot `operation` `subject`".
  package var operation: String
  package var subject: String

  package enum Method: String, Hashable, Sendable { case get = "GET", post = "POST", put = "PUT", delete = "DELETE" }

  package init(
    _ service: CloudService, _ method: Method, _ path: String, query: [URLQueryItem] = [], body: Data? = nil,
    operation: String, subject: String
  ) {
    self.service = service
    self.method = method
    self.path = path
    self.query = query
    self.body = body
    self.operation = operation
    self.subject = subject
  }
}

package enum CloudService: String, Hashable, Sendable, CaseIterable {
  case compute, pubSub, storage, storageUpload, secretManager
}

package struct CloudResponse: Hashable, Sendable {
  package var status: Int
  package var body: Data
  /// Names in lower case.
  package var headers: [String: String]

  package init(status: Int, body: Data, headers: [String: String] = [:]) {
    self.status = status
    self.body = body
    self.headers = headers
  }

  /// The answer to a long poll that ended with nothing said: ask again. 204 without a body, which Google never sends
  /// there.
  package static let emptyPoll = CloudResponse(status: 204, body: Data())

  package var isEmptyPoll: Bool { status == 204 && body.isEmpty }
}

/// Sends calls. `CloudSession` is the one that goes over the network; tests have their own.
package protocol CloudTransport: Sendable {
  /// Retries what may be retried. Cancelling the Swift task abandons the request at once.
  ///
  /// - Returns: an answer with a status of 2xx, or one of the request's `acceptedStatuses`.
  /// - Throws: everything else.
  func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse
}

/// Where the services are. The variables are those of Google's own tools.
package struct Endpoints: Codable, Hashable, Sendable {
  /// Each ends in `/`.
  package var compute = "https://compute.googleapis.com/compute/v1/"
  package var pubSub = "https://pubsub.googleapis.com/v1/"
  package var storage = "https://storage.googleapis.com/storage/v1/"
  package var storageUpload = "https://storage.googleapis.com/upload/storage/v1/"
  package var secretManager = "https://secretmanager.googleapis.com/v1/"
  /// Only VMs call it.
  package var logging = "https://logging.googleapis.com/v2/"

  package init() {}
}
