import Testing

@testable import CloudEmulator

struct LoggingTests {
  private let body: JSON = [
    "logName": "projects/p/logs/dagrun", "resource": ["type": "gce_instance", "labels": ["zone": "z"]],
    "labels": ["dagrun-job": "train"],
    "entries": [["textPayload": "one"], ["textPayload": "two", "labels": ["a": "b"]]],
  ]

  @Test func `entries are taken, and can be read`() throws {
    var cloud = TestCloud()
    #expect(try cloud.send("POST", "/v2/entries:write", body).status == 200)
    let entries = cloud.emulation.logging.entries
    #expect(entries.map(\.["textPayload"].text) == ["one", "two"])
    #expect(entries[1]["logName"] == "projects/p/logs/dagrun" && entries[1]["resource"]["type"] == "gce_instance")
    #expect(entries[1]["labels"] == ["dagrun-job": "train", "a": "b"])
    #expect(cloud.emulation.inventory.everMade["logEntries"] == 2)
    #expect(cloud.emulation.inventory.requests["logging.entries.write"] == 1)
    #expect(cloud.emulation.inventory.isEmpty)
  }

  @Test(arguments: ["logName", "resource"])
  func `what Google would refuse is refused`(field: String) throws {
    var cloud = TestCloud()
    var broken = body
    broken[field] = .null
    #expect(try cloud.send("POST", "/v2/entries:write", broken).status == 400)
    broken = body
    broken["entires"] = []
    #expect(try cloud.send("POST", "/v2/entries:write", broken).message.contains("entires"))
    #expect(cloud.emulation.logging.entries.isEmpty)
  }
}
