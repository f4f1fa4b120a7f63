internal import Foundation

/// Application Default Credentials, in google-auth's order: a fixed token (gcloud's variable), the file that
/// GOOGLE_APPLICATION_CREDENTIALS names, gcloud's own file, the metadata server. What is found there is traded for a
/// token of the service account that gcloud's variable names, if it names one.
///
/// Files are read anew for each token, once an hour: a rotated key or a new login is found without a restart.
actor CredentialSearch {
  private let http: any HTTPSending
  private let world: CloudEnvironment
  private let metadata: MetadataServer
  /// It does not go away: once it has answered it is not looked for again.
  private var hasMetadataServer = false

  init(_ http: any HTTPSending, _ world: CloudEnvironment) {
    self.http = http
    self.world = world
    metadata = MetadataServer(http, world)
  }

  func grant() async throws(CloudError) -> Grant { try await impersonated(try await ownGrant()) }

  private func ownGrant() async throws(CloudError) -> Grant {
    if let grant = try await grantFromFiles() { return grant }
    if try await findMetadataServer() { return try await grantFromMetadata() }
    throw CloudError(
      .unauthenticated, operation: "sign in to", subject: "Google Cloud", message: "no credentials found",
      hint: """
        run 'gcloud auth application-default login', or set GOOGLE_APPLICATION_CREDENTIALS to a file of credentials; \
        for the emulator ('dagrun emulator') set the addresses that it prints
        """)
  }

  /// As `grant`, but to find none is not an error, and a metadata server is asked only where the environment names one.
  func grantIfAny() async throws(CloudError) -> Grant {
    if let grant = try await grantFromFiles() { return grant }
    return metadata.isNamed && !metadata.isSwitchedOff ? try await grantFromMetadata() : Grant(token: nil)
  }

  func project() async throws(CloudError) -> String {
    for name in ["GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT"] {
      if let project = world.variable(name) { return project }
    }
    if let project = try file()?.projectID { return project }
    if let project = GcloudConfiguration(world).project { return project }
    if try await findMetadataServer() { return try await metadata.project() }
    throw CloudError(
      .invalid, operation: "find", subject: "the Google Cloud project",
      message: "neither the environment nor gcloud names one",
      hint: "set GOOGLE_CLOUD_PROJECT, or run 'gcloud config set project PROJECT'")
  }

  /// gcloud's `--impersonate-service-account`: the last account is asked for, by way of those before it.
  private func impersonated(_ grant: Grant) async throws(CloudError) -> Grant {
    let variable = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"
    guard let chain = world.variable(variable), let token = grant.token else { return grant }
    guard let impersonation = Impersonation(chain: chain) else {
      throw CloudError(
        .invalid, operation: "sign in as", subject: "\(chain) (\(variable))",
        message: "it is not a list of service accounts", hint: "write email addresses with commas between them")
    }
    let traded = try await impersonation.token(from: token, http, world, [TokenEndpoint.scope])
    return Grant(token: traded, quotaProject: grant.quotaProject)
  }

  private func grantFromFiles() async throws(CloudError) -> Grant? {
    let quotaProject = world.variable("GOOGLE_CLOUD_QUOTA_PROJECT")
    if let token = try fixedToken() {
      return Grant(token: AccessToken(token, expiresAt: nil), quotaProject: quotaProject)
    }
    guard let file = try file() else { return nil }
    return Grant(token: try await file.token(http, world), quotaProject: quotaProject ?? file.quotaProject)
  }

  private func grantFromMetadata() async throws(CloudError) -> Grant {
    Grant(
      token: try await metadata.token(scopes: [TokenEndpoint.scope]),
      quotaProject: world.variable("GOOGLE_CLOUD_QUOTA_PROJECT"))
  }

  private func findMetadataServer() async throws(CloudError) -> Bool {
    if hasMetadataServer { return true }
    if metadata.isSwitchedOff { return false }
    let answers = try await metadata.answers()
    if answers { hasMetadataServer = true }
    return answers
  }

  private func fixedToken() throws(CloudError) -> Secret? {
    if let token = world.variable("CLOUDSDK_AUTH_ACCESS_TOKEN") { return Secret(token) }
    let variable = "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE"
    guard let path = world.variable(variable) else { return nil }
    let token = String(decoding: try read(path, from: variable), as: UTF8.self)
      .trimmingCharacters(in: .whitespacesAndNewlines)
    return Secret(token)
  }

  private func file() throws(CloudError) -> CredentialFile? {
    let variable = "GOOGLE_APPLICATION_CREDENTIALS"
    if let path = world.variable(variable) {
      return try CredentialFile.parse(try read(path, from: variable), place: "\(path) (\(variable))")
    }
    let path = GcloudConfiguration(world).credentialsFile
    guard FileManager.default.fileExists(atPath: path) else { return nil }
    return try CredentialFile.parse(try read(path, from: "gcloud"), place: path)
  }

  private func read(_ path: String, from variable: String) throws(CloudError) -> Data {
    do { return try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      let isThere = FileManager.default.fileExists(atPath: path)
      throw CloudError(
        .unauthenticated, operation: "read", subject: "\(path) (\(variable))",
        message: isThere ? "it cannot be read: check its owner and mode" : "there is no such file",
        hint: "correct \(variable), or unset it")
    }
  }
}
