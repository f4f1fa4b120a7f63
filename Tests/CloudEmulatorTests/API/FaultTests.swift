import Foundation
import Testing

@testable import CloudEmulator

struct FaultTests {
  let zones = TestCloud.project + "/zones"

  func cloud(_ fault: RequestFault, method: String? = "compute.zones.list", times: Int? = nil) -> TestCloud {
    TestCloud { $0.faults = [FaultRule(.request(RequestPattern(method: method), fault), times: times)] }
  }

  @Test func `a request is refused as often as was said, in its service's shape`() throws {
    var cloud = cloud(.status(403, reason: "rateLimitExceeded", retryAfterSeconds: 7), times: 2)
    for _ in 0..<2 {
      let answer = try cloud.send("GET", zones)
      #expect(answer.status == 403)
      #expect(answer.reason == "rateLimitExceeded")
      #expect(answer.headers["Retry-After"] == "7")
    }
    #expect(try cloud.send("GET", zones).status == 200)
  }

  @Test func `Pub/Sub's refusals have a code`() throws {
    var cloud = cloud(.status(503), method: "pubsub.*")
    let answer = try cloud.send("GET", "/v1/projects/proj/topics")
    #expect(answer.status == 503)
    #expect(answer.code == "UNAVAILABLE")
    var exhausted = self.cloud(.status(429, reason: "RESOURCE_EXHAUSTED"), method: "pubsub.*")
    #expect(try exhausted.send("GET", "/v1/projects/proj/topics").code == "RESOURCE_EXHAUSTED")
  }

  @Test func `a delayed request is done and answered later`() throws {
    var cloud = cloud(.delay(seconds: 5))
    let id = cloud.begin("GET", zones)
    cloud.pass(4.9)
    #expect(cloud.answer(to: id) == nil)
    cloud.pass(0.1)
    #expect(cloud.answer(to: id)?.status == 200)
  }

  @Test func `an answer is lost after the work, a connection is dropped before it`() throws {
    let topic = "/v1/projects/proj/topics/job"
    for (fault, isDone) in [(RequestFault.answerLost, true), (.dropped, false)] {
      var cloud = cloud(fault, method: "pubsub.projects.topics.create", times: 1)
      let id = cloud.begin("PUT", topic)
      #expect(cloud.dropped == [id])
      #expect(cloud.answer(to: id) == nil)
      #expect(try cloud.send("GET", topic).status == (isDone ? 200 : 404))
      #expect(try cloud.send("PUT", topic).status == (isDone ? 409 : 200))
    }
  }

  @Test func `a fault strikes where its pattern fits, after so many`() throws {
    var cloud = TestCloud {
      $0.faults = [
        FaultRule(.request(RequestPattern(path: "/v1/projects/*/topics/b*"), .status(500)), times: 1, after: 1)
      ]
    }
    var seen: [Int] = []
    for name in ["aaa", "bbb", "bbc", "bbd"] {
      seen.append(try cloud.send("PUT", "/v1/projects/proj/topics/\(name)").status)
    }
    #expect(seen == [200, 200, 500, 200])
  }

  @Test func `a probability is a matter of the seed`() throws {
    func run(seed: UInt64) throws -> [Int] {
      var cloud = TestCloud {
        $0.seed = seed
        $0.faults = [FaultRule(.request(RequestPattern(), .status(503)), probability: 0.5)]
      }
      return try (0..<40).map { _ in try cloud.send("GET", zones).status }
    }
    let first = try run(seed: 3)
    #expect(try run(seed: 3) == first)
    #expect(try run(seed: 4) != first)
    #expect((10...30).contains(first.count { $0 == 503 }))
  }

  @Test func `requests are counted by method, refused and unknown ones too`() throws {
    var cloud = cloud(.status(500), times: 1)
    for _ in 0..<3 { _ = try cloud.send("GET", zones) }
    _ = try cloud.send("GET", "/nothing")
    #expect(cloud.emulation.inventory.requests == ["compute.zones.list": 3, "unknown": 1])
  }

  static let rules: [(String, FaultRule)] = [
    (
      #"{"request": {"method": "compute.*"}, "status": 503, "reason": "backendError", "times": 2, "after": 1}"#,
      FaultRule(
        .request(RequestPattern(method: "compute.*"), .status(503, reason: "backendError")), times: 2, after: 1)
    ),
    (
      #"{"id": "x", "request": {"path": "/v1/*"}, "delaySeconds": 1.5, "probability": 0.25}"#,
      FaultRule(.request(RequestPattern(path: "/v1/*"), .delay(seconds: 1.5)), probability: 0.25, id: "x")
    ),
    (#"{"request": {}, "answerLost": true}"#, FaultRule(.request(RequestPattern(), .answerLost))),
    (#"{"request": {}, "dropped": true}"#, FaultRule(.request(RequestPattern(), .dropped))),
    (
      #"{"request": {}, "operationError": "QUOTA_EXCEEDED"}"#,
      FaultRule(.request(RequestPattern(), .operationError(code: "QUOTA_EXCEEDED")))
    ),
    (
      #"{"machine": {"zone": "europe-*", "isSpot": true}, "creation": "stockOut"}"#,
      FaultRule(.creation(MachinePattern(zone: "europe-*", isSpot: true), .stockOut))
    ),
    (
      #"{"machine": {}, "creation": "quota", "metric": "GPUS"}"#,
      FaultRule(.creation(MachinePattern(), .quota(metric: "GPUS")))
    ),
    (#"{"machine": {}, "creation": "permission"}"#, FaultRule(.creation(MachinePattern(), .permission))),
    (
      #"{"machine": {}, "creation": "GPU_STOCKOUT", "message": "none"}"#,
      FaultRule(.creation(MachinePattern(), .other(code: "GPU_STOCKOUT", message: "none")))
    ),
    (#"{"machine": {"name": "a"}, "boot": "cutOff"}"#, FaultRule(.boot(MachinePattern(name: "a"), .cutOff))),
    (#"{"machine": {"name": "a"}, "boot": "hangs"}"#, FaultRule(.boot(MachinePattern(name: "a"), .hangs))),
    (#"{"machine": {}, "boot": "slow", "delaySeconds": 9}"#, FaultRule(.boot(MachinePattern(), .slow(seconds: 9)))),
    (
      #"{"machine": {"machineType": "n1-*"}, "preemptAfterSeconds": 20}"#,
      FaultRule(.preemption(MachinePattern(machineType: "n1-*"), afterSeconds: 20))
    ),
  ]

  @Test(arguments: rules)
  func `a rule reads as it is written`(text: String, rule: FaultRule) throws {
    #expect(try FaultScript.rules(in: Data(text.utf8)) == [rule])
    #expect(try FaultScript.rules(in: JSONEncoder().encode(rule)) == [rule])
  }

  @Test func `a script is a list, or has one, in JSON or YAML`() throws {
    let yaml = """
      faults:
        - machine: {zone: europe-west1-b}
          creation: stockOut
          times: 2
        - request:
            method: pubsub.projects.topics.publish
          status: 503
      """
    #expect(try FaultScript.rules(in: Data(yaml.utf8)).count == 2)
    #expect(try FaultScript.rules(in: Data(#"[{"request": {}, "dropped": true}]"#.utf8)).count == 1)
  }

  @Test(arguments: [
    (#"{"request": {}, "statsu": 500}"#, "statsu"), (#"{"request": {}}"#, "status, delaySeconds"),
    (#"{"request": {"metod": "x"}, "status": 500}"#, "metod"),
    (#"{"status": 500}"#, "either to a request or to a machine"),
    (#"{"machine": {}, "boot": "dances"}"#, "dances"), (#"{"machine": {}, "creation": "stockout"}"#, "stockout"),
    (#"[{"request": {}, "dropped": true}, {"request": {}, "times": "x", "dropped": true}]"#, "fault 2"),
  ])
  func `a rule that makes no sense says what is wrong with it`(text: String, part: String) throws {
    let failure = #expect(throws: FaultScript.Failure.self) { try FaultScript.rules(in: Data(text.utf8)) }
    #expect(failure?.description.contains(part) == true, "\(failure?.description ?? "")")
  }
}
