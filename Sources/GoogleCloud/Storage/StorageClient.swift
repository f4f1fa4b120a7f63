package import Foundation

/// Cloud Storage's JSON API, for results and logs that are too large for a message.
package struct StorageClient: Sendable {
  let transport: any CloudTransport
  /// Larger ones travel in pieces of this size, so that a lost connection costs one piece: a multiple of 256 KiB.
  let pieceBytes: Int

  package init(transport: any CloudTransport, pieceBytes: Int = 8 << 20) {
    precondition(pieceBytes > 0 && pieceBytes % (256 << 10) == 0, "a piece is a multiple of 256 KiB")
    self.transport = transport
    self.pieceBytes = pieceBytes
  }

  package func object(_ location: StorageLocation) async throws(CloudError) -> StorageObject {
    try await transport.answer(
      StorageObject.self, to: request(.storage, .get, objectPath(location), "read object", location))
  }

  /// The objects whose names begin with the path.
  package func objects(below location: StorageLocation) async throws(CloudError) -> [StorageObject] {
    var request = request(.storage, .get, bucketPath(location), "list objects of", location)
    request.query = [
      URLQueryItem(name: "prefix", value: location.path), URLQueryItem(name: "maxResults", value: "1000"),
    ]
    return try await transport.pages(ItemPage<StorageObject>.self, of: request).flatMap { $0.items ?? [] }
  }

  package func delete(_ location: StorageLocation) async throws(CloudError) {
    _ = try await transport.call(request(.storage, .delete, objectPath(location), "delete object", location))
  }

  // MARK: Reading

  /// The whole object, in memory.
  package func read(_ location: StorageLocation) async throws(CloudError) -> Data {
    var all = Data()
    try await read(location) { all.append($0) }
    return all
  }

  /// The object's bytes from `start` on, piece by piece, in order; of one generation, though it be replaced meanwhile.
  ///
  /// - Parameter receive: writes a piece where it belongs; an error of its ends the reading.
  /// - Returns: the object as it was read.
  @discardableResult
  package func read(
    _ location: StorageLocation, from start: Int64 = 0, receive: (Data) throws -> Void
  ) async throws(CloudError) -> StorageObject {
    let found = try await object(location)
    let size = found.size?.value ?? 0
    var offset = start
    while offset < size {
      let end = offset + min(Int64(pieceBytes), size - offset)
      var request = request(.storage, .get, objectPath(location), "read object", location)
      request.query = [URLQueryItem(name: "alt", value: "media")]
      if let generation = found.generation {
        request.query.append(URLQueryItem(name: "generation", value: generation.description))
      }
      request.headers = ["Range": "bytes=\(offset)-\(end - 1)"]
      let response = try await transport.call(request)
      // A server that knows no ranges answers with everything.
      let piece =
        response.status == 206 ? response.body : response.body.dropFirst(Int(offset)).prefix(Int(end - offset))
      guard piece.count == end - offset else {
        throw error(
          .badAnswer, "read object", location, "\(piece.count) bytes came where \(end - offset) were asked for")
      }
      do {
        try receive(Data(piece))
      } catch {
        throw self.error(.other, "read object", location, "what came cannot be written here: \(error)")
      }
      offset = end
    }
    return found
  }

  // MARK: Writing

  /// Replaces what has the name. A repeat does no harm.
  @discardableResult
  package func write(
    _ data: Data, to location: StorageLocation, contentType: String = "application/octet-stream"
  ) async throws(CloudError) -> StorageObject {
    guard data.count <= pieceBytes else {
      return try await write(
        size: Int64(data.count), to: location, contentType: contentType
      ) { offset, count in data.dropFirst(Int(offset)).prefix(count) }
    }
    var request = request(.storageUpload, .post, bucketPath(location), "write object", location)
    request.query = [
      URLQueryItem(name: "uploadType", value: "media"), URLQueryItem(name: "name", value: location.path),
    ]
    request.contentType = contentType
    request.body = data
    return try await transport.answer(StorageObject.self, to: request)
  }

  /// Writes a large object in pieces; after a lost connection it continues where Google says it is.
  ///
  /// - Parameter piece: gives `count` bytes from `offset` on.
  @discardableResult
  package func write(
    size: Int64, to location: StorageLocation, contentType: String,
    piece: (_ offset: Int64, _ count: Int) throws -> Data
  ) async throws(CloudError) -> StorageObject {
    var session = try await beginUpload(to: location, contentType: contentType, size: size)
    session.isRepeatable = true
    var offset: Int64 = 0
    while true {
      let count = Int(min(Int64(pieceBytes), size - offset))
      var request = session
      do {
        request.body = try piece(offset, count)
      } catch {
        throw self.error(.other, "write object", location, "what is to be written cannot be read here: \(error)")
      }
      guard request.body?.count == count else {
        throw error(.other, "write object", location, "it became shorter while it was written")
      }
      let range = count == 0 ? "*" : "\(offset)-\(offset + Int64(count) - 1)"
      request.headers = ["Content-Range": "bytes \(range)/\(size)"]
      let response = try await transport.call(request)
      guard response.status == 308 else { return try decoded(response, location) }
      // Google may have kept less than was sent.
      let kept = Self.keptBytes(response)
      guard kept > offset, kept <= size else {
        throw error(.badAnswer, "write object", location, "Google kept nothing of the piece at byte \(offset)")
      }
      offset = kept
    }
  }

  /// - Returns: the request that carries a piece.
  private func beginUpload(
    to location: StorageLocation, contentType: String, size: Int64
  ) async throws(CloudError) -> CloudRequest {
    var begin = request(.storageUpload, .post, bucketPath(location), "write object", location)
    begin.query = [
      URLQueryItem(name: "uploadType", value: "resumable"), URLQueryItem(name: "name", value: location.path),
    ]
    begin.headers = ["X-Upload-Content-Type": contentType, "X-Upload-Content-Length": String(size)]
    let answer = try await transport.call(begin)
    // The session is a whole URL; what names it is `upload_id`.
    guard let link = answer.headers["location"], let items = URLComponents(string: link)?.queryItems,
      let session = items.first(where: { $0.name == "upload_id" })
    else {
      throw error(.badAnswer, "write object", location, "the answer names no upload session")
    }
    var request = request(.storageUpload, .put, bucketPath(location), "write object", location)
    request.query = begin.query + [session]
    request.contentType = contentType
    request.acceptedStatuses = [308]
    return request
  }

  private func decoded(_ response: CloudResponse, _ location: StorageLocation) throws(CloudError) -> StorageObject {
    do {
      return try JSONDecoder().decode(StorageObject.self, from: response.body)
    } catch {
      throw self.error(.badAnswer, "write object", location, "the answer is not an object")
    }
  }

  /// From `Range: bytes=0-N`; without one nothing is kept.
  static func keptBytes(_ response: CloudResponse) -> Int64 {
    guard let range = response.headers["range"], let last = range.split(separator: "-").last, let end = Int64(last)
    else { return 0 }
    return end < .max ? end + 1 : 0
  }

  // MARK: Requests

  private func bucketPath(_ location: StorageLocation) -> String { CloudPath.joined("b", location.bucket, "o") }

  private func objectPath(_ location: StorageLocation) -> String {
    CloudPath.joined("b", location.bucket, "o", location.path)
  }

  private func request(
    _ service: CloudService, _ method: CloudRequest.Method, _ path: String, _ operation: String,
    _ location: StorageLocation
  ) -> CloudRequest {
    CloudRequest(service, method, path, operation: operation, subject: location.description)
  }

  private func error(
    _ reason: CloudError.Reason, _ operation: String, _ location: StorageLocation, _ message: String
  ) -> CloudError {
    CloudError(reason, operation: operation, subject: location.description, message: message)
  }
}
