internal import Foundation

/// What objects hold: in files of a folder, or in memory.
///
/// A file is named after the object's name where that is a plain path below the bucket, so that a person finds it.
final class BlobStore {
  private let folder: String?
  private var memory: [String: Data] = [:]

  init(folder: String?) { self.folder = folder }

  /// - Returns: false where it could not be written.
  func write(_ bucket: String, _ name: String, _ data: Data) -> Bool {
    guard let file = file(bucket, name) else {
      memory["\(bucket)/\(name)"] = data
      return true
    }
    do {
      try FileManager.default.createDirectory(
        atPath: (file as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
      try data.write(to: URL(fileURLWithPath: file), options: .atomic)
      return true
    } catch {
      // `a` is a file and `a/b` is wanted too: both are objects, but not both can be files.
      memory["\(bucket)/\(name)"] = data
      return true
    }
  }

  func read(_ bucket: String, _ name: String) -> Data {
    if let data = memory["\(bucket)/\(name)"] { return data }
    return file(bucket, name).flatMap { FileManager.default.contents(atPath: $0) } ?? Data()
  }

  func remove(_ bucket: String, _ name: String) {
    if memory.removeValue(forKey: "\(bucket)/\(name)") != nil { return }
    if let file = file(bucket, name) { try? FileManager.default.removeItem(atPath: file) }
  }

  /// Nil: it is kept in memory, for its name would lead out of the folder, or nowhere.
  private func file(_ bucket: String, _ name: String) -> String? {
    guard let folder else { return nil }
    let parts = [bucket] + name.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let isPlain = parts.allSatisfy {
      !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count < 200 && !$0.contains("\0")
    }
    return isPlain ? "\(folder)/\(parts.joined(separator: "/"))" : nil
  }
}
