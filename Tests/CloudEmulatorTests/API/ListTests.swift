import Foundation
import Testing

@testable import CloudEmulator

struct ListTests {
  let templates = TestCloud.project + "/global/instanceTemplates"

  func names(_ answer: JSON) -> [String] { answer["items"].elements.compactMap(\.["name"].text) }

  @Test func `an empty list has no items`() throws {
    var cloud = TestCloud()
    for path in [
      "/global/instanceTemplates", "/zones/europe-west1-b/instances", "/zones/europe-west1-b/instanceGroups",
    ] {
      let answer = try cloud.send("GET", TestCloud.project + path).json
      #expect(answer["items"] == .null)
      #expect(answer["kind"].text?.hasSuffix("List") == true)
    }
  }

  @Test func `a list comes in pages`() throws {
    var cloud = TestCloud()
    for name in ["e", "d", "c", "b", "a"] { _ = try cloud.send("POST", templates, TestCloud.template(name)) }
    cloud.pass(2)
    var seen: [[String]] = []
    var token: String? = ""
    while let page = token {
      let answer = try cloud.send("GET", templates + "?maxResults=2&pageToken=\(page)").json
      seen.append(names(answer))
      token = answer["nextPageToken"].text
    }
    #expect(seen == [["a", "b"], ["c", "d"], ["e"]])
    #expect(try cloud.send("GET", templates + "?maxResults=501").status == 400)
    #expect(try cloud.send("GET", templates + "?pageToken=!").status == 400)
  }

  @Test func `a page has five hundred at most`() throws {
    var cloud = TestCloud()
    for number in 0..<501 { _ = try cloud.send("POST", templates, TestCloud.template("t\(number)")) }
    cloud.pass(2)
    let answer = try cloud.send("GET", templates).json
    #expect(names(answer).count == 500)
    #expect(answer["nextPageToken"].text != nil)
  }

  @Test(arguments: [
    ("name=a", ["a"]), ("name = \"a\"", ["a"]), ("(name = \"a\") OR (name = \"b\")", ["a", "b"]),
    ("name eq a|b", ["a", "b"]), ("name eq .*", ["a", "b", "c"]), ("name ne a", ["b", "c"]), ("name!=a", ["b", "c"]),
    ("properties.labels.owner=x", ["a", "b"]), ("properties.labels.owner:*", ["a", "b"]),
    ("properties.labels.owner=x AND name=b", ["b"]), ("properties.labels.owner=x name=b", ["b"]),
    ("properties.labels.owner=x AND (name=c OR name=a)", ["a"]), ("NOT name=a", ["b", "c"]), ("-name=a", ["b", "c"]),
    ("name>a", ["b", "c"]), ("properties.machineType:standard", ["a", "b"]),
    ("properties.machineType=e2-*", []), ("properties.machineType:e2-*", ["c"]), ("nothing=x", []),
  ])
  func `a filter chooses`(filter: String, expected: [String]) throws {
    var cloud = TestCloud()
    _ = try cloud.send("POST", templates, TestCloud.template("a", labels: ["owner": "x"]))
    _ = try cloud.send("POST", templates, TestCloud.template("b", labels: ["owner": "x"]))
    _ = try cloud.send("POST", templates, TestCloud.template("c", machineType: "e2-small"))
    cloud.pass(2)
    let query = filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let answer = try cloud.send("GET", templates + "?filter=\(query)")
    #expect(answer.status == 200)
    #expect(names(answer.json) == expected)
  }

  @Test(arguments: ["name", "name=", "(name=a", "name=a)", "=a", "name=a OR", "name = \"a"])
  func `a filter that cannot be read is refused`(filter: String) throws {
    var cloud = TestCloud()
    let query = filter.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
    let answer = try cloud.send("GET", templates + "?filter=\(query)")
    #expect(answer.status == 400)
    #expect(answer.message.contains("filter"))
  }

  @Test func `an aggregated list has all zones, with a warning where there is nothing`() throws {
    var cloud = TestCloud()
    try cloud.makeGroup()
    let items = try cloud.send("GET", TestCloud.project + "/aggregated/instances").json["items"]
    #expect(items["zones/europe-west1-b"]["instances"].elements.count == 1)
    #expect(items["zones/us-east1-b"]["warning"]["code"] == "NO_RESULTS_ON_PAGE")
    let groups = try cloud.send("GET", TestCloud.project + "/aggregated/instanceGroupManagers").json["items"]
    #expect(groups["zones/europe-west1-b"]["instanceGroupManagers"].elements.count == 1)
  }

  @Test func `an answer is cut to the fields that were asked for`() throws {
    var cloud = TestCloud()
    for name in ["a", "b"] { _ = try cloud.send("POST", templates, TestCloud.template(name)) }
    cloud.pass(2)
    #expect(
      try cloud.send("GET", templates + "?fields=items(name,properties/machineType)&maxResults=1").json
        == ["items": [["name": "a", "properties": ["machineType": "n1-standard-4"]]]])
    #expect(try cloud.send("GET", templates + "/a?fields=name").json == ["name": "a"])
    #expect(try cloud.send("GET", templates + "?fields=items(").status == 400)
  }

  @Test func `families of images, zones, regions and machine types are there`() throws {
    var cloud = TestCloud()
    let images = "/compute/v1/projects/cos-cloud/global/images"
    #expect(try cloud.send("GET", images + "/family/cos-stable").json["family"] == "cos-stable")
    #expect(try cloud.send("GET", images + "/family/cos-never").status == 404)
    #expect(try cloud.send("GET", images).json["items"].elements.count >= 4)
    #expect(try cloud.send("GET", TestCloud.zone).json["name"] == "europe-west1-b")
    #expect(try cloud.send("GET", TestCloud.zone + "/machineTypes/n1-standard-32").json["guestCpus"] == 32)
    #expect(try cloud.send("GET", TestCloud.zone + "/machineTypes/custom-6-23040").json["memoryMb"] == 23040)
    #expect(try cloud.send("GET", TestCloud.zone + "/machineTypes/x9-standard-1").status == 404)
  }

  @Test func `gcloud's batches are answered part by part, also held ones`() throws {
    var cloud = TestCloud()
    let operation = try cloud.send("POST", templates, TestCloud.template("a")).json["name"].text ?? ""
    let lines = [
      "--b", "Content-Type: application/http", "Content-ID: <x+1>", "", "GET \(templates)/none? HTTP/1.1", "", "",
      "--b", "Content-Type: application/http", "Content-ID: <x+2>", "",
      "POST \(TestCloud.project)/global/operations/\(operation)/wait HTTP/1.1", "Content-Length: 0", "", "", "--b--",
      "",
    ]
    let id = cloud.begin(
      "POST", "/batch/compute/v1", headers: ["content-type": "multipart/mixed; boundary=\"b\""],
      data: Data(lines.joined(separator: "\r\n").utf8))
    #expect(cloud.answer(to: id) == nil)
    cloud.pass(2)
    let answer = try #require(cloud.answer(to: id))
    let parts = try #require(
      Multipart.parts(of: answer.body, contentType: answer.headers["Content-Type"] ?? ""))
    #expect(parts.map { $0.headers["content-id"] } == ["<response-x+1>", "<response-x+2>"])
    #expect(parts.map { String(decoding: $0.body.prefix(12), as: UTF8.self) } == ["HTTP/1.1 404", "HTTP/1.1 200"])
    #expect(String(decoding: parts[1].body, as: UTF8.self).contains("\"DONE\""))
  }
}
