import Foundation
import Processes
import Synchronization
import Testing

@testable import GoogleCloud

/// Requests over a real loopback connection.
struct HTTPClientTests {
  private func failure(
    _ client: HTTPClient = HTTPClient(), _ request: HTTPRequest
  ) async -> HTTPFailure? {
    do throws(HTTPFailure) {
      _ = try await client.send(request)
      return nil
    } catch { return error }
  }

  @Test func `a request arrives as it was made, and its answer as it was given`() async throws {
    try await withServer({ _, reply in reply.send(201, "made", headers: ["X-One": "1", "etag": "e"]) }) { server in
      let client = HTTPClient()
      for (method, body) in [("POST", "{\"a\":1}"), ("PUT", "x"), ("DELETE", nil), ("GET", nil), ("POST", nil)] {
        let request = HTTPRequest(
          method, server.url("/p%2Fq?r=s%20t"), headers: [(name: "X-Two", value: "zwei; drei")],
          body: body.map { Data($0.utf8) })
        let answer = try await client.send(request)
        #expect(answer.status == 201)
        #expect(String(decoding: answer.body, as: UTF8.self) == "made")
        #expect(answer.headers["x-one"] == "1")
        #expect(answer.headers["etag"] == "e")
        #expect(answer.version == 11)
        let seen = try #require(server.requests.last)
        #expect(seen.method == method)
        #expect(seen.uri == "/p%2Fq?r=s%20t")
        #expect(seen.body == body ?? "")
        #expect(seen.headers["x-two"] == "zwei; drei")
        #expect(seen.headers["user-agent"] == "dagrun")
        #expect(seen.headers["content-length"] == (body.map { "\($0.utf8.count)" } ?? (method == "POST" ? "0" : nil)))
        #expect(seen.headers["content-type"] == nil)
      }
      #expect(server.connections == 1, "requests one after the other share a connection")
    }
  }

  @Test func `a body of three megabytes goes both ways`() async throws {
    try await withServer({ request, reply in reply.send(200, request.body) }) { server in
      let text = String(repeating: "0123456789abcdef", count: 3 << 16)
      let answer = try await HTTPClient().send(HTTPRequest("POST", server.url("/"), body: Data(text.utf8)))
      #expect(answer.body == Data(text.utf8))
    }
  }

  @Test func `a request that is cancelled ends at once, and its connection is closed`() async throws {
    let arrived = Occurrences()
    let closed = Occurrences()
    try await withServer({ _, reply in
      reply.whenClosed { closed.happened() }
      arrived.happened()
    }) { server in
      let client = HTTPClient()
      let task = Task { await failure(client, HTTPRequest("GET", server.url("/held"))) }
      await arrived.wait()
      task.cancel()
      #expect(await task.value?.kind == .cancelled)
      await closed.wait()
    }
  }

  @Test func `a task that is cancelled already sends nothing`() async throws {
    try await withServer({ _, reply in reply.send(200) }) { server in
      let client = HTTPClient()
      let gate = Occurrences()
      let task = Task {
        await gate.wait()
        return await failure(client, HTTPRequest("GET", server.url("/")))
      }
      task.cancel()
      gate.happened()
      #expect(await task.value == HTTPFailure(.cancelled, "cancelled"))
      #expect(server.requests.isEmpty)
    }
  }

  @Test func `a server that says nothing runs into the timeout`() async throws {
    try await withServer({ _, _ in }) { server in
      var request = HTTPRequest("GET", server.url("/silent?token=hidden"))
      request.timeoutSeconds = 0.05
      let failure = try #require(await failure(request: request))
      #expect(failure.kind == .timeout)
      #expect(failure.mayHaveBeenSent)
      #expect(failure.message.contains("127.0.0.1:\(server.port)"))
      #expect(!failure.message.contains("hidden"))
    }
  }

  @Test func `a dropped connection is told from one that was never made`() async throws {
    try await withServer({ request, reply in
      if request.uri == "/part" { reply.begin(200, "half") }
      reply.drop()
    }) { server in
      for path in ["/none", "/part"] {
        let dropped = try #require(await failure(request: HTTPRequest("GET", server.url(path))))
        #expect(dropped.kind == .lost)
        #expect(dropped.mayHaveBeenSent)
      }
    }
    let port = try LoopbackPort(isListening: false)
    defer { port.close() }
    let refused = try #require(await failure(request: HTTPRequest("GET", "http://127.0.0.1:\(port.number)/")))
    #expect(refused.kind == .noConnection)
    #expect(!refused.mayHaveBeenSent)
  }

  @Test func `what may not be repeated is not sent twice by curl on a connection found dead`() async throws {
    try await withServer({ request, reply in
      if request.method == "GET" { reply.send(200) } else { reply.drop() }
    }) { server in
      let client = HTTPClient()
      _ = try await client.send(HTTPRequest("GET", server.url("/first")))
      var request = HTTPRequest("POST", server.url("/once"), body: Data("x".utf8))
      request.isRepeatable = false
      let lost = try #require(await failure(client, request))
      #expect(lost.kind == .lost)
      #expect(server.requests.map(\.method) == ["GET", "POST"])
    }
  }

  @Test func `an answer over the limit is refused, announced or not`() async throws {
    try await withServer({ request, reply in
      if request.uri == "/announced" {
        reply.send(200, String(repeating: "x", count: 101))
      } else {
        reply.begin(200, String(repeating: "x", count: 101))
      }
    }) { server in
      for path in ["/announced", "/unannounced"] {
        var request = HTTPRequest("GET", server.url(path))
        request.limitBytes = 100
        #expect(await failure(request: request)?.kind == .tooLong)
      }
    }
  }

  @Test func `a body goes to a file from an offset on, but not that of an error`() async throws {
    try await withServer({ request, reply in
      if request.uri == "/there" { reply.send(200, "body") } else { reply.send(404, "missing") }
    }) { server in
      let path = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
      defer { try? FileManager.default.removeItem(atPath: path) }
      try Data("0123456789".utf8).write(to: URL(fileURLWithPath: path))
      let descriptor = open(path, O_RDWR | O_CLOEXEC)
      defer { close(descriptor) }
      for (place, status, body) in [("/there", 200, ""), ("/gone", 404, "missing")] {
        var request = HTTPRequest("GET", server.url(place))
        request.sink = .file(descriptor: descriptor, offset: 3)
        let answer = try await HTTPClient().send(request)
        #expect(answer.status == status)
        #expect(String(decoding: answer.body, as: UTF8.self) == body)
        #expect(try String(contentsOfFile: path, encoding: .utf8) == "012body789")
      }
    }
  }

  @Test func `a redirect is an answer and is not followed`() async throws {
    try await withServer({ _, reply in reply.send(302, headers: ["location": "/elsewhere"]) }) { server in
      let answer = try await HTTPClient().send(
        HTTPRequest("GET", server.url("/"), headers: [(name: "Authorization", value: "Bearer x")]))
      #expect(answer.status == 302)
      #expect(server.requests.count == 1)
    }
  }

  @Test(arguments: [
    ("file:///etc/passwd", [(String, String)]()), ("gopher://x/", []), ("nowhere", []), ("http:///p", []),
    ("http://127.0.0.1:1/a b", []), ("http://127.0.0.1:1/", [("X-One", "a\r\nX-Two: b")]),
    ("http://127.0.0.1:1/", [("X\nY", "a")]),
  ])
  func `what is not a request is refused before anything is sent`(url: String, headers: [(String, String)]) async {
    let request = HTTPRequest("GET", url, headers: headers.map { (name: $0.0, value: $0.1) })
    let refused = await failure(request: request)
    #expect(refused?.kind == .unusable)
    #expect(refused?.mayHaveBeenSent == false)
  }

  @Test func `a proxy is asked for what is elsewhere`() async throws {
    try await withServer({ _, reply in reply.send(200) }) { proxy in
      var options = HTTPClientOptions()
      options.proxy = proxy.url("")
      _ = try await HTTPClient(options).send(HTTPRequest("GET", "http://elsewhere.invalid/path"))
      #expect(proxy.requests.map(\.uri) == ["http://elsewhere.invalid/path"])
    }
  }

  @Test func `two thousand requests wait in a process of few threads`() async throws {
    let count = 2_000
    let arrived = Occurrences()
    let held = Mutex<[TestServer.Reply]>([])
    try await withServer({ _, reply in
      held.withLock { $0.append(reply) }
      arrived.happened()
    }) { server in
      // A process of its own: this one has the threads of all tests.
      let program = URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent()
        .appendingPathComponent("WaitingFixture").path
      let pid = try Spawn(program, [server.url(""), "\(count)"]).start()
      await arrived.wait(for: count)
      let threads = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(pid)/task").count
      #expect(threads < 20)
      for reply in held.withLock({ $0 }) { reply.send(200) }
      let status = await Task.detached { waitForChild(pid)?.status }.value
      #expect(status == .exited(0), "not all were answered")
    }
  }

  @Test func `a machine without libcurl gets told how to get it`() {
    guard case .failure(let failure) = CurlLibrary.load(["libcurl-that-is-not-there.so"]) else {
      Issue.record("loaded a library that is not there")
      return
    }
    #expect(failure.kind == .unusable)
    #expect(failure.message.contains("libcurl-that-is-not-there.so"))
    #expect(failure.message.contains("apt-get install libcurl4"))
  }

  @Test func `a client that goes away closes its connection`() async throws {
    let closed = Occurrences()
    try await withServer({ _, reply in
      reply.whenClosed { closed.happened() }
      reply.send(200)
    }) { server in
      _ = try await HTTPClient().send(HTTPRequest("GET", server.url("/")))
      await closed.wait()
    }
  }

  private func failure(request: HTTPRequest) async -> HTTPFailure? { await failure(HTTPClient(), request) }
}
