internal import Foundation

/// Google's rules for the names of buckets and objects.
///
/// https://cloud.google.com/storage/docs/buckets#naming and https://cloud.google.com/storage/docs/objects#naming
enum StorageNames {
  static func isBucket(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    let isPlain: (UInt8) -> Bool = { (97...122).contains($0) || (48...57).contains($0) }
    guard (3...222).contains(bytes.count), bytes.allSatisfy({ isPlain($0) || "-_.".utf8.contains($0) }),
      let first = bytes.first, let last = bytes.last, isPlain(first), isPlain(last)
    else { return false }
    let parts = name.split(separator: ".", omittingEmptySubsequences: false)
    let isAddress = parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    return parts.allSatisfy { (1...63).contains($0.utf8.count) } && !isAddress && !name.hasPrefix("goog")
  }

  static func isObject(_ name: String) -> Bool {
    (1...1024).contains(name.utf8.count) && name != "." && name != ".." && !name.utf8.contains { $0 == 10 || $0 == 13 }
      && !name.hasPrefix(".well-known/acme-challenge/")
  }
}
