import Foundation
import Testing

@testable import CloudEmulator

/// What the accounts of VMs may do, where that was said.
@Suite struct MachineRolesTests {
  private static let topic = "/v1/projects/proj/topics/job"
  private static let message: JSON = ["messages": [["data": "aGk="]]]
  private static let group = "/compute/v1/projects/proj/zones/europe-west1-b/instanceGroupManagers/g"

  private func cloud(_ roles: String?) throws -> (TestCloud, machine: [String: String]) {
    let roles = try roles.map { try MachineRoles($0) }
    var cloud = TestCloud { $0.machineRoles = roles }
    _ = try cloud.send("PUT", Self.topic, [:])
    let token = cloud.emulation.tokens.issue(at: cloud.now, toMachineOf: "vm@proj")
    return (cloud, ["authorization": "Bearer \(token.value)"])
  }

  @Test func `a VM's account without a role may do nothing, in Google's words; people may do everything`() throws {
    var (cloud, machine) = try cloud("none")
    let refused = try cloud.send("POST", Self.topic + ":publish", Self.message, headers: machine)
    #expect(refused.status == 403)
    #expect(refused.message == "User not authorized to perform this action.")
    #expect(refused.code == "PERMISSION_DENIED")
    let removal = try cloud.send("DELETE", Self.group, headers: machine)
    #expect(removal.status == 403)
    #expect(removal.message.contains("'compute.instanceGroupManagers.delete' permission"))
    #expect(try cloud.send("GET", "/storage/v1/b/bucket/o", headers: machine).status == 403)
    #expect(try cloud.send("POST", Self.topic + ":publish", Self.message).status == 200)
    let person = ["authorization": "Bearer \(cloud.emulation.tokens.issue(at: cloud.now).value)"]
    #expect(try cloud.send("POST", Self.topic + ":publish", Self.message, headers: person).status == 200)
  }

  @Test func `a VM's account may do what its roles have`() throws {
    var (cloud, machine) = try cloud("pubsub.publisher,roles/compute.instanceAdmin.v1")
    #expect(try cloud.send("POST", Self.topic + ":publish", Self.message, headers: machine).status == 200)
    #expect(try cloud.send("DELETE", Self.group, headers: machine).status == 404)
    #expect(try cloud.send("DELETE", Self.topic, headers: machine).status == 403)
  }

  @Test func `without a word of roles a VM may do everything`() throws {
    var (cloud, machine) = try cloud(nil)
    #expect(try cloud.send("DELETE", Self.topic, headers: machine).status == 200)
  }

  @Test(arguments: ["", "publisher", "roles/", "none,editor", " editor"])
  func `a role that the emulator does not know is named`(text: String) {
    #expect(throws: MachineRoles.Problem.self) { try MachineRoles(text) }
  }

  @Test func `the end of a console is asked for by a number below zero`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    cloud.emulation.compute.serialOutput = { _ in "first\nlast\n" }
    let instance = try #require(cloud.emulation.inventory.instances.first?.name)
    for (start, text) in [
      ("-5", "last\n"), ("0", "first\nlast\n"), ("6", "last\n"), ("-999", "first\nlast\n"), ("99", ""),
    ] {
      let answer = try cloud.send("GET", "/compute/v1/\(instance)/serialPort?port=1&start=\(start)")
      #expect(answer.json["contents"].text == text, "\(start)")
    }
  }
}
