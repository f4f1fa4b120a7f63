import Foundation
import Synchronization
import Testing

@testable import GoogleCloud

/// Addresses, credentials and repeats of calls, on a clock that nobody waits for.
struct CloudSessionTests {
  private let clock = StubClock()

  private func session(
    _ http: StubHTTP, _ environment: [String: String] = ["CLOUDSDK_AUTH_ACCESS_TOKEN": "t0ken"], random: Double = 1
  ) throws -> CloudSession {
    let world = clock.world(environment, random: random)
    return CloudSession(try CloudPlaces(environment: world.environment), http, world)
  }

  private func request(_ change: (inout CloudRequest) -> Void = { _ in }) -> CloudRequest {
    var request = CloudRequest(
      .compute, .post, "projects/p/things", query: [URLQueryItem(name: "a b", value: "c&d/é")], body: Data("{}".utf8),
      operation: "make", subject: "thing")
    change(&request)
    return request
  }

  private func fault(_ reason: String, status: String = "X") -> String {
    #"{"error":{"code":1,"message":"m","status":"\#(status)","errors":[{"reason":"\#(reason)"}]}}"#
  }

  @Test func `a call has its address, its token and its headers`() async throws {
    let http = StubHTTP(.status(200, "{}"))
    let session = try session(
      http, ["CLOUDSDK_AUTH_ACCESS_TOKEN": "t0ken", "GOOGLE_CLOUD_QUOTA_PROJECT": "payer"])
    let answer = try await session.call(request { $0.headers = ["Range": "bytes=0-1"] })
    #expect(answer.status == 200)
    let sent = try #require(http.requests.first)
    #expect(sent.url == "https://compute.googleapis.com/compute/v1/projects/p/things?a%20b=c%26d%2F%C3%A9")
    #expect(sent.method == "POST")
    #expect(sent.header("authorization") == "Bearer t0ken")
    #expect(sent.header("content-type") == "application/json")
    #expect(sent.header("x-goog-user-project") == "payer")
    #expect(sent.header("range") == "bytes=0-1")
  }

  @Test(arguments: [500, 502, 503, 504, 429])
  func `a server's fault is waited out, longer each time`(status: Int) async throws {
    let http = StubHTTP(.status(status), .status(status), .status(status), .status(200))
    #expect(try await session(http).call(request()).status == 200)
    #expect(clock.sleeps == [1, 2, 4])
    #expect(Set(http.requests.map(\.text)) == ["{}"])
  }

  @Test func `the delays have full jitter and an end`() async throws {
    let http = StubHTTP(.status(503))
    let failed = try #require(await error { try await session(http, random: 0.5).call(request()) })
    #expect(clock.sleeps.prefix(7) == [0.5, 1, 2, 4, 8, 16, 16])
    #expect(clock.sleeps.reduce(0, +) <= 600)
    #expect(clock.sleeps.reduce(0, +) > 560)
    #expect(failed.isTransient || failed.status == 503)
    #expect(failed.message.contains("(sent \(http.requests.count) times in"))
  }

  @Test(arguments: [
    ("7", 8.0), ("Fri, 15 Jan 2027 08:00:30 GMT", 31), ("Friday, 15-Jan-27 08:00:30 GMT", 31), ("soon", 1),
  ])
  func `Retry-After is kept to, in seconds or as a date`(value: String, expected: Double) async throws {
    let http = StubHTTP(.status(503, headers: ["retry-after": value]), .status(200))
    _ = try await session(http).call(request())
    #expect(clock.sleeps == [expected])
  }

  @Test func `a request that is of use only soon is not sent again later than that`() async throws {
    let http = StubHTTP(.status(503, headers: ["retry-after": "15"]), .status(200))
    let failed = await error { try await session(http).call(request { $0.patienceSeconds = 10 }) }
    #expect(failed != nil && http.requests.count == 1)
    _ = try await session(StubHTTP(.status(503), .status(200))).call(request { $0.patienceSeconds = 10 })
  }

  @Test func `a Retry-After beyond the deadline is a failure at once`() async throws {
    let http = StubHTTP(.status(503, headers: ["retry-after": "3600"]))
    #expect(await error { try await session(http).call(request()) } != nil)
    #expect(clock.sleeps.isEmpty)
  }

  @Test(arguments: [
    (403, "rateLimitExceeded", 2), (403, "userRateLimitExceeded", 2), (403, "quotaExceeded", 1), (403, "forbidden", 1),
    (503, "backendError", 2), (503, "insufficientCapacity", 1), (400, "invalid", 1), (409, "alreadyExists", 1),
    (404, "notFound", 1), (501, "notImplemented", 1),
  ])
  func `what is sent again depends on the reason`(status: Int, reason: String, sends: Int) async throws {
    let http = StubHTTP(.status(status, fault(reason)), .status(200))
    let failed = await error { try await session(http).call(request()) }
    #expect((failed == nil) == (sends == 2))
    #expect(http.requests.count == sends)
  }

  @Test(arguments: [
    (403, #"{"error":{"status":"PERMISSION_DENIED","details":[{"reason":"RATE_LIMIT_EXCEEDED"}]}}"#, 2),
    (403, #"{"error":{"details":[{"reason":"CONCURRENT_OPERATIONS_QUOTA_EXCEEDED"}]}}"#, 2),
    (503, #"{"error":{"details":[{"reason":"resource_availability"}]}}"#, 1),
    (408, "", 2), (501, "", 1),
  ])
  func `an answer means the same wherever it names its reason`(status: Int, body: String, sends: Int) async throws {
    let http = StubHTTP(.status(status, body), .status(200))
    _ = await error { try await session(http).call(request()) }
    #expect(http.requests.count == sends)
  }

  @Test(arguments: [("ABORTED", 2), ("409", 2), ("UNAVAILABLE", 1)])
  func `a client's own codes are retried too`(code: String, sends: Int) async throws {
    let http = StubHTTP(.status(409, fault("other", status: "ABORTED")), .status(200))
    _ = await error { try await session(http).call(request { $0.alsoRetried = [code] }) }
    #expect(http.requests.count == sends)
  }

  @Test(arguments: [
    (Result<HTTPResponse, HTTPFailure>.lost(sent: true), 1), (.lost(sent: false), 2),
    (.lost(sent: false, .noConnection), 2), (.lost(sent: true, .timeout), 1), (.lost(sent: false, .timeout), 2),
    (.status(503), 1), (.status(500), 1), (.status(429), 2),
    (.status(403, #"{"error":{"errors":[{"reason":"rateLimitExceeded"}]}}"#), 2),
  ])
  func `what may not be repeated is sent again only where nothing was done`(
    first: Result<HTTPResponse, HTTPFailure>, sends: Int
  ) async throws {
    let http = StubHTTP(first, .status(200))
    let failed = await error { try await session(http).call(request { $0.isRepeatable = false }) }
    #expect(http.requests.count == sends)
    #expect((failed == nil) == (sends == 2))
  }

  @Test(arguments: [HTTPFailure.Kind.untrusted, .unusable, .tooLong, .notWritten, .cancelled])
  func `a failure that would come again is not waited for`(kind: HTTPFailure.Kind) async throws {
    let http = StubHTTP(.lost(sent: false, kind), .status(200))
    let failed = try #require(await error { try await session(http).call(request()) })
    #expect(http.requests.count == 1)
    #expect(failed.message.contains("the line is dead"))
    #expect(failed.reason == (kind == .cancelled ? .cancelled : kind == .tooLong ? .badAnswer : .other))
  }

  @Test(arguments: [
    Result<HTTPResponse, HTTPFailure>.status(504), .status(499), .lost(sent: true), .lost(sent: true, .timeout),
    .status(400, #"{"error":{"status":"DEADLINE_EXCEEDED"}}"#),
  ])
  func `an empty end of a long poll is an answer, but not at once`(end: Result<HTTPResponse, HTTPFailure>) async throws
  {
    let clock = clock
    let http = StubHTTP { _, number in
      clock.advance(number == 0 ? 90 : 0.25)
      return end
    }
    let session = try session(http)
    #expect(try await session.call(request { $0.isLongPoll = true }) == .emptyPoll)
    #expect(clock.sleeps.isEmpty, "it was held")
    #expect(try await session.call(request { $0.isLongPoll = true }).isEmptyPoll)
    #expect(clock.sleeps == [0.75], "a fault that comes at once must not make a loop spin")
    #expect(http.requests.count == 2)
    #expect(http.requests.allSatisfy { $0.bufferBytes == 1024 })
  }

  @Test func `a long poll that never got through is retried`() async throws {
    let http = StubHTTP(.lost(sent: false, .noConnection), .status(503), .status(200, "[]"))
    let answer = try await session(http).call(request { $0.isLongPoll = true })
    #expect(answer.body == Data("[]".utf8))
    #expect(clock.sleeps == [1, 2])
  }

  @Test func `an accepted status is an answer`() async throws {
    let http = StubHTTP(.status(308, "", headers: ["range": "bytes=0-9"]))
    let answer = try await session(http).call(request { $0.acceptedStatuses = [308] })
    #expect(answer.status == 308)
    #expect(answer.headers["range"] == "bytes=0-9")
  }

  @Test func `a refused token is replaced once, and the call repeated`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("adc.json", Samples.authorizedUser)
    let http = StubHTTP { request, number in
      if request.url.hasSuffix("/token") { return .token("t\(number)") }
      return request.header("authorization") == "Bearer t0" ? .status(401) : .status(200)
    }
    let session = try session(http, ["GOOGLE_APPLICATION_CREDENTIALS": file])
    #expect(try await session.call(request { $0.isRepeatable = false }).status == 200)
    #expect(http.requests.map { $0.header("authorization") } == [nil, "Bearer t0", nil, "Bearer t2"])
    #expect(http.requests[1].header("x-goog-user-project") == "payer")
    #expect(clock.sleeps.isEmpty)
  }

  @Test func `a token that is refused twice ends the call`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("adc.json", Samples.authorizedUser)
    let http = StubHTTP { request, number in request.url.hasSuffix("/token") ? .token("t\(number)") : .status(401) }
    let session = try session(http, ["GOOGLE_APPLICATION_CREDENTIALS": file])
    let failed = try #require(await error { try await session.call(request()) })
    #expect(failed.status == 401)
    #expect(http.requests.count == 4)
  }

  @Test func `a token endpoint that is down is waited for`() async throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("adc.json", Samples.authorizedUser)
    let http = StubHTTP { request, number in
      request.url.hasSuffix("/token") ? (number < 6 ? .lost(sent: false, .noConnection) : .token("t")) : .status(200)
    }
    #expect(try await session(http, ["GOOGLE_APPLICATION_CREDENTIALS": file]).call(request()).status == 200)
  }

  @Test func `without credentials a call says what to do, and sends nothing`() async throws {
    let http = StubHTTP(.status(200))
    let failed = try #require(await error { try await session(http, [:]).call(request()) })
    #expect(failed.reason == .unauthenticated)
    #expect(failed.description == "cannot make thing: cannot sign in to Google Cloud: no credentials found")
    #expect(failed.hint?.contains("gcloud auth application-default login") == true)
    #expect(http.requests.isEmpty)
  }

  @Test func `a service on this machine does without credentials, and uses them where there are some`() async throws {
    let override = ["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": "http://127.0.0.1:9/compute/v1/"]
    let without = StubHTTP(.status(200))
    _ = try await session(without, override).call(request())
    #expect(without.requests.map { $0.header("authorization") } == [nil])
    let with = StubHTTP(.status(200))
    _ = try await session(with, override.merging(["CLOUDSDK_AUTH_ACCESS_TOKEN": "t"]) { $1 }).call(request())
    #expect(with.requests.map { $0.header("authorization") } == ["Bearer t"])
  }

  @Test(arguments: [
    ["PUBSUB_EMULATOR_HOST": "127.0.0.1:8085"], ["CLOUDSDK_API_ENDPOINT_OVERRIDES_PUBSUB": "http://elsewhere:80/"],
  ])
  func `an emulator, and whatever is not encrypted, never sees a token`(places: [String: String]) async throws {
    let http = StubHTTP(.status(200))
    let session = try session(http, places.merging(["CLOUDSDK_AUTH_ACCESS_TOKEN": "t"]) { $1 })
    _ = try await session.call(request { $0.service = .pubSub })
    #expect(http.requests.map { $0.header("authorization") } == [nil])
  }

  @Test func `no error holds the token`() async throws {
    let http = StubHTTP(.status(400, #"{"error":{"message":"bad thing","code":400}}"#))
    let failed = try #require(await error { try await session(http).call(request()) })
    #expect(!"\(failed) \(String(reflecting: failed))".contains("t0ken"))
  }

  @Test func `a call that is cancelled while it waits to be repeated ends at once`() async throws {
    let waiting = Occurrences()
    var world = clock.world(["CLOUDSDK_AUTH_ACCESS_TOKEN": "t"])
    world.sleep = { _ in
      waiting.happened()
      try await Task.sleep(for: .seconds(3600))
    }
    let session = CloudSession(CloudPlaces(), StubHTTP(.status(503)), world)
    let request = request()
    let task = Task { await error { try await session.call(request) } }
    await waiting.wait()
    task.cancel()
    #expect(await task.value?.reason == .cancelled)
  }

  @Test func `over the network a call survives a dropped connection and a fault`() async throws {
    let number = Mutex(0)
    try await withServer({ _, reply in
      switch number.withLock({
        $0 += 1
        return $0
      }) {
      case 1: reply.drop()
      case 2: reply.send(503, headers: ["retry-after": "0"])
      default: reply.send(200, #"{"done":true}"#)
      }
    }) { server in
      let places = try CloudPlaces(environment: ["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE": server.url("")])
      let session = CloudSession(places, HTTPClient(), clock.world())
      #expect(try await session.call(request()).body == Data(#"{"done":true}"#.utf8))
      #expect(
        server.requests.map(\.uri) == Array(repeating: "/compute/v1/projects/p/things?a%20b=c%26d%2F%C3%A9", count: 3))
    }
  }
}
