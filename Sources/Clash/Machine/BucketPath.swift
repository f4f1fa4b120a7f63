internal import Foundation

/// A directory of Cloud Storage, which is a beginning of object names: `bucket/path`, or `gs://bucket/path`.
struct BucketPath: Hashable {
  let bucket: String
  /// Empty, or ends in `/`.
  let prefix: String

  init(_ text: String) throws(JobMachineError) {
    let path = text.hasPrefix("gs://") ? String(text.dropFirst(5)) : text
    let parts = path.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    bucket = parts.first.map(String.init) ?? ""
    guard Self.isBucket(bucket) else {
      throw JobMachineError(
        "“\(text.prefix(200))” names no bucket of Cloud Storage",
        hint: "write bucket/path; a bucket's name has 3 to 222 lower-case letters, digits, dots, - and _")
    }
    let rest = parts.count > 1 ? String(parts[1]) : ""
    guard !rest.utf8.contains(where: { $0 == 0 || $0 == 10 || $0 == 13 }) else {
      throw JobMachineError("the path “\(text.prefix(200))” has a line break or a zero byte; no object's name may")
    }
    prefix = rest.isEmpty || rest.hasSuffix("/") ? rest : rest + "/"
  }

  /// The object that the last part of the path names.
  func object(_ name: String) -> String { prefix + name }

  /// https://cloud.google.com/storage/docs/buckets#naming, as far as it protects an address from being another one.
  private static func isBucket(_ name: String) -> Bool {
    (3...222).contains(name.utf8.count) && name != "..."
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
          UInt8(ascii: "_"), UInt8(ascii: "."):
          true
        default: false
        }
      }
  }
}
