import Foundation
import Testing

@testable import CloudEmulator

struct GroupTests {
  let group = TestCloud.zone + "/instanceGroupManagers/job"

  @Test func `the insert is done before the VM is there`() throws {
    var cloud = TestCloud()
    _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", TestCloud.template("job"))
    cloud.pass(2)
    let operation = try cloud.send(
      "POST", TestCloud.zone + "/instanceGroupManagers", TestCloud.group("job", template: "job"))
    cloud.pass(2)
    let path = TestCloud.zone + "/operations/\(operation.json["name"].text ?? "")"
    #expect(try cloud.send("GET", path).json["status"] == "DONE")
    var seen: [String] = []
    for _ in 0..<3 {
      let member = try cloud.members()[0]
      seen.append("\(member["currentAction"].text ?? "") \(member["instanceStatus"].text ?? "-")")
      cloud.pass(1)
    }
    #expect(seen == ["CREATING PROVISIONING", "CREATING STAGING", "NONE RUNNING"])
    #expect(cloud.bootedIDs.count == 1)
  }

  @Test func `a VM is described to its host as the template says`() throws {
    var cloud = TestCloud()
    var template = TestCloud.template("job", metadata: ["user-data": "#cloud-config"], scheduling: TestCloud.spot)
    template["properties"]["serviceAccounts"] = [["email": "a@b", "scopes": ["https://scope"]]]
    _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", template)
    cloud.pass(2)
    _ = try cloud.send("POST", TestCloud.zone + "/instanceGroupManagers", TestCloud.group("job", template: "job"))
    cloud.pass(4)
    guard case .boot(let machine)? = cloud.commands.first else { throw TestCloud.NoAnswer() }
    #expect(machine.zone == "europe-west1-b")
    #expect(machine.machineType == "n1-standard-4")
    #expect(machine.isSpot)
    #expect(machine.serviceAccount == "a@b")
    #expect(machine.scopes == ["https://scope"])
    #expect(machine.metadata["user-data"] == "#cloud-config")
    #expect(machine.metadata["created-by"]?.hasSuffix("/zones/europe-west1-b/instanceGroupManagers/job") == true)
    #expect(machine.name.hasPrefix("job-"))
  }

  @Test(arguments: [
    (CreationFault.stockOut, "ZONE_RESOURCE_POOL_EXHAUSTED"), (.quota(metric: "CPUS"), "QUOTA_EXCEEDED"),
    (.permission, "PERMISSIONS_ERROR"), (.other(code: "GPU_STOCKOUT", message: "none"), "GPU_STOCKOUT"),
  ])
  func `a VM that cannot be made is tried again and again, and says why`(fault: CreationFault, code: String) throws {
    var cloud = TestCloud {
      $0.faults = [FaultRule(.creation(MachinePattern(zone: "europe-west1-b"), fault), times: 3)]
    }
    try cloud.makeGroup()
    let member = try cloud.members()[0]
    #expect(member["currentAction"] == "CREATING")
    #expect(member["instanceStatus"] == .null)
    #expect(member["lastAttempt"]["errors"]["errors"].elements.map(\.["code"].text) == [code])
    cloud.pass(5)
    let errors = try cloud.send("GET", group + "/listErrors").json["items"].elements
    #expect(errors.count == 2)
    #expect(errors.allSatisfy { $0["error"]["code"].text == code })
    #expect(errors.first?["instanceActionDetails"]["action"] == "CREATING")
    cloud.pass(10)
    let last = try cloud.members()[0]
    #expect(last["instanceStatus"] == "RUNNING")
    #expect(last["lastAttempt"] == .null)
  }

  @Test func `an image that does not exist shows with the VM only`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup(image: "projects/cos-cloud/global/images/family/cos-lost")
    let error = try cloud.members()[0]["lastAttempt"]["errors"]["errors"].elements.first
    #expect(error?["code"] == "RESOURCE_NOT_FOUND")
    #expect(error?["message"].text?.contains("cos-lost") == true)
    #expect(cloud.bootedIDs.isEmpty)
  }

  @Test func `a group that repairs makes a lost VM again: the same name, another instance`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    let before = try cloud.members()[0]
    cloud.powerOff(cloud.bootedIDs[0])
    #expect(try cloud.members()[0]["currentAction"] == "RECREATING")
    cloud.pass(10)
    let after = try cloud.members()[0]
    #expect(after["name"] == before["name"])
    #expect(after["id"] != before["id"])
    #expect(after["instanceStatus"] == "RUNNING")
    #expect(cloud.bootedIDs.count == 2)
  }

  @Test func `a group that does not repair leaves a lost VM as it is`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup(repairs: false)
    cloud.powerOff(cloud.bootedIDs[0])
    cloud.pass(100)
    let member = try cloud.members()[0]
    #expect(member["instanceStatus"] == "TERMINATED")
    #expect(member["currentAction"] == "NONE")
    #expect(cloud.bootedIDs.count == 1)
  }

  @Test func `a preempted VM is given notice, then is off`() throws {
    var cloud = TestCloud()
    cloud.machinesLinger = true
    try cloud.makeGroup(scheduling: TestCloud.spot, repairs: false)
    let id = cloud.bootedIDs[0]
    let name = try cloud.members()[0]["name"].text ?? ""
    let isPreempted = cloud.emulation.compute.preempt(instance: name, graceSeconds: 12, at: cloud.now)
    #expect(isPreempted)
    cloud.pass(1)
    #expect(cloud.commands.last == .preempt(id, graceSeconds: 12))
    #expect(try cloud.members()[0]["instanceStatus"] == "STOPPING")
    cloud.powerOff(id)
    #expect(try cloud.members()[0]["instanceStatus"] == "TERMINATED")
    let operations = try cloud.send("GET", TestCloud.zone + "/operations").json["items"].elements
    #expect(operations.contains { $0["operationType"] == "compute.instances.preempted" })
  }

  @Test func `a preempted VM whose termination action is DELETE is gone, and its place says so`() throws {
    var cloud = TestCloud()
    var scheduling = TestCloud.spot
    scheduling["instanceTerminationAction"] = "DELETE"
    try cloud.makeGroup(scheduling: scheduling, repairs: false)
    let name = try cloud.members()[0]["name"].text ?? ""
    let isPreempted = cloud.emulation.compute.preempt(instance: name, graceSeconds: 0, at: cloud.now)
    #expect(isPreempted)
    cloud.pass(1)
    #expect(try cloud.send("GET", TestCloud.zone + "/instances/\(name)").status == 404)
    #expect(try cloud.members()[0]["instanceStatus"] == .null)
  }

  @Test func `a fault preempts Spot VMs so long after their start`() throws {
    var cloud = TestCloud { $0.faults = [FaultRule(.preemption(MachinePattern(), afterSeconds: 30), times: 1)] }
    try cloud.makeGroup(scheduling: TestCloud.spot)
    cloud.pass(29)
    #expect(cloud.commands.count == 1)
    cloud.pass(1)
    #expect(cloud.commands.contains(.preempt(cloud.bootedIDs[0], graceSeconds: 30)))
    cloud.pass(100)
    #expect(cloud.bootedIDs.count == 2)
  }

  @Test func `a VM ends at its maximum run duration`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup(
      scheduling: ["maxRunDuration": ["seconds": "60"], "instanceTerminationAction": "DELETE"], repairs: false)
    cloud.pass(59)
    #expect(cloud.emulation.inventory.instances.count == 1)
    cloud.pass(1)
    #expect(cloud.emulation.inventory.instances.isEmpty)
  }

  @Test func `boot faults: off at once, mute, late`() throws {
    func cloud(_ fault: BootFault) throws -> TestCloud {
      var cloud = TestCloud { $0.faults = [FaultRule(.boot(MachinePattern(), fault))] }
      try cloud.makeGroup(repairs: false)
      return cloud
    }
    var failing = try cloud(.fails)
    #expect(failing.bootedIDs.isEmpty)
    #expect(try failing.members()[0]["instanceStatus"] == "TERMINATED")
    var mute = try cloud(.hangs)
    mute.pass(1000)
    #expect(mute.bootedIDs.isEmpty)
    #expect(try mute.members()[0]["instanceStatus"] == "RUNNING")
    let cut = try cloud(.cutOff)
    #expect(cut.commands.contains { if case .boot(let machine) = $0 { machine.isCutOff } else { false } })
    var late = try cloud(.slow(seconds: 20))
    late.pass(19)
    #expect(late.bootedIDs.isEmpty)
    late.pass(1)
    #expect(late.bootedIDs.count == 1)
  }

  @Test func `deleting a group ends its VMs first, and is done when they are`() throws {
    var cloud = TestCloud()
    cloud.machinesLinger = true
    try cloud.makeGroup()
    let operation = try cloud.send("DELETE", group).json
    let waiting = cloud.begin("POST", TestCloud.zone + "/operations/\(operation["name"].text ?? "")/wait")
    cloud.pass(10)
    #expect(cloud.commands.contains(.shutDown(cloud.bootedIDs[0], graceSeconds: 30)))
    #expect(try cloud.members()[0]["currentAction"] == "DELETING")
    #expect(cloud.answer(to: waiting) == nil)
    cloud.powerOff(cloud.bootedIDs[0])
    #expect(cloud.answer(to: waiting)?.json["status"] == "DONE")
    #expect(try cloud.send("GET", group).status == 404)
    #expect(cloud.emulation.inventory.instances.isEmpty)
    #expect(cloud.commands.last == .forget(cloud.bootedIDs[0]))
  }

  @Test func `a group whose VM cannot be made is deleted all the same`() throws {
    var cloud = TestCloud { $0.faults = [FaultRule(.creation(MachinePattern(), .stockOut))] }
    try cloud.makeGroup()
    _ = try cloud.send("DELETE", group)
    cloud.pass(2)
    #expect(try cloud.send("GET", group).status == 404)
    cloud.pass(100)
    #expect(cloud.emulation.inventory.instances.isEmpty)
  }

  @Test func `an instance that somebody deletes is made again, one that is deleted with its place is not`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    let name = try cloud.members()[0]["name"].text ?? ""
    _ = try cloud.send("DELETE", TestCloud.zone + "/instances/\(name)")
    cloud.pass(10)
    #expect(cloud.bootedIDs.count == 2)
    _ = try cloud.send(
      "POST", group + "/deleteInstances", ["instances": [.string("zones/europe-west1-b/instances/\(name)")]])
    cloud.pass(10)
    #expect(try cloud.members().isEmpty)
    #expect(try cloud.send("GET", group).json["targetSize"] == 0)
  }

  @Test func `a group is resized both ways`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    _ = try cloud.send("POST", group + "/resize?size=3")
    cloud.pass(5)
    #expect(try cloud.members().count == 3)
    #expect(try cloud.send("GET", group).json["status"]["isStable"] == true)
    _ = try cloud.send("POST", group + "/resize?size=0")
    cloud.pass(5)
    #expect(try cloud.members().isEmpty)
  }

  @Test func `a group without its template, size or proper name is refused`() throws {
    var cloud = TestCloud()
    let groups = TestCloud.zone + "/instanceGroupManagers"
    #expect(try cloud.send("POST", groups, TestCloud.group("job", template: "none")).status == 404)
    _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", TestCloud.template("job"))
    cloud.pass(2)
    var body = TestCloud.group("job", template: "job")
    body["targetSize"] = .null
    #expect(try cloud.send("POST", groups, body).reason == "required")
    body = TestCloud.group("job", template: "job")
    body["baseInstanceName"] = .string(String(repeating: "a", count: 59))
    #expect(try cloud.send("POST", groups, body).reason == "invalid")
    #expect(cloud.emulation.inventory.instanceGroupManagers.isEmpty)
  }

  @Test func `a regional group of any shape goes where there is room; an even one insists`() throws {
    let region = TestCloud.project + "/regions/europe-west1/instanceGroupManagers"
    func cloud(_ shape: String) throws -> TestCloud {
      var cloud = TestCloud {
        $0.faults = [FaultRule(.creation(MachinePattern(zone: "europe-west1-b"), .stockOut))]
      }
      _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", TestCloud.template("job"))
      cloud.pass(2)
      var body = TestCloud.group("job", template: "job")
      body["distributionPolicy"] = ["targetShape": .string(shape)]
      body["updatePolicy"] = ["instanceRedistributionType": "NONE"]
      let answer = try cloud.send("POST", region, body)
      #expect(answer.status == 200, "\(answer.message)")
      cloud.pass(4)
      return cloud
    }
    var any = try cloud("ANY")
    let member = try #require(try any.members(region + "/job").first)
    #expect(member["instanceStatus"] == "RUNNING")
    #expect(member["instance"].text?.contains("/zones/europe-west1-c/") == true)
    var even = try cloud("EVEN")
    #expect(try even.members(region + "/job")[0]["lastAttempt"] != .null)
  }

  @Test func `a group may choose among machine types`() throws {
    var cloud = TestCloud {
      $0.faults = [FaultRule(.creation(MachinePattern(machineType: "n1-*"), .stockOut))]
    }
    let region = TestCloud.project + "/regions/europe-west1/instanceGroupManagers"
    _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", TestCloud.template("job"))
    cloud.pass(2)
    var body = TestCloud.group("job", template: "job")
    body["instanceFlexibilityPolicy"] = [
      "instanceSelections": [
        "second": ["machineTypes": ["e2-standard-4"], "rank": 2],
        "first": ["machineTypes": ["n1-standard-4"], "rank": 1],
      ]
    ]
    _ = try cloud.send("POST", region, body)
    cloud.pass(4)
    #expect(cloud.emulation.inventory.instances.map(\.machineType) == ["e2-standard-4"])
  }

  @Test func `Google refuses to spread what may be anywhere`() throws {
    var cloud = TestCloud()
    _ = try cloud.send("POST", TestCloud.project + "/global/instanceTemplates", TestCloud.template("job"))
    cloud.pass(2)
    var body = TestCloud.group("job", template: "job")
    body["distributionPolicy"] = ["targetShape": "ANY"]
    let answer = try cloud.send("POST", TestCloud.project + "/regions/europe-west1/instanceGroupManagers", body)
    #expect(answer.status == 400)
    #expect(answer.message.contains("instanceRedistributionType"))
  }

  @Test func `an instance that is stopped is off; the serial console can be read from any place`() throws {
    var cloud = TestCloud()
    cloud.emulation.compute.serialOutput = { _ in "0123456789" }
    try cloud.makeGroup(repairs: false)
    let path = TestCloud.zone + "/instances/\(try cloud.members()[0]["name"].text ?? "")"
    let console = try cloud.send("GET", path + "/serialPort?start=4").json
    #expect(console["contents"] == "456789")
    #expect(console["next"] == "10")
    _ = try cloud.send("POST", path + "/stop")
    cloud.pass(3)
    #expect(try cloud.send("GET", path).json["status"] == "TERMINATED")
  }
}
