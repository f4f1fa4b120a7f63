import Foundation
import Testing

@testable import CloudEmulator

struct StorageTests {
  func upload(_ cloud: inout TestCloud, _ name: String, _ text: String) throws -> TestCloud.Answer {
    try cloud.send(
      "POST", "/upload/storage/v1/b/bucket/o?uploadType=media&name=\(name)", headers: ["content-type": "text/plain"],
      data: Data(text.utf8))
  }

  func read(_ cloud: inout TestCloud, _ name: String, range: String? = nil) throws -> TestCloud.Answer {
    try cloud.send(
      "GET", "/storage/v1/b/bucket/o/\(name)?alt=media", headers: range.map { ["range": $0] } ?? [:])
  }

  @Test func `an object is written and read`() throws {
    var cloud = TestCloud()
    let object = try upload(&cloud, "a%2Fb", "hello").json
    #expect(object["name"] == "a/b")
    #expect(object["size"] == "5")
    #expect(object["contentType"] == "text/plain")
    #expect(object["md5Hash"] == "XUFAKrxLKna5cZ2REBfFkg==")
    let content = try read(&cloud, "a%2Fb")
    #expect(content.body == Data("hello".utf8))
    #expect(content.headers["Content-Type"] == "text/plain")
    #expect(try cloud.send("GET", "/storage/v1/b/bucket/o/a%2Fb").json["generation"] == object["generation"])
    #expect(try read(&cloud, "none").status == 404)
    #expect(cloud.emulation.inventory.objects == [Inventory.ObjectRow(name: "bucket/a/b", bytes: 5)])
  }

  @Test(arguments: [("bytes=1-2", "el"), ("bytes=3-", "lo"), ("bytes=-2", "lo"), ("bytes=0-99", "hello")])
  func `a part of an object`(range: String, expected: String) throws {
    var cloud = TestCloud()
    _ = try upload(&cloud, "a", "hello")
    let part = try read(&cloud, "a", range: range)
    #expect(part.status == 206)
    #expect(String(decoding: part.body, as: UTF8.self) == expected)
  }

  @Test func `a part that is not there`() throws {
    var cloud = TestCloud()
    _ = try upload(&cloud, "a", "hello")
    #expect(try read(&cloud, "a", range: "bytes=5-").status == 416)
  }

  @Test func `objects are listed by prefix, in pages, and by folder`() throws {
    var cloud = TestCloud()
    for name in ["a", "b%2Fx", "b%2Fy", "c"] { _ = try upload(&cloud, name, "1") }
    func list(_ query: String) throws -> JSON { try cloud.send("GET", "/storage/v1/b/bucket/o?\(query)").json }
    #expect(try list("prefix=b/")["items"].elements.map { $0["name"] } == ["b/x", "b/y"])
    let first = try list("maxResults=3")
    #expect(first["items"].elements.count == 3)
    let token = first["nextPageToken"].text ?? ""
    #expect(try list("maxResults=3&pageToken=\(token)")["items"].elements.map { $0["name"] } == ["c"])
    let folders = try list("delimiter=/")
    #expect(folders["items"].elements.map { $0["name"] } == ["a", "c"])
    #expect(folders["prefixes"] == ["b/"])
    #expect(try list("prefix=none")["items"] == .null)
    #expect(try list("fields=items(name)&prefix=a") == ["items": [["name": "a"]]])
  }

  @Test func `an object is deleted once`() throws {
    var cloud = TestCloud()
    _ = try upload(&cloud, "a", "1")
    #expect(try cloud.send("DELETE", "/storage/v1/b/bucket/o/a").status == 204)
    #expect(try cloud.send("DELETE", "/storage/v1/b/bucket/o/a").status == 404)
  }

  @Test func `a resumable upload continues where it stopped`() throws {
    var cloud = TestCloud()
    let begun = try cloud.send(
      "POST", "/upload/storage/v1/b/bucket/o?uploadType=resumable&name=big",
      headers: ["x-upload-content-type": "text/plain"])
    let location = try #require(begun.headers["Location"])
    let target = location.replacing("http://127.0.0.1:1", with: "")
    func put(_ range: String, _ text: String) throws -> TestCloud.Answer {
      try cloud.send("PUT", target, headers: ["content-range": range], data: Data(text.utf8))
    }
    let first = try put("bytes 0-2/*", "abc")
    #expect(first.status == 308)
    #expect(first.headers["Range"] == "bytes=0-2")
    #expect(try put("bytes */6", "").headers["Range"] == "bytes=0-2")
    // A repeated part does no harm.
    #expect(try put("bytes 1-2/*", "bc").headers["Range"] == "bytes=0-2")
    #expect(try put("bytes 3-5/6", "def").json["size"] == "6")
    #expect(try read(&cloud, "big").body == Data("abcdef".utf8))
    #expect(try put("bytes 0-2/*", "abc").status == 404)
  }

  @Test func `an upload of two parts says what the object is`() throws {
    var cloud = TestCloud()
    let lines = [
      "--x", "Content-Type: application/json", "", "{\"name\": \"m\", \"metadata\": {\"k\": \"v\"}}", "--x",
      "Content-Type: text/csv", "", "1,2\r\n3,4\r\n", "--x--", "",
    ]
    let object = try cloud.send(
      "POST", "/upload/storage/v1/b/bucket/o?uploadType=multipart",
      headers: ["content-type": "multipart/related; boundary=x"], data: Data(lines.joined(separator: "\r\n").utf8)
    ).json
    #expect(object["contentType"] == "text/csv")
    #expect(object["metadata"] == ["k": "v"])
    #expect(try read(&cloud, "m").body == Data("1,2\r\n3,4\r\n".utf8))
  }

  @Test func `buckets are made by their first object, unless they must be there`() throws {
    var cloud = TestCloud()
    #expect(try upload(&cloud, "a", "1").status == 200)
    var strict = TestCloud { $0.requiresBuckets = true }
    #expect(try upload(&strict, "a", "1").status == 404)
    #expect(try strict.send("POST", "/storage/v1/b?project=p", ["name": "bucket"]).status == 200)
    #expect(try strict.send("POST", "/storage/v1/b?project=p", ["name": "bucket"]).status == 409)
    #expect(try upload(&strict, "a", "1").status == 200)
    #expect(try strict.send("DELETE", "/storage/v1/b/bucket").status == 409)
    #expect(try strict.send("GET", "/storage/v1/b/other/o").status == 404)
  }

  @Test func `in a folder objects are files of their names, and none leaves it`() throws {
    let root = NSTemporaryDirectory() + "emulator-blobs-\(UUID().uuidString)"
    defer { try? FileManager.default.removeItem(atPath: root) }
    let blobs = BlobStore(folder: root + "/buckets")
    let names = ["a/b.txt", "../escape", "/absolute", "a//b", "a/b.txt/c", "."]
    for name in names {
      #expect(blobs.write("bucket", name, Data(name.utf8)))
      #expect(blobs.read("bucket", name) == Data(name.utf8))
    }
    #expect(FileManager.default.contents(atPath: root + "/buckets/bucket/a/b.txt") == Data("a/b.txt".utf8))
    #expect(try FileManager.default.subpathsOfDirectory(atPath: root).sorted().last == "buckets/bucket/a/b.txt")
    for name in names { blobs.remove("bucket", name) }
    #expect(names.allSatisfy { blobs.read("bucket", $0).isEmpty })
  }

  @Test func `a secret's value is had by project or by name, with its sum`() throws {
    var cloud = TestCloud { $0.secrets = ["token": "s3cret", "projects/other/secrets/token": "theirs"] }
    let answer = try cloud.send("GET", "/v1/projects/proj/secrets/token/versions/latest:access").json
    #expect(answer["payload"]["data"] == "czNjcmV0")
    #expect(Digest.crc32c(Data("123456789".utf8)) == 0xe306_9283)
    #expect(answer["payload"]["dataCrc32c"].text == "\(Digest.crc32c(Data("s3cret".utf8)))")
    let theirs = try cloud.send("GET", "/v1/projects/other/secrets/token/versions/1:access").json
    #expect(theirs["payload"]["data"] == "dGhlaXJz")
    #expect(try cloud.send("GET", "/v1/projects/proj/secrets/token/versions/2:access").code == "NOT_FOUND")
    #expect(try cloud.send("GET", "/v1/projects/proj/secrets/none/versions/1:access").status == 404)
  }
}
