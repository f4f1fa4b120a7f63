/// An object of Cloud Storage.
package struct StorageObject: Codable, Hashable, Sendable {
  package var bucket: String?
  package var name: String
  package var size: Int64String?
  package var contentType: String?
  package var generation: Int64String?
  package var md5Hash: String?
  package var crc32c: String?
  /// RFC 3339.
  package var timeCreated: String?
  package var updated: String?

  package init(name: String) { self.name = name }
}

/// `gs://bucket/path`, or `bucket/path`.
package struct StorageLocation: Codable, Hashable, Sendable, CustomStringConvertible {
  package var bucket: String
  /// An object's name or the beginning of names; without a slash in front, and empty for the whole bucket.
  package var path: String

  package init(bucket: String, path: String) {
    self.bucket = bucket
    self.path = path
  }

  /// - Returns: nil when no bucket is named.
  package init?(_ text: String) {
    let bare = text.hasPrefix("gs://") ? text.dropFirst(5) : text[...]
    let end = bare.firstIndex(of: "/") ?? bare.endIndex
    guard end > bare.startIndex else { return nil }
    bucket = String(bare[..<end])
    path = String(bare[end...].drop { $0 == "/" })
  }

  package var description: String { "gs://\(bucket)/\(path)" }
}
