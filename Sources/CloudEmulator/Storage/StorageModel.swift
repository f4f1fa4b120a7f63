internal import Foundation

/// Cloud Storage's buckets and objects, without sockets. What objects hold is in `blobs`.
struct StorageModel {
  /// Ends in `/`.
  let address: String
  let requiresBuckets: Bool
  private let blobs: BlobStore
  private(set) var buckets: Set<String> = []
  /// By bucket and name.
  private(set) var objects: [String: [String: JSON]] = [:]
  private var uploads: [String: Upload] = [:]
  private var lastGeneration: Int64 = 1_700_000_000_000_000

  /// A resumable upload.
  private struct Upload {
    var bucket: String
    var metadata: JSON
    var received = Data()
  }

  init(address: String, requiresBuckets: Bool = false, blobs: BlobStore) {
    self.address = address
    self.requiresBuckets = requiresBuckets
    self.blobs = blobs
  }

  mutating func handle(_ call: Call<StorageMethod>, at now: Date) throws(APIFailure) -> APIResponse {
    let bucket = call["bucket"]
    let name = call["object"]
    guard call.names["bucket"] == nil || StorageNames.isBucket(bucket) else { throw .invalidBucket(bucket) }
    switch call.method {
    case .bucketsInsert:
      guard let name = call.body["name"].text else { throw .storage(400, "required", "A bucket needs a name.") }
      guard StorageNames.isBucket(name) else { throw .invalidBucket(name) }
      guard buckets.insert(name).inserted else {
        throw .storage(
          409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.")
      }
      return .json(json(ofBucket: name))
    case .bucketsGet:
      try check(bucket)
      return .json(json(ofBucket: bucket))
    case .bucketsList:
      let rows = buckets.sorted().map { json(ofBucket: $0) }
      return .json(["kind": "storage#buckets", "items": rows.isEmpty ? .null : .array(rows)])
    case .bucketsDelete:
      try check(bucket)
      guard objects[bucket, default: [:]].isEmpty else {
        throw .storage(409, "conflict", "The bucket you tried to delete is not empty.")
      }
      buckets.remove(bucket)
      return APIResponse(status: 204)
    case .objectsGet:
      let object = try existing(bucket, name)
      guard call.query("alt") == "media" else { return .json(object) }
      return media(bucket, name, object, range: call.request.headers["range"])
    case .objectsList: return .json(try list(call))
    case .objectsDelete:
      _ = try existing(bucket, name)
      objects[bucket]?[name] = nil
      blobs.remove(bucket, name)
      return APIResponse(status: 204)
    case .objectsUpload: return try upload(call, at: now)
    case .objectsUploadChunk: return try uploadChunk(call, at: now)
    }
  }

  private mutating func check(_ bucket: String) throws(APIFailure) {
    guard buckets.contains(bucket) else {
      throw .storage(404, "notFound", "The specified bucket does not exist.")
    }
  }

  private func existing(_ bucket: String, _ name: String) throws(APIFailure) -> JSON {
    guard let object = objects[bucket]?[name] else {
      throw .storage(404, "notFound", "No such object: \(bucket)/\(name)")
    }
    return object
  }

  private func json(ofBucket name: String) -> JSON {
    [
      "kind": "storage#bucket", "id": .string(name), "name": .string(name), "location": "EU",
      "storageClass": "STANDARD",
      "selfLink": .string("\(address)storage/v1/b/\(name)"), "etag": "CAE=", "metageneration": "1",
    ]
  }

  /// A part of it, where the header asks for one: `bytes=0-99`, `bytes=-100`.
  private func media(_ bucket: String, _ name: String, _ object: JSON, range: String?) -> APIResponse {
    let data = blobs.read(bucket, name)
    var headers = ["Content-Type": object["contentType"].text ?? "application/octet-stream"]
    headers["X-Goog-Generation"] = object["generation"].text
    headers["ETag"] = object["etag"].text
    guard let range, range.hasPrefix("bytes="), !data.isEmpty else {
      return APIResponse(status: 200, headers: headers, body: data)
    }
    let bounds = range.dropFirst(6).split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
    let end = bounds.count == 2 ? wholeNumber(bounds[1]) : nil
    let first: Int
    var last = data.count - 1
    if let start = wholeNumber(bounds[0]) {
      first = start
      last = min(last, end ?? last)
    } else {
      first = data.count - min(data.count, end ?? 0)
    }
    guard first <= last else { return APIResponse(status: 416, headers: ["Content-Range": "bytes */\(data.count)"]) }
    headers["Content-Range"] = "bytes \(first)-\(last)/\(data.count)"
    return APIResponse(
      status: 206, headers: headers, body: data.subdata(in: data.startIndex + first..<data.startIndex + last + 1))
  }

  private mutating func list(_ call: Call<StorageMethod>) throws(APIFailure) -> JSON {
    let bucket = call["bucket"]
    try check(bucket)
    let prefix = call.query("prefix") ?? ""
    let delimiter = call.query("delimiter")
    let limit = min(max(call.query("maxResults").flatMap(Int.init) ?? 1000, 1), 1000)
    // The token is the last name of the page before.
    let after = call.query("pageToken").flatMap { Data(base64Encoded: $0) }.map { String(decoding: $0, as: UTF8.self) }
    var items: [JSON] = []
    var prefixes: Set<String> = []
    var answer: JSON = ["kind": "storage#objects"]
    var last = ""
    for (name, object) in objects[bucket, default: [:]].sorted(by: { $0.key < $1.key }) {
      guard name.hasPrefix(prefix), after.map({ name > $0 }) ?? true else { continue }
      if items.count + prefixes.count == limit {
        answer["nextPageToken"] = .string(Data(last.utf8).base64EncodedString())
        break
      }
      last = name
      if let delimiter,
        let range = name.range(
          of: delimiter, range: name.index(name.startIndex, offsetBy: prefix.count)..<name.endIndex)
      {
        prefixes.insert(String(name[..<range.upperBound]))
      } else {
        items.append(object)
      }
    }
    if !items.isEmpty { answer["items"] = .array(items) }
    if !prefixes.isEmpty { answer["prefixes"] = .array(prefixes.sorted().map(JSON.string)) }
    return answer
  }

  // MARK: Uploads

  private mutating func upload(_ call: Call<StorageMethod>, at now: Date) throws(APIFailure) -> APIResponse {
    let bucket = call["bucket"]
    if requiresBuckets { try check(bucket) }
    let type = call.request.headers["content-type"]
    switch call.query("uploadType") {
    case "media"?:
      guard let name = call.query("name") else { throw .storage(400, "required", "An object needs a name.") }
      var metadata: JSON = [:]
      metadata["contentType"] = type.map(JSON.string) ?? .null
      return .json(try store(bucket, name, metadata, call.request.body, call, at: now))
    case "multipart"?:
      guard let type, let parts = Multipart.parts(of: call.request.body, contentType: type), parts.count == 2,
        let metadata = try? JSON(parsing: parts[0].body)
      else { throw .storage(400, "badRequest", "Malformed multipart body.") }
      guard let name = metadata["name"].text ?? call.query("name") else {
        throw .storage(400, "required", "An object needs a name.")
      }
      var known = metadata
      if known["contentType"] == .null {
        known["contentType"] = parts[1].headers["content-type"].map(JSON.string) ?? .null
      }
      return .json(try store(bucket, name, known, parts[1].body, call, at: now))
    case "resumable"?: return try beginUpload(call)
    case let other:
      throw .storage(400, "invalid", "Unknown uploadType: \(other ?? "none"). Use media, multipart or resumable.")
    }
  }

  private mutating func beginUpload(_ call: Call<StorageMethod>) throws(APIFailure) -> APIResponse {
    var metadata = call.body
    guard let name = metadata["name"].text ?? call.query("name") else {
      throw .storage(400, "required", "An object needs a name.")
    }
    metadata["name"] = .string(name)
    if metadata["contentType"] == .null, let type = call.request.headers["x-upload-content-type"] {
      metadata["contentType"] = .string(type)
    }
    lastGeneration += 1
    let id = "upload-\(lastGeneration)"
    uploads[id] = Upload(bucket: call["bucket"], metadata: metadata)
    return APIResponse(
      status: 200,
      headers: [
        "Location": "\(address)upload/storage/v1/b/\(call["bucket"])/o?uploadType=resumable&upload_id=\(id)",
        "X-GUploader-UploadID": id,
      ])
  }

  /// `Content-Range: bytes 0-99/200`, `bytes 0-99/*`, or `bytes */200` to ask how far it is.
  private mutating func uploadChunk(_ call: Call<StorageMethod>, at now: Date) throws(APIFailure) -> APIResponse {
    guard let id = call.query("upload_id"), var upload = uploads[id] else {
      throw .storage(404, "notFound", "There is no such upload.")
    }
    var total: Int? = call.request.body.count
    if let range = call.request.headers["content-range"], range.hasPrefix("bytes ") {
      let parts = range.dropFirst(6).split(separator: "/")
      total = parts.count == 2 ? wholeNumber(parts[1]) : nil
      let first = parts.first.flatMap { $0.split(separator: "-").first }.flatMap { wholeNumber($0) }
      if let first {
        guard first <= upload.received.count else { throw .storage(503, "backendError", "Bytes are missing.") }
        upload.received = upload.received.prefix(first) + call.request.body
      }
    } else {
      upload.received = call.request.body
    }
    uploads[id] = upload
    guard let total, upload.received.count >= total else {
      let range = upload.received.isEmpty ? [:] : ["Range": "bytes=0-\(upload.received.count - 1)"]
      return APIResponse(status: 308, headers: range)
    }
    uploads[id] = nil
    return .json(
      try store(
        upload.bucket, upload.metadata["name"].text ?? "", upload.metadata, Data(upload.received), call, at: now))
  }

  private mutating func store(
    _ bucket: String, _ name: String, _ metadata: JSON, _ data: Data, _ call: Call<StorageMethod>, at now: Date
  ) throws(APIFailure) -> JSON {
    guard StorageNames.isObject(name) else { throw .storage(400, "invalid", "Invalid object name: '\(name)'") }
    if call.query("ifGenerationMatch") == "0", objects[bucket]?[name] != nil {
      throw .storage(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.")
    }
    buckets.insert(bucket)
    lastGeneration += 1
    guard blobs.write(bucket, name, data) else {
      throw .storage(500, "backendError", "The emulator could not write the object: is its disk full?")
    }
    let path =
      name.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(.init(charactersIn: "-._~"))) ?? name
    var object: JSON = [
      "kind": "storage#object", "id": .string("\(bucket)/\(name)/\(lastGeneration)"), "name": .string(name),
      "bucket": .string(bucket), "size": "\(data.count)", "generation": "\(lastGeneration)", "metageneration": "1",
      "storageClass": "STANDARD", "contentType": metadata["contentType"], "metadata": metadata["metadata"],
      "md5Hash": .string(Digest.md5(data).base64EncodedString()), "etag": .string("etag-\(lastGeneration)"),
      "selfLink": .string("\(address)storage/v1/b/\(bucket)/o/\(path)"),
      "mediaLink": .string("\(address)storage/v1/b/\(bucket)/o/\(path)?alt=media"),
    ]
    object["timeCreated"] = .string(now.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    object["updated"] = object["timeCreated"]
    objects[bucket, default: [:]][name] = object
    return object
  }
}

extension APIFailure {
  static func invalidBucket(_ name: String) -> APIFailure { .storage(400, "invalid", "Invalid bucket name: '\(name)'") }

  static func storage(_ status: Int, _ reason: String, _ message: String) -> APIFailure {
    APIFailure(status, reason, message)
  }
}
