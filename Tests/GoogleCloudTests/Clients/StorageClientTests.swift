import Foundation
import Synchronization
import Testing

@testable import GoogleCloud

struct StorageClientTests {
  private let location = StorageLocation(bucket: "b", path: "logs/a b/ü?.log")
  private static let pieceBytes = 256 << 10

  @Test func `an object's name is one part of the path, whatever is in it`() async throws {
    let transport = RecordingTransport(#"{"name":"x","size":"18446744073"}"#)
    let object = try await StorageClient(transport: transport).object(location)
    #expect(transport.requests[0].path == "b/b/o/logs%2Fa%20b%2F%C3%BC%3F.log")
    #expect(object.size == 18_446_744_073)
  }

  @Test func `a small object is written in one request`() async throws {
    let transport = RecordingTransport(#"{"name":"x"}"#)
    try await StorageClient(transport: transport).write(Data("hi".utf8), to: location, contentType: "text/plain")
    let request = try #require(transport.requests.first)
    #expect(request.service == .storageUpload && request.method == .post && request.path == "b/b/o")
    #expect(request.value("uploadType") == "media" && request.value("name") == location.path)
    #expect(request.contentType == "text/plain" && request.bodyText == "hi")
  }

  /// A server that keeps resumable uploads, and only half of the second piece.
  private final class Uploads: Sendable {
    let kept = Mutex(Data())

    func answer(_ request: CloudRequest) -> CloudResponse {
      guard request.method == .put else {
        return .json(
          "", headers: ["location": "https://h/upload/storage/v1/b/b/o?uploadType=resumable&upload_id=S%2F1"])
      }
      let range = request.headers["Content-Range"]!.dropFirst("bytes ".count).split(separator: "/")
      let start = Int(range[0].split(separator: "-")[0]) ?? 0
      return kept.withLock { kept in
        guard start == kept.count || range[0] == "*" else { return .json("out of order", status: 400) }
        kept += kept.count == pieceBytes ? request.body!.prefix(100_000) : request.body!
        return kept.count == Int(range[1])!
          ? .json(#"{"name":"x","size":"\#(kept.count)"}"#)
          : .json("", status: 308, headers: ["range": "bytes=0-\(kept.count - 1)"])
      }
    }
  }

  @Test(arguments: [pieceBytes + 1, 2 * pieceBytes, 3 * pieceBytes + 17])
  func `a large object travels in pieces, and continues where Google says it is`(size: Int) async throws {
    let uploads = Uploads()
    let transport = RecordingTransport { request, _ in uploads.answer(request) }
    let data = Data((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) })
    let object = try await StorageClient(transport: transport, pieceBytes: Self.pieceBytes).write(data, to: location)
    #expect(uploads.kept.withLock { $0 } == data)
    #expect(object.size == Int64String(Int64(size)))
    let pieces = transport.requests.dropFirst()
    #expect(pieces.allSatisfy { $0.value("upload_id") == "S/1" && $0.acceptedStatuses == [308] })
  }

  @Test func `an empty stream is an empty object`() async throws {
    let uploads = Uploads()
    let transport = RecordingTransport { request, _ in uploads.answer(request) }
    let object = try await StorageClient(transport: transport).write(
      size: 0, to: location, contentType: "text/plain"
    ) { _, _ in Data() }
    #expect(object.size == 0 && transport.requests.last?.headers["Content-Range"] == "bytes */0")
  }

  @Test func `an upload of which nothing is kept ends with an error`() async {
    let transport = RecordingTransport { request, _ in
      request.method == .post ? .json("", headers: ["location": "https://h/o?upload_id=S"]) : .json("", status: 308)
    }
    await #expect {
      try await StorageClient(transport: transport, pieceBytes: Self.pieceBytes)
        .write(Data(count: 300_000), to: location)
    } throws: {
      ($0 as? CloudError)?.reason == .badAnswer
    }
  }

  @Test func `an object is read in pieces of one generation, also from its middle`() async throws {
    let data = Data((0..<(Self.pieceBytes + 1000)).map { UInt8(truncatingIfNeeded: $0 &* 7) })
    let transport = RecordingTransport { request, _ in
      guard let range = request.headers["Range"] else {
        return .json(#"{"name":"x","size":"\#(data.count)","generation":"42"}"#)
      }
      let ends = range.dropFirst("bytes=".count).split(separator: "-").map { Int($0)! }
      return CloudResponse(status: 206, body: data[ends[0]...ends[1]])
    }
    let client = StorageClient(transport: transport, pieceBytes: Self.pieceBytes)
    #expect(try await client.read(location) == data)
    #expect(transport.requests.dropFirst().map { $0.value("generation") } == ["42", "42"])
    var end = Data()
    try await client.read(location, from: Int64(data.count - 10)) { end += $0 }
    #expect(end == data.suffix(10))
  }

  @Test func `a server without ranges is understood, a short answer is not`() async throws {
    let whole = RecordingTransport { request, _ in
      request.value("alt") == nil ? .json(#"{"name":"x","size":"5"}"#) : .json("hello")
    }
    var read = Data()
    try await StorageClient(transport: whole).read(location, from: 2) { read += $0 }
    #expect(String(decoding: read, as: UTF8.self) == "llo")

    let short = RecordingTransport { request, _ in
      request.value("alt") == nil ? .json(#"{"name":"x","size":"5"}"#) : .json("hel", status: 206)
    }
    await #expect {
      try await StorageClient(transport: short).read(location)
    } throws: {
      ($0 as? CloudError)?.reason == .badAnswer
    }
  }

  @Test(arguments: [
    ("gs://b/a/c", "b", "a/c"), ("b/a/c/", "b", "a/c/"), ("b", "b", ""), ("gs://b//a", "b", "a"),
  ])
  func `a place in a bucket is read`(text: String, bucket: String, path: String) throws {
    let place = try #require(StorageLocation(text))
    #expect(place == StorageLocation(bucket: bucket, path: path))
  }

  @Test func `a place without a bucket is none`() {
    #expect(StorageLocation("") == nil && StorageLocation("gs://") == nil && StorageLocation("/a") == nil)
  }
}
