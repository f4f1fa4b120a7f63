internal import Foundation

/// Sends the clients' calls to Google, or to what the environment names in its place: address, credentials, retries.
///
/// One for the process is enough, for any number of calls at once.
package final class CloudSession: CloudTransport {
  package let endpoints: Endpoints
  private let places: CloudPlaces
  private let http: any HTTPSending
  private let credentials: CredentialSearch
  private let rules: RetryRules
  private let world: CloudEnvironment
  private let token: TokenCache
  /// For services on this machine, which do without where there are no credentials.
  private let tokenIfAny: TokenCache

  package init(
    _ places: CloudPlaces, _ http: any HTTPSending, _ world: CloudEnvironment, rules: RetryRules = RetryRules()
  ) {
    self.places = places
    self.http = http
    self.world = world
    self.rules = rules
    endpoints = places.endpoints
    let credentials = CredentialSearch(http, world)
    self.credentials = credentials
    token = TokenCache(world) { () async throws(CloudError) in try await credentials.grant() }
    tokenIfAny = TokenCache(world) { () async throws(CloudError) in try await credentials.grantIfAny() }
  }

  /// - Throws: when a variable of the environment cannot be read. Credentials are looked for by the first call.
  package static func standard(
    environment: [String: String], version: String = "", rules: RetryRules = RetryRules()
  ) throws(CloudError) -> CloudSession {
    var options = HTTPClientOptions(environment: environment)
    options.userAgent = version.isEmpty ? "dagrun" : "dagrun/\(version)"
    return CloudSession(
      try CloudPlaces(environment: environment), HTTPClient(options), CloudEnvironment(environment: environment),
      rules: rules
    )
  }

  /// The project that the environment, the credentials, gcloud's configuration or the metadata server name, in this
  /// order.
  package func project() async throws(CloudError) -> String { try await credentials.project() }

  package func call(_ request: CloudRequest) async throws(CloudError) -> CloudResponse {
    try await call(request, into: .memory)
  }

  /// As `call`, but the body of the answer is written to the file from `offset` on, and is not in the answer. It may be
  /// of any length. The descriptor must stay open meanwhile.
  package func download(
    _ request: CloudRequest, to descriptor: Int32, offset: Int64 = 0
  ) async throws(CloudError) -> CloudResponse {
    try await call(request, into: .file(descriptor: descriptor, offset: offset))
  }

  private func call(_ request: CloudRequest, into sink: HTTPRequest.Sink) async throws(CloudError) -> CloudResponse {
    let began = world.uptimeSeconds()
    var progress = RetryRules.Progress()
    var hasLeft = false
    while true {
      let sent = world.uptimeSeconds()
      let (outcome, grant) = await send(request, into: sink)
      let ended = world.uptimeSeconds()
      hasLeft = hasLeft || outcome.mayHaveBeenSent
      let step = rules.next(
        &progress, after: outcome, to: request, elapsed: ended - began, held: ended - sent, now: world.now(),
        random: world.random())
      switch step {
      case .answer:
        guard case .answered(let answer) = outcome else { preconditionFailure("\(outcome) is not an answer") }
        return CloudResponse(answer)
      case .emptyPoll(let seconds):
        if seconds > 0 { try await world.pause(seconds, request.operation, request.subject) }
        return .emptyPoll
      case .again(let seconds): try await world.pause(seconds, request.operation, request.subject)
      case .againWithNewToken:
        guard let used = grant else { throw Self.error(outcome, request, progress, ended - began, hasLeft) }
        await cache(for: request)?.forget(used)
      case .fail: throw Self.error(outcome, request, progress, ended - began, hasLeft)
      }
    }
  }

  /// Sends once. Also tells with what token.
  private func send(
    _ request: CloudRequest, into sink: HTTPRequest.Sink
  ) async -> (RetryRules.Outcome, Grant?) {
    var grant: Grant?
    do throws(CloudError) { grant = try await cache(for: request)?.grant() } catch {
      return (.notSignedIn(error), nil)
    }
    var message = HTTPRequest(request.method.rawValue, url(of: request), body: request.body)
    message.headers = request.headers.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    if request.body != nil { message.headers.append((name: "Content-Type", value: request.contentType)) }
    if let token = grant?.token {
      message.headers.append((name: "Authorization", value: "Bearer \(token.secret.revealed)"))
    }
    if let project = grant?.quotaProject { message.headers.append((name: "x-goog-user-project", value: project)) }
    message.timeoutSeconds = request.timeoutSeconds
    message.isRepeatable = request.isRepeatable
    if request.isLongPoll { message.bufferBytes = 1 << 10 }
    if case .file = sink {
      message.limitBytes = .max
      message.bufferBytes = 128 << 10
    }
    message.sink = sink
    do throws(HTTPFailure) { return (.answered(try await http.send(message)), grant) } catch {
      return (.unanswered(error), grant)
    }
  }

  private func cache(for request: CloudRequest) -> TokenCache? {
    switch places.signIn(for: request.service) {
    case .required: token
    case .ifPossible: tokenIfAny
    case .never: nil
    }
  }

  private func url(of request: CloudRequest) -> String {
    let query = request.query.map { item in
      CloudPath.encoded(item.name) + (item.value.map { "=" + CloudPath.encoded($0) } ?? "")
    }
    return endpoints[request.service] + request.path + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
  }

  private static func error(
    _ outcome: RetryRules.Outcome, _ request: CloudRequest, _ progress: RetryRules.Progress, _ seconds: Double,
    _ hasLeft: Bool
  ) -> CloudError {
    var error: CloudError
    switch outcome {
    case .answered(let answer): error = CloudError(answer: CloudResponse(answer), to: request)
    case .unanswered(let failure): error = CloudError(failure, operation: request.operation, subject: request.subject)
    case .notSignedIn(let cause):
      error = CloudError(
        cause.reason, operation: request.operation, subject: request.subject, message: "\(cause)",
        status: cause.status, code: cause.code, hint: cause.hint)
    }
    error.wasNeverSent = !hasLeft
    if progress.delays > 1 { error.message += " (sent \(progress.sends) times in \(Int(seconds.rounded())) s)" }
    return error
  }
}

extension CloudResponse {
  init(_ response: HTTPResponse) {
    self.init(status: response.status, body: response.body, headers: response.headers)
  }
}

extension CloudError {
  /// No answer came.
  package init(_ failure: HTTPFailure, operation: String, subject: String) {
    var hint: String?
    let reason: Reason
    switch failure.kind {
    case .nameNotFound, .noConnection, .lost:
      reason = .network
      hint = "check the network, and https_proxy if there is a proxy"
    case .timeout: reason = .unavailable
    case .untrusted:
      reason = .other
      hint = "if a proxy signs for others here, name its certificates: CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE=FILE"
    case .unusable, .notWritten: reason = .other
    case .tooLong: reason = .badAnswer
    case .cancelled: reason = .cancelled
    }
    self.init(reason, operation: operation, subject: subject, message: failure.message, hint: hint)
  }
}
