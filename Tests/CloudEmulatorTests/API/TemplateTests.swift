import Foundation
import Testing

@testable import CloudEmulator

struct TemplateTests {
  let path = TestCloud.project + "/global/instanceTemplates"

  @Test func `a template is there when its operation is done`() throws {
    var cloud = TestCloud()
    let operation = try cloud.send("POST", path, TestCloud.template("a", metadata: ["user-data": "x"])).json
    #expect(operation["kind"] == "compute#operation")
    #expect(operation["status"] == "PENDING")
    #expect(operation["targetLink"] == "http://127.0.0.1:1/compute/v1/projects/proj/global/instanceTemplates/a")
    #expect(try cloud.send("GET", path + "/a").status == 404)
    cloud.pass(2)
    let template = try cloud.send("GET", path + "/a").json
    #expect(template["id"].text == operation["targetId"].text)
    #expect(template["properties"]["metadata"]["items"] == [["key": "user-data", "value": "x"]])
    #expect(template["properties"]["metadata"]["fingerprint"].text != nil)
  }

  @Test func `a second one of the name is refused, also while the first is being made`() throws {
    var cloud = TestCloud()
    _ = try cloud.send("POST", path, TestCloud.template("a"))
    let early = try cloud.send("POST", path, TestCloud.template("a"))
    #expect(early.status == 409)
    #expect(early.reason == "alreadyExists")
    #expect(early.message == "The resource 'projects/proj/global/instanceTemplates/a' already exists")
    cloud.pass(2)
    #expect(try cloud.send("POST", path, TestCloud.template("a")).status == 409)
  }

  @Test func `what is not there cannot be had or deleted`() throws {
    var cloud = TestCloud()
    for method in ["GET", "DELETE"] {
      let answer = try cloud.send(method, path + "/nobody")
      #expect(answer.status == 404)
      #expect(answer.reason == "notFound")
      #expect(answer.message == "The resource 'projects/proj/global/instanceTemplates/nobody' was not found")
    }
  }

  @Test(arguments: ["", "A", "a_b", "-a", "a-", "1a", String(repeating: "a", count: 64), "ä"])
  func `a name that Google would not take is refused`(name: String) throws {
    var cloud = TestCloud()
    #expect(try cloud.send("POST", path, TestCloud.template(name)).status == 400)
  }

  @Test(arguments: ["a", "a1", "a-b", String(repeating: "a", count: 63)])
  func `a name that Google takes is taken`(name: String) throws {
    var cloud = TestCloud()
    #expect(try cloud.send("POST", path, TestCloud.template(name)).status == 200)
  }

  @Test func `a lenient cloud ignores unknown fields, and no others`() throws {
    var cloud = TestCloud { $0.isLenient = true }
    var body = TestCloud.template("a")
    body["propertys"] = [:]
    body["properties"]["name"] = "clash"
    #expect(try cloud.send("POST", path, body).status == 200)
    body = TestCloud.template("b")
    body["properties"]["machineType"] = 1
    #expect(try cloud.send("POST", path, body).status == 400)
  }

  @Test func `an unknown field is refused at any depth, with its place`() throws {
    var cloud = TestCloud()
    var body = TestCloud.template("a")
    body["propertys"] = [:]
    let shallow = try cloud.send("POST", path, body)
    #expect(shallow.status == 400)
    #expect(shallow.reason == "invalid")
    #expect(shallow.message.contains("Unknown name \"propertys\""))
    var deep = TestCloud.template("a")
    deep["properties"]["disks"] = [["boot": true, "initializeParams": ["sourceImag": "x"]]]
    #expect(
      try cloud.send("POST", path, deep).message
        == "Invalid JSON payload received. Unknown name \"sourceImag\" at 'properties.disks[0].initializeParams': Cannot "
        + "find field.")
  }

  @Test func `a value of the wrong type, and one that is not of its enumeration, are refused`() throws {
    var cloud = TestCloud()
    var body = TestCloud.template("a")
    body["properties"]["canIpForward"] = "yes"
    #expect(try cloud.send("POST", path, body).message.contains("TYPE_BOOL"))
    var other = TestCloud.template("a")
    other["properties"]["scheduling"] = ["provisioningModel": "CHEAP"]
    #expect(try cloud.send("POST", path, other).message.contains("properties.scheduling.provisioningModel"))
  }

  @Test func `an unknown parameter of the query is refused`() throws {
    var cloud = TestCloud()
    let answer = try cloud.send("POST", path + "?requestID=1", TestCloud.template("a"))
    #expect(answer.status == 400)
    #expect(answer.message.contains("requestID"))
    #expect(try cloud.send("GET", path + "?alt=json&prettyPrint=false&key=k").status == 200)
  }

  @Test func `metadata has Google's limits`() throws {
    var cloud = TestCloud()
    let most = String(repeating: "x", count: 262_144)
    #expect(try cloud.send("POST", path, TestCloud.template("a", metadata: ["k": most])).status == 200)
    #expect(try cloud.send("POST", path, TestCloud.template("b", metadata: ["k": most + "x"])).status == 400)
    let tooMuch = try cloud.send("POST", path, TestCloud.template("c", metadata: ["k": most, "l": most]))
    #expect(tooMuch.status == 400)
    #expect(tooMuch.message.contains("524288"))
    #expect(try cloud.send("POST", path, TestCloud.template("d", metadata: ["not a key": "x"])).status == 400)
  }

  @Test(arguments: [
    (["provisioningModel": "SPOT", "automaticRestart": true] as JSON, "automaticRestart"),
    (["provisioningModel": "SPOT", "onHostMaintenance": "MIGRATE"] as JSON, "onHostMaintenance"),
    (["instanceTerminationAction": "DELETE"] as JSON, "instanceTerminationAction"),
    (["maxRunDuration": ["seconds": "3600"]] as JSON, "instanceTerminationAction"),
    (["maxRunDuration": ["seconds": "29"], "instanceTerminationAction": "DELETE"] as JSON, "maxRunDuration"),
    (["maxRunDuration": ["seconds": "10368001"], "instanceTerminationAction": "DELETE"] as JSON, "maxRunDuration"),
  ])
  func `scheduling that makes no sense is refused`(scheduling: JSON, field: String) throws {
    var cloud = TestCloud()
    let answer = try cloud.send("POST", path, TestCloud.template("a", scheduling: scheduling))
    #expect(answer.status == 400)
    #expect(answer.message.contains("resource.properties.scheduling.\(field)"))
  }

  @Test func `a GPU needs a VM that is not moved`() throws {
    var cloud = TestCloud()
    var body = TestCloud.template("a")
    body["properties"]["guestAccelerators"] = [["acceleratorType": "nvidia-tesla-t4", "acceleratorCount": 1]]
    #expect(try cloud.send("POST", path, body).message.contains("onHostMaintenance"))
    body["properties"]["scheduling"] = ["onHostMaintenance": "TERMINATE"]
    #expect(try cloud.send("POST", path, body).status == 200)
  }

  @Test(arguments: ["machineType", "disks", "networkInterfaces"])
  func `what a VM cannot do without is asked for`(field: String) throws {
    var cloud = TestCloud()
    var body = TestCloud.template("a")
    body["properties"][field] = .null
    let answer = try cloud.send("POST", path, body)
    #expect(answer.status == 400)
    #expect(answer.message.contains(field))
  }

  @Test func `labels have Google's form`() throws {
    var cloud = TestCloud()
    #expect(try cloud.send("POST", path, TestCloud.template("a", labels: ["dagrun-job": "x_1"])).status == 200)
    #expect(try cloud.send("POST", path, TestCloud.template("b", labels: ["Job": "x"])).status == 400)
    #expect(try cloud.send("POST", path, TestCloud.template("c", labels: ["job": "a b"])).status == 400)
  }

  @Test func `a template in use stays`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    let answer = try cloud.send("DELETE", path + "/job")
    #expect(answer.status == 400)
    #expect(answer.reason == "resourceInUseByAnotherResource")
    _ = try cloud.send("DELETE", TestCloud.zone + "/instanceGroupManagers/job")
    cloud.pass(2)
    #expect(try cloud.send("DELETE", path + "/job").status == 200)
    cloud.pass(2)
    #expect(try cloud.send("GET", path + "/job").status == 404)
  }
}
