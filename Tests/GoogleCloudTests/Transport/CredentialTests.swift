import Foundation
import Testing

@testable import GoogleCloud

/// Where credentials are found, and what is asked of whom with each type of them.
struct CredentialTests {
  private let clock = StubClock()
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func search(_ http: StubHTTP, _ environment: [String: String]) -> CredentialSearch {
    CredentialSearch(http, clock.world(environment))
  }

  private func search(_ http: StubHTTP, file: String, _ environment: [String: String] = [:]) throws -> CredentialSearch
  {
    let path = try folder.write("credentials.json", file)
    return search(http, environment.merging(["GOOGLE_APPLICATION_CREDENTIALS": path]) { given, _ in given })
  }

  // MARK: - Search

  @Test func `the variable goes before gcloud's file, and that before the metadata server`() async throws {
    try folder.write("gcloud/application_default_credentials.json", Samples.authorizedUser)
    try folder.write("home/.config/gcloud/application_default_credentials.json", Samples.authorizedUser)
    let robot = try folder.write("robot.json", Samples.serviceAccount())
    let http = StubHTTP { request, _ in
      if request.url.hasPrefix("http://meta.test/") {
        return .status(200, #"{"access_token":"vm","expires_in":60}"#, headers: ["metadata-flavor": "Google"])
      }
      return .token(request.form["grant_type"] == "refresh_token" ? "user" : "robot")
    }
    var environment = [
      "GOOGLE_APPLICATION_CREDENTIALS": robot, "CLOUDSDK_CONFIG": "\(folder.path)/gcloud",
      "GCE_METADATA_HOST": "meta.test",
      "NO_GCE_CHECK": "", "HOME": "\(folder.path)/home", "CLOUDSDK_AUTH_ACCESS_TOKEN": "fixed",
    ]
    for (expected, next) in [
      ("fixed", "CLOUDSDK_AUTH_ACCESS_TOKEN"), ("robot", "GOOGLE_APPLICATION_CREDENTIALS"), ("user", "CLOUDSDK_CONFIG"),
      ("user", "HOME"), ("vm", "GCE_METADATA_HOST"),
    ] {
      #expect(try await search(http, environment).grant().token?.secret.revealed == expected)
      environment[next] = next == "HOME" ? "/nonexistent" : ""
    }
  }

  @Test func `a key file that is replaced is read anew`() async throws {
    let http = StubHTTP { request, _ in .token(request.form["grant_type"] == "refresh_token" ? "user" : "robot") }
    let path = try folder.write("credentials.json", Samples.serviceAccount())
    let search = search(http, ["GOOGLE_APPLICATION_CREDENTIALS": path])
    #expect(try await search.grant().token?.secret.revealed == "robot")
    try folder.write("credentials.json", Samples.authorizedUser)
    #expect(try await search.grant().token?.secret.revealed == "user")
  }

  @Test func `a token from gcloud's token file is used as it is`() async throws {
    let path = try folder.write("token", "given\n")
    let grant = try await search(StubHTTP(.status(500)), ["CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": path]).grant()
    #expect(grant.token == AccessToken(Secret("given"), expiresAt: nil))
  }

  // MARK: - Metadata server

  @Test func `the metadata server is looked for by number, and its answer must be Google's`() async throws {
    let vm = StubHTTP { request, _ in
      .status(
        200, request.url.contains("token") ? #"{"access_token":"vm","expires_in":100}"# : "",
        headers: ["metadata-flavor": "Google"])
    }
    let search = search(vm, ["NO_GCE_CHECK": "", "GCE_METADATA_TIMEOUT": "0.5"])
    let grant = try await search.grant()
    #expect(grant.token == AccessToken(Secret("vm"), expiresAt: StubClock.start.addingTimeInterval(100)))
    _ = try await search.grant()
    #expect(
      vm.requests.map { Transfer.withoutQuery($0.url) } == [
        "http://169.254.169.254/",
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
        "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token",
      ])
    #expect(vm.requests.allSatisfy { $0.header("Metadata-Flavor") == "Google" })
    #expect(vm.requests[0].timeoutSeconds == 0.5)

    let stranger = StubHTTP(.status(200, "<html>"))
    let failed = await error { try await self.search(stranger, ["NO_GCE_CHECK": ""]).grant() }
    #expect(failed?.message == "no credentials found")
    let liar = StubHTTP { request, number in
      number == 0 ? .status(200, "", headers: ["metadata-flavor": "Google"]) : .token("stolen")
    }
    let refused = await error { try await self.search(liar, ["GCE_METADATA_HOST": "m", "NO_GCE_CHECK": ""]).grant() }
    #expect(refused?.message.contains("Metadata-Flavor: Google") == true)
  }

  @Test func `a metadata server that answers a moment later is found`() async throws {
    let pod = StubHTTP { request, number in
      switch number {
      case 0: .lost(sent: false, .noConnection)
      case 1: .status(200, "", headers: ["metadata-flavor": "Google"])
      default: .status(200, #"{"access_token":"pod","expires_in":100}"#, headers: ["metadata-flavor": "Google"])
      }
    }
    #expect(try await search(pod, ["NO_GCE_CHECK": ""]).grant().token?.secret.revealed == "pod")
  }

  @Test(arguments: [(HTTPFailure.Kind.noConnection, 2), (.timeout, 3), (.untrusted, 1)])
  func `a machine elsewhere is soon found to have no metadata server`(kind: HTTPFailure.Kind, sends: Int) async {
    let http = StubHTTP(.lost(sent: false, kind))
    #expect(await error { try await search(http, ["NO_GCE_CHECK": "false"]).grant() }?.reason == .unauthenticated)
    #expect(http.requests.count == sends)
  }

  @Test func `a VM without a service account says so`() async throws {
    let http = StubHTTP { request, number in
      .status(number == 0 ? 200 : 404, "", headers: ["metadata-flavor": "Google"])
    }
    let failed = try #require(await error { try await search(http, ["NO_GCE_CHECK": ""]).grant() })
    #expect(failed.description == "cannot sign in as this VM's service account: status 404")
    #expect(failed.hint?.contains("service account") == true)
  }

  // MARK: - Service accounts

  @Test(arguments: [false, true])
  func `a service account signs for itself`(isOldForm: Bool) async throws {
    let key = SampleKey.shared
    let http = StubHTTP(.token("robot", expiresIn: 3599))
    #expect(key.oldPEM.contains("BEGIN RSA PRIVATE KEY") && key.pem.contains("BEGIN PRIVATE KEY"))
    let file = Samples.serviceAccount(["private_key": isOldForm ? key.oldPEM : key.pem])
    let grant = try await search(http, file: file).grant()
    #expect(grant.token == AccessToken(Secret("robot"), expiresAt: StubClock.start.addingTimeInterval(3599)))
    let sent = try #require(http.requests.first)
    #expect(sent.url == Samples.tokenURL)
    #expect(sent.header("Content-Type") == "application/x-www-form-urlencoded")
    #expect(sent.form["grant_type"] == "urn:ietf:params:oauth:grant-type:jwt-bearer")
    let parts = try #require(sent.form["assertion"]).split(separator: ".").map(String.init)
    #expect(key.verifies("\(parts[0]).\(parts[1])", try decoded(parts[2])))
    let head = try JSONSerialization.jsonObject(with: try decoded(parts[0])) as? [String: String]
    #expect(head == ["alg": "RS256", "typ": "JWT", "kid": "kid-1"])
    let claims = try #require(try JSONSerialization.jsonObject(with: try decoded(parts[1])) as? [String: Any])
    #expect(claims["iss"] as? String == "robot@their-project.iam.gserviceaccount.com")
    #expect(claims["aud"] as? String == "https://oauth2.googleapis.com/token")
    #expect(claims["scope"] as? String == "https://www.googleapis.com/auth/cloud-platform")
    #expect(claims["iat"] as? Int == 1_800_000_000)
    #expect(claims["exp"] as? Int == 1_800_003_600)
    #expect(claims.count == 5)
  }

  private func decoded(_ text: String) throws -> Data {
    let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    let padding = String(repeating: "=", count: (4 - standard.count % 4) % 4)
    return try #require(Data(base64Encoded: standard + padding))
  }

  // MARK: - Users

  @Test func `a user's login is renewed, and its project pays`() async throws {
    let http = StubHTTP(.token("user"))
    let grant = try await search(http, file: Samples.authorizedUser).grant()
    #expect(grant.quotaProject == "payer")
    let form = [
      "grant_type": "refresh_token", "client_id": "id", "client_secret": "s3cret", "refresh_token": "r3fresh",
    ]
    #expect(http.requests.map(\.form) == [form])
    let other = try search(http, file: Samples.authorizedUser, ["GOOGLE_CLOUD_QUOTA_PROJECT": "mine"])
    #expect(try await other.grant().quotaProject == "mine")
  }

  @Test func `a login that has ended says how to log in again`() async throws {
    let body = #"{"error":"invalid_grant","error_description":"Token r3fresh has been expired or revoked."}"#
    let http = StubHTTP(.status(400, body))
    let failed = try #require(await error { try await search(http, file: Samples.authorizedUser).grant() })
    #expect(
      failed.description == "cannot sign in as the user of gcloud's login: invalid_grant: "
        + "Token [secret] has been expired or revoked.")
    #expect(failed.hint == "run 'gcloud auth application-default login'")
    #expect(failed.reason == .unauthenticated)
    #expect(http.requests.count == 1)
  }

  @Test(arguments: [408, 429, 500, 503, 504])
  func `a token endpoint in trouble is asked again`(status: Int) async throws {
    let http = StubHTTP(.status(status), .lost(sent: true), .token("user"))
    #expect(try await search(http, file: Samples.authorizedUser).grant().token?.secret.revealed == "user")
    #expect(clock.sleeps == [1.5, 3])
    let down = StubHTTP(.status(status))
    #expect(await error { try await search(down, file: Samples.authorizedUser).grant() }?.reason == .unavailable)
    #expect(down.requests.count == 4)
  }

  // MARK: - Impersonation

  private static let generate =
    "https://iam.example/v1/projects/-/serviceAccounts/target@p.iam.gserviceaccount.com:generateAccessToken"
  private static let generated = #"{"accessToken":"target","expireTime":"2027-01-15T09:00:00Z"}"#

  @Test func `gcloud's variable names an account that is acted as, and those on the way to it`() async throws {
    let http = StubHTTP { request, _ in
      request.url.contains("generateAccessToken")
        ? .status(200, #"{"accessToken":"theirs","expireTime":"2030-01-01T00:00:00Z"}"#) : .token("own")
    }
    let variable = "CLOUDSDK_AUTH_IMPERSONATE_SERVICE_ACCOUNT"
    let environment = [variable: "a@p.iam.gserviceaccount.com, b@q.iam.gserviceaccount.com"]
    let search = try search(http, file: Samples.authorizedUser, environment)
    #expect(try await search.grant().token?.secret.revealed == "theirs")
    let question = try #require(http.requests.last)
    #expect(
      question.url == "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/"
        + "b@q.iam.gserviceaccount.com:generateAccessToken")
    #expect(question.header("Authorization") == "Bearer own")
    #expect(
      question.text.replacing("\\/", with: "/").contains(#"["projects/-/serviceAccounts/a@p.iam.gserviceaccount.com"]"#)
    )
    for wrong in ["b", "b@q,", "x/../y@q", "b@q:c@d"] {
      let refused = await error { try await self.search(http, file: Samples.authorizedUser, [variable: wrong]).grant() }
      #expect(refused?.reason == .invalid, "\(wrong)")
    }
  }

  @Test func `an impersonated account is asked for with its source's token`() async throws {
    let file = Samples.json([
      "type": "impersonated_service_account", "service_account_impersonation_url": Self.generate,
      "delegates": ["d1", "d2"],
      "source_credentials": try JSONSerialization.jsonObject(with: Data(Samples.authorizedUser.utf8)),
    ])
    let http = StubHTTP(.token("user"), .status(200, Self.generated))
    let grant = try await search(http, file: file).grant()
    #expect(grant.token == AccessToken(Secret("target"), expiresAt: StubClock.start.addingTimeInterval(3600)))
    let sent = try #require(http.requests.last)
    #expect(sent.url == Self.generate)
    #expect(sent.header("Authorization") == "Bearer user")
    let body = try JSONSerialization.jsonObject(with: try #require(sent.body)) as? NSDictionary
    #expect(
      body == [
        "delegates": ["d1", "d2"], "scope": ["https://www.googleapis.com/auth/cloud-platform"], "lifetime": "3600s",
      ] as NSDictionary)
    let denied = StubHTTP(.token("user"), .status(403, #"{"error":{"status":"PERMISSION_DENIED","message":"no"}}"#))
    let failed = try #require(await error { try await search(denied, file: file).grant() })
    #expect(failed.hint == "grant roles/iam.serviceAccountTokenCreator on target@p.iam.gserviceaccount.com")
  }

  // MARK: - External accounts

  @Test(arguments: ["file", "json file", "url", "json url"])
  func `another's token is exchanged for Google's`(source: String) async throws {
    let format = ["type": "json", "subject_token_field_name": "tok"]
    let text = source.hasPrefix("json") ? #"{"tok":"th3irs"}"# : "th3irs\n"
    var fields: [String: Any] = source.hasPrefix("json") ? ["format": format] : [:]
    if source.hasSuffix("file") {
      fields["file"] = try folder.write("subject", text)
    } else {
      fields["url"] = "http://idp.example/token?x=1"
      fields["headers"] = ["X_Key-One": "k3y"]
    }
    let http = StubHTTP { request, _ in request.method == "GET" ? .status(200, text) : .token("google") }
    let file = Samples.externalAccount(fields, ["client_id": "id", "client_secret": "s", "quota_project_id": "payer"])
    let grant = try await search(http, file: file).grant()
    #expect(grant.token?.secret.revealed == "google")
    #expect(grant.quotaProject == "payer")
    if source.hasSuffix("url") { #expect(http.requests[0].header("X_Key-One") == "k3y") }
    let sent = try #require(http.requests.last)
    #expect(sent.url == "https://sts.example/v1/token")
    #expect(sent.header("Authorization") == "Basic \(Data("id:s".utf8).base64EncodedString())")
    #expect(
      sent.form == [
        "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "audience": "//iam.googleapis.com/pools/p",
        "scope": "https://www.googleapis.com/auth/cloud-platform", "subject_token": "th3irs",
        "requested_token_type": "urn:ietf:params:oauth:token-type:access_token",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
      ])
  }

  @Test func `an exchanged token may open the door to an account`() async throws {
    let file = Samples.externalAccount(
      ["file": try folder.write("subject", "theirs")],
      [
        "service_account_impersonation_url": Self.generate,
        "service_account_impersonation": ["token_lifetime_seconds": 600], "workforce_pool_user_project": "w",
      ])
    let http = StubHTTP(.token("federated"), .status(200, Self.generated))
    #expect(try await search(http, file: file).grant().token?.secret.revealed == "target")
    #expect(http.requests[0].form["options"] == #"{"userProject":"w"}"#)
    #expect(http.requests[1].header("Authorization") == "Bearer federated")
    #expect(http.requests[1].text.contains(#""lifetime":"600s""#))
  }

  private func program(_ script: String, _ more: [String: Any] = [:]) throws -> String {
    let path = try folder.write("it's a program.sh", "#!/bin/sh\n\(script)\n")
    let command = "/bin/sh \"\(path)\" 'a b'"
    return Samples.externalAccount(["executable": ["command": command].merging(more) { $1 }])
  }

  private let allowed = ["GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES": "1", "PATH": "/usr/bin:/bin"]

  @Test func `a program is run for the token, where that is allowed`() async throws {
    let file = try program(
      """
      printf '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:id_token","id_token":"%s|%s|%s"}' \
      "$1" "$GOOGLE_EXTERNAL_ACCOUNT_AUDIENCE" "$GOOGLE_EXTERNAL_ACCOUNT_INTERACTIVE"
      """)
    let http = StubHTTP(.token("google"))
    #expect(try await search(http, file: file, allowed).grant().token?.secret.revealed == "google")
    #expect(http.requests.map { $0.form["subject_token"] } == ["a b|//iam.googleapis.com/pools/p|0"])
    let failed = try #require(await error { try await search(http, file: file).grant() })
    #expect(failed.hint?.contains("GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES=1") == true)
  }

  @Test(arguments: [
    (#"echo '{"version":1,"success":false,"code":"401","message":"no card"}'; exit 1"#, "says: 401: no card"),
    ("echo s3cret; exit 3", "ended with"), ("echo s3cret", "printed no such JSON"),
    (#"echo '{"version":2,"success":true}'"#, "in version 2"),
    (#"echo '{"version":1,"success":true,"token_type":"other","id_token":"s3cret"}'"#, "no token of a type"),
    (
      #"echo '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"s3cret","expiration_time":1}'"#,
      "has expired"
    ),
  ])
  func `a program that gives no token says why`(script: String, words: String) async throws {
    let search = try search(StubHTTP(.status(500)), file: try program(script), allowed)
    let failed = try #require(await error { try await search.grant() })
    #expect(failed.message.contains(words), "\(failed)")
    #expect(!"\(failed)".contains("s3cret"))
  }

  @Test func `what a program left in its file is used until it expires`() async throws {
    let output = "\(folder.path)/output.json"
    let script = """
      printf '{"version":1,"success":true,"token_type":"urn:ietf:params:oauth:token-type:jwt","id_token":"t","expiration_time":1800000100}' \
      | tee "$GOOGLE_EXTERNAL_ACCOUNT_OUTPUT_FILE"; echo run >> "\(folder.path)/runs"
      """
    let search = try search(StubHTTP(.token("google")), file: try program(script, ["output_file": output]), allowed)
    _ = try await search.grant()
    _ = try await search.grant()
    #expect(try String(contentsOfFile: "\(folder.path)/runs", encoding: .utf8) == "run\n")
    clock.advance(100)
    #expect(await error { try await search.grant() }?.message.contains("has expired") == true)
    #expect(try String(contentsOfFile: "\(folder.path)/runs", encoding: .utf8) == "run\nrun\n")
  }

  @Test(arguments: [
    ("a b", ["a", "b"]), (" a  'b c' ", ["a", "b c"]), (#"a "b \" \\ \n" c\ d"#, ["a", #"b " \ \n"#, "c d"]),
    ("a '' \"\"", ["a", "", ""]), ("'$HOME'", ["$HOME"]), ("a 'b", nil), ("a\\", nil), ("", []),
  ])
  func `a command is split as by a shell that expands nothing`(command: String, words: [String]?) {
    #expect(TokenProgram.words(command) == words)
  }

  // MARK: - Bad files

  @Test(arguments: [
    ("", "it is empty"), ("{", "it is not a JSON object"), ("[]", "it is not a JSON object"),
    ("{}", "it has no 'type'"),
    (#"{"type":"gdch"}"#, "its type is 'gdch'"), (#"{"type":"service_account"}"#, "it has no 'client_email'"),
    (#"{"type":"authorized_user","client_id":1}"#, "its 'client_id' is of the wrong kind"),
    (#"{"type":"authorized_user","client_id":"i","client_secret":"s"}"#, "it has no 'refresh_token'"),
    (
      #"{"type":"external_account","audience":"a","subject_token_type":"t","token_url":"u","credential_source":{"executable":{}}}"#,
      "it has no 'credential_source.executable.command'"
    ),
    (
      #"{"type":"impersonated_service_account","service_account_impersonation_url":"u"}"#,
      "it has no 'source_credentials'"
    ),
  ])
  func `a file of no use is named, with what is wrong in it`(text: String, words: String) async throws {
    let search = try search(StubHTTP(.status(200)), file: text)
    let failed = try #require(await error { try await search.grant() })
    #expect(
      failed.description
        == "cannot use the credentials in \(folder.path)/credentials.json (GOOGLE_APPLICATION_CREDENTIALS): \(words)")
    #expect(failed.reason == .unauthenticated)
    #expect(failed.hint != nil)
  }

  @Test func `a file that is not there is named, with the variable`() async throws {
    let search = search(StubHTTP(.status(200)), ["GOOGLE_APPLICATION_CREDENTIALS": "/nonexistent/key.json"])
    let failed = try #require(await error { try await search.grant() })
    #expect(
      failed.description
        == "cannot read /nonexistent/key.json (GOOGLE_APPLICATION_CREDENTIALS): there is no such file")
    #expect(failed.hint == "correct GOOGLE_APPLICATION_CREDENTIALS, or unset it")
  }

  @Test(arguments: ["n0 key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
  func `a key that is none is not printed`(key: String) async throws {
    let search = try search(StubHTTP(.status(200)), file: Samples.serviceAccount(["private_key": key]))
    let failed = try #require(await error { try await search.grant() })
    #expect(failed.message == "its 'private_key' is not an RSA key in PEM")
    #expect(failed.subject == "robot@their-project.iam.gserviceaccount.com")
    #expect(!"\(failed)".contains(key))
  }

  // MARK: - Project

  @Test func `the project is the environment's, the file's, gcloud's, the VM's`() async throws {
    try folder.write("gcloud/active_config", "work\n")
    try folder.write("gcloud/configurations/config_default", "[core]\nproject = default-project\n")
    try folder.write(
      "gcloud/configurations/config_work",
      "# mine\n[compute]\nproject = no\n[core]\naccount = a\nproject = work-project\n")
    let vm = StubHTTP(.status(200, "vm-project\n", headers: ["metadata-flavor": "Google"]))
    var environment = [
      "GOOGLE_CLOUD_PROJECT": "env-project", "CLOUDSDK_CORE_PROJECT": "sdk-project", "NO_GCE_CHECK": "",
      "GOOGLE_APPLICATION_CREDENTIALS": try folder.write("robot.json", Samples.serviceAccount()),
      "CLOUDSDK_CONFIG": "\(folder.path)/gcloud", "CLOUDSDK_ACTIVE_CONFIG_NAME": "default",
    ]
    for (expected, next) in [
      ("env-project", "GOOGLE_CLOUD_PROJECT"), ("their-project", "GOOGLE_APPLICATION_CREDENTIALS"),
      ("sdk-project", "CLOUDSDK_CORE_PROJECT"), ("default-project", "CLOUDSDK_ACTIVE_CONFIG_NAME"),
      ("work-project", "CLOUDSDK_CONFIG"), ("vm-project", ""),
    ] {
      #expect(try await search(vm, environment).project() == expected)
      environment[next] = ""
    }
    let none = await error { try await search(StubHTTP(.lost(sent: false, .noConnection)), environment).project() }
    #expect(none?.description == "cannot find the Google Cloud project: neither the environment nor gcloud names one")
  }

  @Test(arguments: [
    "http://sts.example/token", "HTTP://127.0.0.1.example/token", "http://localhost@evil.example/t",
    "ftp://localhost/t", "", "https:/x",
  ])
  func `a file's secrets go to https only, or to this machine`(url: String) async throws {
    let endpoint = TokenEndpoint(http: StubHTTP(.status(200)), world: clock.world([:]), subject: "s")
    let refused = await #expect(throws: CloudError.self) { try await endpoint.post(form: [], to: url, hiding: []) }
    #expect(refused?.code == nil)
    await #expect(throws: CloudError.self) {
      try await Impersonation(url: url).token(
        from: AccessToken(Secret("t"), expiresAt: nil), StubHTTP(.status(200)), clock.world([:]), [])
    }
    let http = StubHTTP(.status(200))
    await #expect(throws: CloudError.self) {
      try await search(http, file: Samples.serviceAccount(["token_uri": url])).grant()
    }
    #expect(http.requests.isEmpty)
  }

  @Test(arguments: [
    "https://sts.example/token", "HTTPS://x", "http://127.0.0.1:80/t", "http://localhost/t", "http://[::1]:8/t",
  ])
  func `https and loopback are taken`(url: String) throws {
    try TokenEndpoint(http: StubHTTP(.status(200)), world: clock.world([:]), subject: "s").requireSafe(url)
  }
}
