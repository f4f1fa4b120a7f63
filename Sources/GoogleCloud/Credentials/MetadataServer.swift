internal import Foundation

/// Tells a VM of Google's who it is. Its answers carry `Metadata-Flavor: Google`; others on that address do not.
struct MetadataServer: Sendable {
  private let http: any HTTPSending
  private let world: CloudEnvironment

  init(_ http: any HTTPSending, _ world: CloudEnvironment) {
    self.http = http
    self.world = world
  }

  /// Named by the environment, so there is no need to look for it.
  var isNamed: Bool { namedHost != nil }

  var isSwitchedOff: Bool { ["1", "true"].contains(world.variable("NO_GCE_CHECK")?.lowercased()) }

  private var namedHost: String? { world.variable("GCE_METADATA_HOST") ?? world.variable("GCE_METADATA_ROOT") }

  /// Looked for by number: a name would ask a name server, which may take its time to know nothing.
  private var pingHost: String { namedHost ?? world.variable("GCE_METADATA_IP") ?? "169.254.169.254" }

  private var timeoutSeconds: Double {
    world.variable("GCE_METADATA_TIMEOUT").flatMap(Double.init).flatMap { $0 > 0 ? $0 : nil } ?? 3
  }

  /// Whether there is one.
  func answers() async throws(CloudError) -> Bool {
    var hasPaused = false
    for _ in 0..<3 {
      var request = HTTPRequest("GET", "http://\(pingHost)/", headers: [(name: "Metadata-Flavor", value: "Google")])
      request.connectTimeoutSeconds = timeoutSeconds
      request.timeoutSeconds = timeoutSeconds
      do throws(HTTPFailure) {
        return Self.isGoogle(try await http.send(request))
      } catch {
        switch error.kind {
        case .timeout, .lost: continue
        case .cancelled: throw CloudError(error, operation: "look for", subject: "the metadata server")
        case .noConnection, .nameNotFound:
          // In a new pod of Kubernetes it comes a moment later than the program.
          if hasPaused { return false }
          hasPaused = true
          try await world.pause(Self.secondLookAfterSeconds, "look for", "the metadata server")
        case .unusable, .untrusted, .tooLong, .notWritten: return false
        }
      }
    }
    return false
  }

  func token(scopes: [String]) async throws(CloudError) -> AccessToken {
    let scope = CloudPath.encoded(scopes.joined(separator: ","))
    let path = "instance/service-accounts/default/token?scopes=\(scope)"
    return try endpoint.token(try await get(path))
  }

  /// The project that the VM belongs to.
  func project() async throws(CloudError) -> String {
    let answer = try await get("project/project-id")
    return String(decoding: answer.body, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private var endpoint: TokenEndpoint {
    TokenEndpoint(http: http, world: world, subject: "this VM's service account")
  }

  private func get(_ path: String) async throws(CloudError) -> HTTPResponse {
    let host = namedHost ?? "metadata.google.internal"
    let request = HTTPRequest(
      "GET", "http://\(host)/computeMetadata/v1/\(path)", headers: [(name: "Metadata-Flavor", value: "Google")])
    let answer = try await endpoint.send(request, hiding: []) { _ in
      "give the VM a service account, or set GOOGLE_APPLICATION_CREDENTIALS"
    }
    guard Self.isGoogle(answer) else {
      throw CloudError(
        .unauthenticated, operation: "sign in as", subject: "this VM's service account",
        message: "\(host) is not a metadata server: its answer lacks 'Metadata-Flavor: Google'",
        hint: "check GCE_METADATA_HOST")
    }
    return answer
  }

  private static let secondLookAfterSeconds = 1.0

  private static func isGoogle(_ answer: HTTPResponse) -> Bool { answer.headers["metadata-flavor"] == "Google" }
}
