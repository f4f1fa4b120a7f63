import Foundation
import Glibc
import Processes
import Synchronization
import Testing

@testable import GoogleCloud

/// HTTP/2 and certificates, against nghttp2's server with a certificate of our own making.
@Suite(
  .enabled(
    if: Tool.path("nghttpd") != nil && Tool.path("openssl") != nil,
    "needs nghttpd (Debian: nghttp2-server) and openssl in PATH"))
struct TLSTests {
  private func options(_ server: SecureServer) -> HTTPClientOptions {
    HTTPClientOptions(environment: ["SSL_CERT_FILE": server.certificate, "CURL_CA_BUNDLE": ""])
  }

  @Test func `many requests over TLS share a connection by HTTP/2`() async throws {
    let server = try await SecureServer()
    defer { server.stop() }
    let client = HTTPClient(options(server))
    let versions = try await withThrowingTaskGroup(of: HTTPResponse.self) { group in
      for _ in 0..<60 { group.addTask { try await client.send(HTTPRequest("GET", server.url("/body"))) } }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(versions.map(\.version) == Array(repeating: 20, count: 60))
    #expect(versions.allSatisfy { $0.body == Data("over TLS".utf8) })
    server.stop()
    #expect(server.connections == ["1", "2"], "the first was to see whether it listens")
  }

  @Test func `a certificate that nobody vouches for is refused before anything is sent`() async throws {
    let server = try await SecureServer()
    defer { server.stop() }
    for options in [HTTPClientOptions(), HTTPClientOptions(environment: ["SSL_CERT_FILE": try server.other()])] {
      do throws(HTTPFailure) {
        let answer = try await HTTPClient(options).send(HTTPRequest("GET", server.url("/body")))
        Issue.record("trusted: \(answer.status)")
      } catch {
        #expect(error.kind == .untrusted)
        #expect(!error.mayHaveBeenSent)
        #expect(error.message.contains("https://localhost:\(server.port)"))
      }
    }
  }

  @Test func `a certificate for another name is refused`() async throws {
    let server = try await SecureServer()
    defer { server.stop() }
    do throws(HTTPFailure) {
      _ = try await HTTPClient(options(server)).send(HTTPRequest("GET", "https://127.0.0.1:\(server.port)/body"))
      Issue.record("trusted")
    } catch { #expect(error.kind == .untrusted) }
  }
}

/// Needs no server of TLS, only one that never greets.
struct HandshakeTests {
  @Test func `requests that wait for one handshake keep to their own timeouts`() async throws {
    let silent = try LoopbackPort(isListening: true)
    defer { silent.close() }
    let client = HTTPClient()
    let kinds = await withTaskGroup(of: HTTPFailure.Kind?.self) { group in
      for seconds in [600, 0.2, 0.2, 0.2, 0.2] {
        group.addTask {
          var request = HTTPRequest("GET", "https://127.0.0.1:\(silent.number)/")
          request.connectTimeoutSeconds = 600
          request.timeoutSeconds = seconds
          do throws(HTTPFailure) {
            _ = try await client.send(request)
            return nil
          } catch { return error.kind }
        }
      }
      var kinds: [HTTPFailure.Kind?] = []
      for await kind in group {
        kinds.append(kind)
        if kinds.count == 4 { group.cancelAll() }
      }
      return kinds
    }
    #expect(kinds == [.timeout, .timeout, .timeout, .timeout, .cancelled], "the patient one outlasts the others")
  }
}

enum Tool {
  /// Also where Debian puts servers.
  static func path(_ name: String) -> String? {
    let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
    let folders: [Substring] = path.split(separator: ":") + ["/usr/sbin"]
    return folders.map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
  }
}

/// nghttpd with a certificate for `localhost` that signs itself.
private final class SecureServer: Sendable {
  let port: UInt16
  let certificate: String
  private let folder: String
  private let process: Mutex<pid_t?>

  init() async throws {
    folder = FileManager.default.temporaryDirectory.appendingPathComponent("dagrun-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: "\(folder)/files", withIntermediateDirectories: true)
    try Data("over TLS".utf8).write(to: URL(fileURLWithPath: "\(folder)/files/body"))
    certificate = "\(folder)/certificate.pem"
    try Self.makeCertificate(certificate, key: "\(folder)/key.pem")
    // Free a moment ago: nghttpd cannot be asked to choose one itself.
    let free = try LoopbackPort(isListening: true)
    port = free.number
    free.close()
    let log = open("\(folder)/log", O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
    defer { close(log) }
    var spawn = Spawn(
      try #require(Tool.path("nghttpd")),
      ["-v", "-a", "127.0.0.1", "-d", "\(folder)/files", "\(port)", "\(folder)/key.pem", certificate])
    spawn.descriptors = [1: log, 2: log]
    process = Mutex(try spawn.start())
    try await waitUntilItListens()
  }

  deinit {
    stop()
    try? FileManager.default.removeItem(atPath: folder)
  }

  func url(_ path: String) -> String { "https://localhost:\(port)\(path)" }

  /// The numbers that the server gave its connections.
  var connections: Set<String> {
    let log = (try? String(contentsOfFile: "\(folder)/log", encoding: .utf8)) ?? ""
    return Set(log.matches(of: /\[id=(\d+)\]/).map { String($0.1) })
  }

  func other() throws -> String {
    let path = "\(folder)/other.pem"
    try Self.makeCertificate(path, key: "\(folder)/other.key")
    return path
  }

  func stop() {
    guard
      let pid = process.withLock({ pid in
        defer { pid = nil }
        return pid
      })
    else { return }
    kill(pid, SIGTERM)
    _ = waitForChild(pid)
  }

  /// A refused connection is retried by the client's own rules, which wait no longer than they must.
  private func waitUntilItListens() async throws {
    var rules = RetryRules()
    rules.firstDelaySeconds = 0.02
    rules.longestDelaySeconds = 0.1
    rules.deadlineSeconds = 20
    var places = CloudPlaces()
    places.endpoints.compute = url("/")
    let world = CloudEnvironment(environment: ["CLOUDSDK_AUTH_ACCESS_TOKEN": "none"])
    let client = HTTPClient(HTTPClientOptions(environment: ["SSL_CERT_FILE": certificate]))
    let session = CloudSession(places, client, world, rules: rules)
    _ = try await session.call(CloudRequest(.compute, .get, "body", operation: "reach", subject: "nghttpd"))
  }

  private static func makeCertificate(_ path: String, key: String) throws {
    let ended = try Spawn(
      try #require(Tool.path("openssl")),
      [
        "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
        "subjectAltName=DNS:localhost", "-keyout", key, "-out", path,
      ]
    ).run(timeout: 60)
    try #require(ended.status.isSuccess, "openssl: \(ended.text(2))")
  }
}
