import Foundation
import Testing

@testable import CloudEmulator

/// Anything may come over the emulator's ports; nothing of it traps. Whole requests over the model that the port hands
/// them to, from a seed: `DAGRUN_FUZZ_SEED`, and `DAGRUN_FUZZ_SECONDS` for a longer one.
struct FuzzTests {
  static let seed = ProcessInfo.processInfo.environment["DAGRUN_FUZZ_SEED"].flatMap(UInt64.init) ?? 20_261_130
  static let rounds =
    ProcessInfo.processInfo.environment["DAGRUN_FUZZ_SECONDS"].flatMap(Int.init).map { $0 * 3000 } ?? 6000

  static let numbers: [String] = [
    "0", "1", "-1", "500", "501", "9007199254740992", "9223372036854775807", "9223372036854775808",
    "-9223372036854775808", "-9223372036854775809", "18446744073709551616", "1e19", "1e300", "-1e300", "1e999", "NaN",
    "nan", "inf", "-inf", "infinity", "0x10", "+5", " 7", "", "1.5", "-0", "٣", "0000000000000000000000001",
  ]

  static let texts: [String] = numbers + odd + nested
  static let nested: [String] = [
    String(repeating: "(", count: 5000), String(repeating: "a/", count: 5000), String(repeating: "NOT ", count: 3000),
    String(repeating: "a(", count: 3000), "name eq \(String(repeating: "(a+)+", count: 20))",
  ]
  static let odd: [String] = [
    "..", "../..", "%2e%2e%2f", "a/b", "*", "((((", "))))", "a:b", "-a", "NOT", "name=x", "name eq (a|b)*+", "\0", "é",
    "e\u{301}", "👩‍👩‍👧", "bucket-1", "proj", "europe-west1-b", "job", "media", "resumable", "multipart", "true",
    "custom-9223372036854775807-9223372036854775807", "upload-1700000000000001", "LTE=", "LTk=",
    "OTIyMzM3MjAzNjg1NDc3NTgwNw==", "LTkyMjMzNzIwMzY4NTQ3NzU4MDg=", "bytes=0-", "bytes=--9223372036854775808",
    "bytes=-9223372036854775808", "bytes=9223372036854775807-", "bytes=0-9223372036854775807", "bytes=5-2",
    "bytes 0-9223372036854775807/*", "bytes -9223372036854775808-0/1", "bytes 9223372036854775807-0/1", "bytes */-1",
  ]

  static func number(_ generator: inout SeededGenerator) -> JSON {
    switch Int.random(in: 0..<6, using: &generator) {
    case 0: .integer(.max)
    case 1: .integer(.min)
    case 2: .number(1e300)
    case 3: .number(-0.5)
    case 4: .string(numbers.randomElement(using: &generator) ?? "")
    default: .integer(Int64.random(in: -2...700, using: &generator))
    }
  }

  static func json(_ generator: inout SeededGenerator, depth: Int = 0) -> JSON {
    switch Int.random(in: 0..<(depth > 3 ? 4 : 7), using: &generator) {
    case 0: return number(&generator)
    case 1: return .string(texts.randomElement(using: &generator) ?? "")
    case 2: return .bool(.random(using: &generator))
    case 3: return number(&generator)
    case 4:
      return .array((0..<Int.random(in: 0..<3, using: &generator)).map { _ in json(&generator, depth: depth + 1) })
    default:
      var object: JSON = [:]
      for _ in 0..<Int.random(in: 0..<5, using: &generator) {
        object[fields.randomElement(using: &generator) ?? ""] = json(&generator, depth: depth + 1)
      }
      return object
    }
  }

  static let fields: [String] = [
    "name", "properties", "machineType", "disks", "initializeParams", "diskSizeGb", "sourceImage", "metadata", "items",
    "key", "value", "scheduling", "maxRunDuration", "seconds", "nanos", "targetSize", "instanceTemplate",
    "baseInstanceName", "instances", "topic", "ackDeadlineSeconds", "messages", "data", "attributes", "maxMessages",
    "ackIds", "messageRetentionDuration", "expirationPolicy", "ttl", "labels", "entries", "logName", "severity",
    "timestamp", "textPayload", "guestAccelerators", "acceleratorCount", "instanceFlexibilityPolicy", "rank",
    "instanceSelections", "machineTypes", "distributionPolicy", "boot", "autoDelete", "networkInterfaces",
  ]

  /// A value of a good body becomes another one.
  static func mutated(_ value: JSON, _ generator: inout SeededGenerator) -> JSON {
    if Int.random(in: 0..<6, using: &generator) == 0 { return json(&generator, depth: 2) }
    switch value {
    case .object(let fields):
      var changed = fields
      for (key, value) in fields.sorted(by: { $0.key < $1.key }) where Int.random(in: 0..<2, using: &generator) == 0 {
        changed[key] = mutated(value, &generator)
      }
      return .object(changed)
    case .array(let elements): return .array(elements.map { mutated($0, &generator) })
    case .null, .bool, .integer, .number, .string: return value
    }
  }

  static let bodies: [JSON] = [
    TestCloud.template("job", labels: ["a": "b"], scheduling: TestCloud.spot), TestCloud.group("job", template: "job"),
    ["topic": "projects/proj/topics/topic-1", "ackDeadlineSeconds": 10, "messageRetentionDuration": "600s"],
    ["messages": [["data": "aGk=", "attributes": ["a": "b"]]]], ["maxMessages": 5, "returnImmediately": true],
    ["ackIds": ["a"], "ackDeadlineSeconds": 5], ["name": "bucket-1"],
    ["logName": "projects/proj/logs/l", "entries": [["textPayload": "x", "timestamp": "2026-01-01T00:00:00Z"]]],
    ["instances": ["zones/europe-west1-b/instances/job-1"]], [:],
  ]

  @Test func `no request of the emulator's API traps`() throws {
    print("seed \(Self.seed)")
    var generator = SeededGenerator(seed: Self.seed)
    var cloud = TestCloud()
    try cloud.makeGroup(scheduling: TestCloud.spot)
    _ = try cloud.send("PUT", "/v1/projects/proj/topics/topic-1")
    _ = try cloud.send(
      "PUT", "/v1/projects/proj/subscriptions/subscription-1", ["topic": "projects/proj/topics/topic-1"])
    _ = try cloud.send(
      "POST", "/upload/storage/v1/b/bucket-1/o?uploadType=media&name=object-1", data: Data("0123456789".utf8))
    let parameters: [String] = [
      "maxResults", "pageToken", "pageSize", "filter", "orderBy", "fields", "$fields", "start", "size", "prefix",
      "delimiter", "uploadType", "name", "upload_id", "ifGenerationMatch", "alt", "requestId", "grace", "access_token",
      "startOffset", "project",
    ]
    for _ in 0..<Self.rounds {
      let route = FrontDoorTests.routes.randomElement(using: &generator) ?? FrontDoorTests.routes[0]
      var path = route.path
      if Int.random(in: 0..<5, using: &generator) == 0 {
        var pieces = path.split(separator: "/").map(String.init)
        if let place = pieces.indices.randomElement(using: &generator) {
          let text = Self.texts.randomElement(using: &generator) ?? ""
          pieces[place] = text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "x"
        }
        path = "/" + pieces.joined(separator: "/")
      }
      path = path.replacing("zone-1", with: "europe-west1-b").replacing("instancegroupmanager-1", with: "job")
        .replacing("name-1", with: "job")
      var query: [String] = []
      for _ in 0..<Int.random(in: 0..<3, using: &generator) {
        let text = Self.texts.randomElement(using: &generator) ?? ""
        let parameter = parameters.randomElement(using: &generator) ?? ""
        query.append("\(parameter)=\(text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")")
      }
      if !query.isEmpty { path += (path.contains("?") ? "&" : "?") + query.joined(separator: "&") }
      var headers = ["content-type": "application/json"]
      for name in ["range", "content-range", "x-upload-content-type", "authorization"]
      where Int.random(in: 0..<4, using: &generator) == 0 {
        headers[name] = Self.texts.randomElement(using: &generator)
      }
      let body = Self.mutated(Self.bodies.randomElement(using: &generator) ?? [:], &generator)
      let request = APIRequest(
        route.verb, path, headers: headers, body: ["GET", "DELETE"].contains(route.verb) ? Data() : body.data)
      if FrontDoor.isOwn(request.path) {
        if !request.path.contains("secrets") { _ = EmulatorEndpoints.answer(request, &cloud.emulation, at: cloud.now) }
      } else {
        _ = cloud.begin(route.verb, path, headers: headers, data: request.body)
      }
      cloud.pass(Double.random(in: 0..<3, using: &generator))
    }
    // Faults that were added may still refuse it; that there is an answer is what counts.
    _ = cloud.begin("GET", "/compute/v1/projects/proj/zones")
  }

  @Test func `no request of the metadata server traps`() {
    var generator = SeededGenerator(seed: Self.seed)
    let machine = VirtualMachineDescription(
      project: "p", zone: "z", name: "n", id: .max, machineType: "t", isSpot: true, metadata: ["a": "b", "": ""],
      serviceAccount: "", scopes: [], folder: "/")
    let metadata = InstanceMetadata(machine)
    let paths = [
      "instance/", "instance/preempted", "instance/service-accounts/default/token", "", "project/", "x", "../..",
    ]
    for _ in 0..<Self.rounds {
      var uri = "/computeMetadata/v1/" + (paths.randomElement(using: &generator) ?? "")
      let names = ["timeout_sec", "wait_for_change", "last_etag", "recursive", "alt", "scopes", ""]
      let query = (0..<Int.random(in: 0..<4, using: &generator)).map { _ -> String in
        let text = Self.texts.randomElement(using: &generator) ?? ""
        let name = names.randomElement(using: &generator) ?? ""
        return "\(name)=\(text.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "%zz")"
      }
      uri += "?" + query.joined(separator: "&")
      let request = MetadataRequest(uri: uri, hasFlavor: true, isForwarded: false)
      if case .wait(_, let seconds?) = MetadataAnswer(request, metadata) { #expect((0...86400).contains(seconds)) }
    }
  }

  @Test func `a metadata server that was asked to wait for ever, and longer, still answers`() async throws {
    let machine = VirtualMachineDescription(
      project: "p", zone: "z", name: "n", id: 1, machineType: "t", isSpot: true, metadata: [:], serviceAccount: "",
      scopes: [], folder: "/vm")
    let server = try MetadataServer.start(InstanceMetadata(machine), identity: .of("/vm")) { _, _ in
      MachineToken(value: "t", expiresAt: .distantFuture)
    }
    defer { server.stop() }
    let client = try EmulatorClient(address: server.address)
    let flavor = ("Metadata-Flavor", "Google")
    let host = ("Host", "metadata.google.internal")
    let root = "/computeMetadata/v1/instance/"
    for number in Self.numbers where !number.contains(" ") {
      let text = number.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
      let waiting = Task {
        try await client.sendExactly(
          "GET", root + "preempted?wait_for_change=true&timeout_sec=\(text)", headers: [host, flavor])
      }
      #expect(try await client.sendExactly("GET", root + "name", headers: [host, flavor]).body == Data("n".utf8))
      waiting.cancel()
    }
    // Who else may ask.
    for (headers, status) in [
      ([("Host", "evil.example"), flavor], 421), ([flavor], 421), ([host, flavor, ("Origin", "http://e")], 403),
      ([host, flavor, ("Sec-Fetch-Site", "cross-site")], 403), ([host], 403), ([host, flavor], 200),
      ([("Host", "169.254.169.254"), flavor], 200), ([("Host", server.address), flavor], 200),
    ] {
      let answer = try await client.sendExactly("GET", root + "service-accounts/default/token", headers: headers)
      #expect(answer.status == status, "\(headers)")
    }
  }

  @Test func `the other end's user is read from the kernel's list`() {
    let list = """
        sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
         0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1
         1: 0100007F:9C40 0100007F:1F90 06 00000000:00000000 00:00000000 00000000     0        0 1 1
         2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1000        0 1 1
         3: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     7        0 1 1
         4: 0000000000000000FFFF00000100007F:9C41 0000000000000000FFFF00000100007F:1F90 01 0:0 0:0 0 1001 0 1
         5: 0101A8C0:9C42 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     9        0 1 1
      """
    #expect(LoopbackPeer.user(from: 0x9c40, to: 0x1f90, in: list) == 1000)
    #expect(LoopbackPeer.user(from: 0x9c41, to: 0x1f90, in: list) == 1001)
    #expect(LoopbackPeer.user(from: 0x9c42, to: 0x1f90, in: list) == nil)
    #expect(LoopbackPeer.user(from: 1, to: 0x1f90, in: list) == nil)
    #expect(LoopbackPeer.user(from: 1, to: 2, in: "") == nil)
  }
}
