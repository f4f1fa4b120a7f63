import Foundation
import Testing

@testable import GoogleCloud

struct SecretTests {
  @Test(arguments: [
    ("db-password", "projects/mine/secrets/db-password/versions/latest"),
    ("db/versions/3", "projects/mine/secrets/db/versions/3"),
    ("projects/other/secrets/db", "projects/other/secrets/db/versions/latest"),
    ("projects/other/secrets/db/versions/stable", "projects/other/secrets/db/versions/stable"),
  ])
  func `a secret is named in short or in full`(text: String, path: String) {
    #expect(SecretName(text, project: "mine")?.path == path)
  }

  @Test(arguments: [
    "", "/", "a b", "db/versions", "db/versions/", "db/3", "projects/p", "projects/p/secrets", "projects//secrets/db",
    "projects/p/topics/db", "projects/p/secrets/db/versions/1/x", "a;rm", "projects/p/locations/l/secrets/db",
  ])
  func `what is not a name of a secret is refused`(text: String) {
    #expect(SecretName(text, project: "mine") == nil)
  }

  @Test func `a value is read, and shows itself nowhere`() async throws {
    let transport = RecordingTransport(
      #"{"name":"projects/123/secrets/db/versions/4","payload":{"data":"aHVudGVyMg==","dataCrc32c":"4242"}}"#)
    let value = try await SecretManagerClient(transport: transport).access(
      try #require(SecretName("db", project: "p")))
    #expect(transport.requests[0].path == "projects/p/secrets/db/versions/latest:access")
    #expect(value.bytes == Data("hunter2".utf8))
    var dumped = ""
    dump(value, to: &dumped)
    for text in ["\(value)", String(reflecting: value), String(describing: [value]), dumped] {
      #expect(!text.contains("hunter2") && !text.contains("aHVudGVyMg") && !text.contains("7 bytes"))
    }
  }

  @Test func `an answer that cannot be read does not show its value`() async throws {
    let transport = RecordingTransport(#"{"payload":{"data":"hunter2 is not base64"}}"#)
    do {
      _ = try await SecretManagerClient(transport: transport).access(try #require(SecretName("db", project: "p")))
      Issue.record("it was read")
    } catch let error as CloudError {
      #expect(error.reason == .badAnswer && !"\(error) \(error.message)".contains("hunter2"))
    }
  }
}
