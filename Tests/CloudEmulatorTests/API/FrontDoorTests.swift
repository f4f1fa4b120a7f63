import Foundation
import NIOHTTP1
import Testing

@testable import CloudEmulator

/// Every route there is × every way in which somebody else may come: a web page, another user, a path.
struct FrontDoorTests {
  struct Route: Sendable, CustomStringConvertible {
    var name: String
    var verb: String
    var path: String
    var takesJSON: Bool
    var description: String { "\(name): \(verb) \(path)" }
  }

  /// From the tables by which requests are answered, so that a new route is here too.
  static let routes: [Route] = {
    let compute = ComputeMethod.routes.samples.map { Route($0.method.rawValue, $0.verb, "/compute/v1/" + $0.path) }
    let pubSub = PubSubMethod.routes.samples.map { Route($0.method.rawValue, $0.verb, "/v1/" + $0.path) }
    let secrets = SecretMethod.routes.samples.map {
      Route($0.method.rawValue, $0.verb, "/v1/" + $0.path, takesJSON: false)
    }
    let logging = LoggingMethod.routes.samples.map { Route($0.method.rawValue, $0.verb, "/v2/" + $0.path) }
    let storage = StorageMethod.routes.samples.map { sample in
      var path = "/" + sample.path
      if sample.method == .objectsUpload { path += "?uploadType=resumable&name=n" }
      return Route(
        sample.method.rawValue, sample.verb, path,
        takesJSON: sample.method == .objectsUpload || sample.method == .bucketsInsert)
    }
    let own = EmulatorMethod.routes.samples.map {
      Route($0.method.rawValue, $0.verb, "/" + $0.path, takesJSON: $0.method == .faultsAdd)
    }
    let others = [
      Route("root", "GET", "/", takesJSON: false), Route("oauth2.token", "POST", "/token", takesJSON: false),
      Route("sts.token", "POST", "/v1/token", takesJSON: false),
      Route("impersonate", "POST", "/v1/projects/-/serviceAccounts/a:generateAccessToken", takesJSON: false),
      Route("batch", "POST", "/batch/compute/v1", takesJSON: false),
    ]
    return compute + pubSub + secrets + logging + storage + own + others
  }()

  static let foreignHosts: [[String]] = [
    [], ["evil.example"], ["127.0.0.1.evil.example"], ["evil@127.0.0.1"], ["localhost."], ["0.0.0.0"], ["127.0.0.1:1x"],
    ["127.0.0.1:"], ["[::2]"], ["169.254.169.254"], ["127.0.0.1", "evil.example"], [""], ["127.1"], ["2130706433"],
  ]
  static let pages: [(String, String)] = [
    ("Origin", "https://evil.example"), ("Origin", "null"), ("Origin", ""), ("Origin", "http://127.0.0.1"),
    ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"), ("Sec-Fetch-Site", "same-origin"),
  ]

  /// The path with something that is like the secret, or leads around it.
  static func paths(_ path: String, without secret: String) -> [String] {
    let short = String(secret.dropLast())
    let all: [String] = [
      path, "/\(short)\(path)", "/\(secret)0\(path)", "/\(secret.uppercased())x\(path)", "/x/../\(path)",
      "//\(secret)\(path)", "/.\(path)", "/%2e%2e\(path)", "/\(short)%00\(path)", "/%2f\(path)", "/emulator/..\(path)",
      "/;/\(secret)\(path)", "/\(short)?x=/\(secret)", "/ \(path)", "/\(secret)%2f\(path)", "/\(secret);\(path)",
    ]
    return all.filter { !$0.hasPrefix("/batch/") }
  }

  @Test func `no route is open to what a web page, or another user, could send`() {
    #expect(Self.routes.count > 80)
    let door = FrontDoor(secret: FrontDoor.makeSecret())
    func status(_ route: Route, _ target: String, _ headers: [(String, String)]) -> Int {
      let head = HTTPRequestHead(
        version: .http1_1, method: HTTPMethod(rawValue: route.verb), uri: target, headers: HTTPHeaders(headers))
      guard case .closed(let failure) = door.judge(head, isToken: { _ in false }) else { return 200 }
      return failure.status
    }
    let host = ("Host", "127.0.0.1:8085")
    for route in Self.routes {
      // With the secret, so that nothing else keeps them out.
      let path = "/\(door.secret)\(route.path)"
      for own in ["127.0.0.1:8085", "localhost", "LOCALHOST:1", "[::1]:8085", "[::1]"] {
        #expect(status(route, path, [("Host", own)]) == 200, "\(route) \(own)")
      }
      #expect(status(route, path, [host, ("Sec-Fetch-Site", "none")]) == 200)
      for hosts in Self.foreignHosts {
        #expect(status(route, path, hosts.map { ("Host", $0) }) == 421, "\(route) \(hosts)")
      }
      for page in Self.pages { #expect(status(route, path, [host, page]) == 403, "\(route) \(page)") }
      for false_ in Self.paths(route.path, without: door.secret) {
        #expect(status(route, false_, [host]) == 403, "\(route) \(false_)")
      }
      for target in ["http://127.0.0.1\(path)", "*", "", "x\(path)"] {
        #expect(status(route, target, [host]) == 400, "\(route) \(target)")
      }
    }
  }

  @Test func `each route refuses them over its socket too, and JSON that is not said to be JSON`() async throws {
    try await ServerTests().withEmulator { emulator, client in
      let host = ("Host", "127.0.0.1:\(client.port)")
      let json = ("Content-Type", "application/json")
      for route in Self.routes {
        let body = ["GET", "DELETE"].contains(route.verb) ? Data() : Data("{\"name\": \"evil-1\"}".utf8)
        let path = client.prefix + route.path
        func answer(_ path: String, _ headers: [(String, String)]) async throws -> EmulatorClient.Answer {
          try await client.sendExactly(route.verb, path, headers: headers, body: body)
        }
        for headers in [[json], [("Host", "evil.example"), json]] {
          #expect(try await answer(path, headers).status == 421, "\(route) \(headers)")
        }
        #expect(try await answer(path, [host, json, ("Origin", "https://evil.example")]).status == 403, "\(route)")
        // A preflight, by which a page would ask to be let in.
        let preflight = try await client.sendExactly(
          "OPTIONS", path, headers: [host, ("Origin", "https://e.example"), ("Access-Control-Request-Method", "POST")])
        #expect(preflight.status == 403 && preflight.headers.keys.allSatisfy { !$0.hasPrefix("access-control-") })
        if !route.path.hasPrefix("/batch/") {
          #expect(try await answer(route.path, [host, json]).status == 403, "\(route)")
        }
        // The types that a page can send without asking first.
        guard route.takesJSON, !body.isEmpty else { continue }
        for type in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "", nil] {
          let headers = [host] + (type.map { [("Content-Type", $0)] } ?? [])
          #expect(try await answer(path, headers).status == 415, "\(route) \(type ?? "no type")")
        }
      }
      // Refused at the door, or for their type: nothing was made.
      let inventory = await emulator.inventory()
      #expect(inventory.isEmpty && inventory.buckets.isEmpty && inventory.everMade.isEmpty)
      #expect(inventory.requests.keys.allSatisfy { !$0.hasPrefix("oauth2") })
    }
  }

  @Test func `a token opens Google's services, and nothing of the emulator's own`() async throws {
    try await ServerTests().withEmulator { emulator, client in
      let host = ("Host", "localhost")
      let token = ("Authorization", "Bearer \(await emulator.issueToken().value)")
      let topics = "/v1/projects/proj/topics"
      #expect(try await client.sendExactly("GET", topics, headers: [host, token]).status == 200)
      #expect(
        try await client.sendExactly("GET", topics, headers: [host, ("Authorization", "Bearer ya29.x")]).status == 403)
      #expect(
        try await client.sendExactly("GET", topics, headers: [("Host", "evil.example"), token]).status == 421)
      for sample in EmulatorMethod.routes.samples {
        for path in ["/\(sample.path)", "/%65mulator/\(sample.path.dropFirst(9))", "//\(sample.path)"] {
          let answer = try await client.sendExactly(sample.verb, path, headers: [host, token])
          #expect(answer.status == 403, "\(sample.verb) \(path)")
        }
      }
      #expect(try await client.sendExactly("GET", "/", headers: [host, token]).status == 403)
      await emulator.revokeTokens()
      #expect(try await client.sendExactly("GET", topics, headers: [host, token]).status == 403)
    }
  }

  @Test func `a batch beside the secret lets in only requests that carry it`() async throws {
    try await ServerTests().withEmulator { emulator, client in
      func part(_ target: String) -> String {
        "--b\r\nContent-Type: application/http\r\n\r\nGET \(target) HTTP/1.1\r\n\r\n\r\n"
      }
      let zones = "/compute/v1/projects/proj/zones"
      let body =
        part(client.prefix + zones) + part(zones) + part("/batch/x") + part(client.prefix + "/batch/x") + "--b--"
      let answer = try await client.sendExactly(
        "POST", "/batch/compute/v1",
        headers: [("Host", "127.0.0.1:\(client.port)"), ("Content-Type", "multipart/mixed; boundary=b")],
        body: Data(body.utf8))
      #expect(answer.status == 200)
      let text = String(decoding: answer.body, as: UTF8.self)
      #expect(text.components(separatedBy: "HTTP/1.1 200").count == 2)
      #expect(text.components(separatedBy: "HTTP/1.1 403").count == 4)
      #expect(await emulator.inventory().requests == ["compute.zones.list": 1])
    }
  }

  @Test(arguments: [
    "..%2F..%2F.ssh", "..", ".", "%2e%2e", "a%2Fb", "..%5C..", "ab", "Upper", "under_", "-dash", "1.2.3.4", "goog-x",
    "a..b", "%00ab", "x%0Ay", "b%C3%BCcher",
  ])
  func `a bucket has a name of Google's kind, or is refused`(bucket: String) async throws {
    let folder = NSTemporaryDirectory() + "emulator-\(UUID().uuidString)/deep/cloud"
    defer { try? FileManager.default.removeItem(atPath: folder + "/../..") }
    try await ServerTests().withEmulator({ $0.folder = folder }) { _, client in
      let upload = try await client.send(
        "POST", "/upload/storage/v1/b/\(bucket)/o?uploadType=media&name=authorized_keys", body: Data("x".utf8))
      #expect([400, 404].contains(upload.status), "\(upload.status)")
      let name = bucket.removingPercentEncoding ?? bucket
      let made = try await client.send(
        "POST", "/storage/v1/b?project=p", body: JSON.object(["name": .string(name)]).data)
      #expect(made.status == 400)
    }
    #expect(!FileManager.default.fileExists(atPath: folder + "/buckets"))
  }
}

extension FrontDoorTests.Route {
  init(_ name: String, _ verb: String, _ path: String, takesJSON: Bool? = nil) {
    self.init(name: name, verb: verb, path: path, takesJSON: takesJSON ?? !["GET", "DELETE"].contains(verb))
  }
}

struct BlobStoreTests {
  @Test func `no link leads an object out of the folder`() throws {
    let manager = FileManager.default
    let place = NSTemporaryDirectory() + "blobs-\(UUID().uuidString)"
    defer { try? manager.removeItem(atPath: place) }
    for name in ["buckets/own", "outside"] {
      try manager.createDirectory(atPath: "\(place)/\(name)", withIntermediateDirectories: true)
    }
    try "secret".write(toFile: place + "/outside/file", atomically: true, encoding: .utf8)
    for (link, target) in [
      ("linked", "outside"), ("own/folder", "outside"), ("own/file", "outside/file"), ("own/new", "outside/made"),
    ] {
      try manager.createSymbolicLink(atPath: "\(place)/buckets/\(link)", withDestinationPath: "\(place)/\(target)")
    }
    let store = BlobStore(folder: place + "/buckets")
    for (bucket, name) in [("linked", "file"), ("own", "folder/file"), ("own", "file")] {
      #expect(store.read(bucket, name) == Data(), "\(bucket) \(name)")
    }
    for (bucket, name) in [
      ("linked", "file"), ("linked", "made"), ("own", "folder/made"), ("own", "folder/file"), ("own", "new"),
    ] {
      #expect(store.write(bucket, name, Data("overwritten".utf8)))
      #expect(store.read(bucket, name) == Data("overwritten".utf8))
    }
    store.remove("own", "folder/file")
    store.remove("linked", "file")
    #expect(try manager.contentsOfDirectory(atPath: place + "/outside") == ["file"])
    #expect(try String(contentsOfFile: place + "/outside/file", encoding: .utf8) == "secret")
  }

  @Test func `objects whose names cannot both be files are both kept`() {
    let place = NSTemporaryDirectory() + "blobs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: place) }
    let store = BlobStore(folder: place)
    for name in ["a", "a/b", "../up", "/root", "c//d", "a/", ".", String(repeating: "n", count: 1024)] {
      #expect(store.write("bucket", name, Data(name.utf8)), "\(name)")
    }
    for name in ["a", "a/b", "../up", "/root", "c//d", "a/", ".", String(repeating: "n", count: 1024)] {
      #expect(store.read("bucket", name) == Data(name.utf8), "\(name)")
    }
    #expect((try? FileManager.default.contentsOfDirectory(atPath: place)) == ["bucket"])
    #expect((try? FileManager.default.contentsOfDirectory(atPath: place + "/bucket")) == ["a"])
  }
}
