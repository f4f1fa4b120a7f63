internal import Foundation

/// Where the services are by the environment, and which of them are asked without credentials.
package struct CloudPlaces: Hashable, Sendable {
  package var endpoints = Endpoints()
  /// Emulators by their own variables, which never see a credential.
  package var anonymous: Set<CloudService> = []

  package init() {}

  enum SignIn: Hashable {
    case required
    /// On this machine: with credentials where there are some.
    case ifPossible
    case never
  }

  func signIn(for service: CloudService) -> SignIn {
    let base = endpoints[service]
    if anonymous.contains(service) { return .never }
    if base.hasPrefix("https:") { return .required }
    // A credential does not travel unencrypted.
    return Transfer.isLoopback(Transfer.host(of: base) ?? "") ? .ifPossible : .never
  }
}

extension Endpoints {
  package subscript(_ service: CloudService) -> String {
    switch service {
    case .compute: compute
    case .pubSub: pubSub
    case .storage: storage
    case .storageUpload: storageUpload
    case .secretManager: secretManager
    }
  }

  package static func fromEnvironment(_ environment: [String: String]) throws(CloudError) -> Endpoints {
    try CloudPlaces(environment: environment).endpoints
  }
}

extension CloudPlaces {
  /// `CLOUDSDK_API_ENDPOINT_OVERRIDES_…` as gcloud reads them, with or without the service's own path; over them
  /// `PUBSUB_EMULATOR_HOST` and `STORAGE_EMULATOR_HOST`, with or without a scheme.
  package init(environment: [String: String]) throws(CloudError) {
    self.init()
    func override(_ name: String, path: String) throws(CloudError) -> String? {
      let variable = "CLOUDSDK_API_ENDPOINT_OVERRIDES_\(name)"
      guard let text = environment[variable], !text.isEmpty else { return nil }
      return try Self.base(text, path: path, variable: variable)
    }
    if let base = try override("COMPUTE", path: "compute/v1/") { endpoints.compute = base }
    if let base = try override("PUBSUB", path: "v1/") { endpoints.pubSub = base }
    if let base = try override("SECRETMANAGER", path: "v1/") { endpoints.secretManager = base }
    if let base = try override("LOGGING", path: "v2/") { endpoints.logging = base }
    if let base = try override("STORAGE", path: "storage/v1/") { setStorage(base) }
    if let host = environment["PUBSUB_EMULATOR_HOST"], !host.isEmpty {
      endpoints.pubSub = try Self.base(Self.withScheme(host), path: "v1/", variable: "PUBSUB_EMULATOR_HOST")
      anonymous.insert(.pubSub)
    }
    if let host = environment["STORAGE_EMULATOR_HOST"], !host.isEmpty {
      // A host to Google's clients, which put the service's path behind whatever is there.
      var base = try Self.base(Self.withScheme(host), path: "storage/v1/", variable: "STORAGE_EMULATOR_HOST")
      if !base.hasSuffix("/storage/v1/") { base += "storage/v1/" }
      setStorage(base)
      anonymous.formUnion([.storage, .storageUpload])
    }
  }

  /// Uploads have a path of their own on the same host: `/storage/v1/` and `/upload/storage/v1/`.
  private mutating func setStorage(_ base: String) {
    endpoints.storage = base
    let path = "storage/v1/"
    endpoints.storageUpload = base.hasSuffix("/\(path)") ? String(base.dropLast(path.count)) + "upload/\(path)" : base
  }

  private static func withScheme(_ host: String) -> String { host.contains("://") ? host : "http://\(host)" }

  /// Ends in the service's path and a slash, whatever of that was given.
  static func base(_ text: String, path: String, variable: String) throws(CloudError) -> String {
    let text = text.trimmingCharacters(in: .whitespaces)
    func refused(_ reason: String) -> CloudError {
      CloudError(
        .invalid, operation: "read", subject: variable, message: reason,
        hint: "set \(variable) to an address such as http://127.0.0.1:8085/\(path), or unset it")
    }
    guard let parts = URLComponents(string: text), let scheme = parts.scheme?.lowercased(),
      ["http", "https"].contains(scheme)
    else { throw refused("'\(Transfer.withoutQuery(text))' is not an http or https address") }
    guard let host = parts.host, !host.isEmpty else { throw refused("'\(Transfer.withoutQuery(text))' names no host") }
    guard parts.query == nil, parts.fragment == nil, parts.user == nil, parts.password == nil else {
      throw refused("an address with a user, a query or a fragment")
    }
    var base = scheme + text.dropFirst(scheme.count)
    while base.hasSuffix("/") { base.removeLast() }
    base += "/"
    // gcloud's own addresses of Pub/Sub, Secret Manager and Cloud Logging end before the version, those of the others
    // after it.
    let endsBeforeVersion = path == "v1/" || path == "v2/"
    let isComplete = base.hasSuffix("/\(path)") || (!endsBeforeVersion && parts.path.contains { $0 != "/" })
    return isComplete ? base : base + path
  }
}
