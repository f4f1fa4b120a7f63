import Foundation
import Testing

@testable import CloudEmulator

struct OperationTests {
  let templates = TestCloud.project + "/global/instanceTemplates"

  func wait(_ operation: JSON) -> String {
    TestCloud.project + "/global/operations/\(operation["name"].text ?? "")/wait"
  }

  @Test func `an operation is pending, then running, then done`() throws {
    var cloud = TestCloud()
    let name = try cloud.send("POST", templates, TestCloud.template("a")).json["name"].text ?? ""
    let path = TestCloud.project + "/global/operations/\(name)"
    var seen: [JSON] = []
    for _ in 0..<3 {
      seen.append(try cloud.send("GET", path).json["status"])
      cloud.pass(1)
    }
    #expect(seen == ["PENDING", "RUNNING", "DONE"])
    let done = try cloud.send("GET", path).json
    #expect(done["progress"] == 100)
    #expect(done["endTime"].text != nil)
    #expect(done["error"] == .null)
  }

  @Test func `a wait is answered when the operation is done`() throws {
    var cloud = TestCloud()
    let operation = try cloud.send("POST", templates, TestCloud.template("a")).json
    let waiting = cloud.begin("POST", wait(operation))
    cloud.pass(1.9)
    #expect(cloud.answer(to: waiting) == nil)
    cloud.pass(0.1)
    #expect(cloud.answer(to: waiting)?.json["status"] == "DONE")
    #expect(try cloud.send("POST", wait(operation)).json["status"] == "DONE")
  }

  @Test func `a wait ends after two minutes, done or not`() throws {
    var cloud = TestCloud { $0.timing.runningSeconds = 1000 }
    let operation = try cloud.send("POST", templates, TestCloud.template("a")).json
    let waiting = cloud.begin("POST", wait(operation))
    cloud.pass(119)
    #expect(cloud.answer(to: waiting) == nil)
    cloud.pass(1)
    #expect(cloud.answer(to: waiting)?.json["status"] == "RUNNING")
  }

  @Test func `a wait that was given up is not answered`() throws {
    var cloud = TestCloud()
    let operation = try cloud.send("POST", templates, TestCloud.template("a")).json
    let waiting = cloud.begin("POST", wait(operation))
    cloud.emulation.abandon(waiting)
    cloud.pass(10)
    #expect(cloud.answer(to: waiting) == nil)
  }

  @Test func `a repeat with the same requestId is the first operation, also when that is long done`() throws {
    var cloud = TestCloud()
    let target = templates + "?requestId=6e1ba1a0-1111-4222-8333-444455556666"
    let first = try cloud.send("POST", target, TestCloud.template("a")).json
    #expect(try cloud.send("POST", target, TestCloud.template("a")).json["name"] == first["name"])
    cloud.pass(60)
    let late = try cloud.send("POST", target, TestCloud.template("a"))
    #expect(late.json["name"] == first["name"])
    #expect(late.json["status"] == "DONE")
    #expect(cloud.emulation.inventory.everMade["instanceTemplates"] == 1)
  }

  @Test(arguments: ["00000000-0000-0000-0000-000000000000", "not-a-uuid"])
  func `a requestId must be a UUID that is not zero`(id: String) throws {
    var cloud = TestCloud()
    let answer = try cloud.send("POST", templates + "?requestId=\(id)", TestCloud.template("a"))
    #expect(answer.status == 400)
    #expect(answer.message.contains("requestId"))
  }

  @Test func `a requestId belongs to one request`() throws {
    var cloud = TestCloud()
    let query = "?requestId=6e1ba1a0-1111-4222-8333-444455556666"
    _ = try cloud.send("POST", templates + query, TestCloud.template("a"))
    #expect(try cloud.send("POST", templates + query, TestCloud.template("b")).status == 400)
  }

  @Test func `a finished operation is forgotten after a while`() throws {
    var cloud = TestCloud { $0.timing.operationLifetimeSeconds = 30 }
    let operation = try cloud.send("POST", templates, TestCloud.template("a")).json
    cloud.pass(31)
    #expect(try cloud.send("POST", wait(operation)).status == 200)
    cloud.pass(2)
    #expect(try cloud.send("POST", wait(operation)).status == 404)
  }

  @Test func `operations live where their resources do`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    let zonal = try cloud.send("GET", TestCloud.zone + "/operations").json["items"].elements
    // The group, and its VM.
    #expect(zonal.map(\.["operationType"]) == ["insert", "insert"])
    #expect(zonal.first?["zone"] == "http://127.0.0.1:1/compute/v1/projects/proj/zones/europe-west1-b")
    #expect(try cloud.send("GET", TestCloud.project + "/global/operations").json["items"].elements.count == 1)
    #expect(try cloud.send("GET", TestCloud.project + "/regions/europe-west1/operations").json["items"] == .null)
  }

  @Test func `a fault in the operation shows there, and nothing is made`() throws {
    var cloud = TestCloud {
      $0.faults = [
        FaultRule(
          .request(
            RequestPattern(method: "compute.instanceTemplates.insert"),
            .operationError(code: "QUOTA_EXCEEDED", message: "no more")), times: 1)
      ]
    }
    let operation = try cloud.send("POST", templates, TestCloud.template("a"))
    #expect(operation.status == 200)
    cloud.pass(2)
    let done = try cloud.send("POST", wait(operation.json)).json
    #expect(done["status"] == "DONE")
    #expect(done["error"]["errors"] == [["code": "QUOTA_EXCEEDED", "message": "no more"]])
    #expect(try cloud.send("GET", templates + "/a").status == 404)
    #expect(try cloud.send("POST", templates, TestCloud.template("a")).status == 200)
  }

  @Test func `an unknown zone is an invalid value, an unknown address is not found`() throws {
    var cloud = TestCloud()
    let zone = try cloud.send("GET", TestCloud.project + "/zones/mars-1-a/instances")
    #expect(zone.status == 400)
    #expect(zone.reason == "invalid")
    #expect(try cloud.send("GET", TestCloud.project + "/global/martians").status == 404)
  }
}
