internal import Foundation
internal import Processes

/// What objects hold: in files of a folder, or in memory.
///
/// A file is named after the object's name where that is a plain path below the bucket, so that a person finds it.
/// Files are opened below the folder's descriptor, part by part, and no link is followed: an object's name leads
/// nowhere else.
final class BlobStore {
  private let folder: String?
  private var memory: [String: Data] = [:]
  private var lastUpload: UInt64 = 0

  init(folder: String?) { self.folder = folder }

  /// - Returns: false where it could not be written.
  func write(_ bucket: String, _ name: String, _ data: Data) -> Bool {
    let key = "\(bucket)/\(name)"
    do {
      guard let path = path(bucket, name), let parent = try open(path.parents, making: true) else {
        memory[key] = data
        return true
      }
      defer { close(parent) }
      try replace(path.last, in: parent, with: data)
      memory[key] = nil
      return true
    } catch {
      // `a` is a file and `a/b` is wanted too: both are objects, but not both can be files. Or somebody put a link
      // there.
      guard [ENOTDIR, EISDIR, EEXIST, ENOTEMPTY, ENAMETOOLONG, ELOOP].contains(error.code) else { return false }
      memory[key] = data
      return true
    }
  }

  func read(_ bucket: String, _ name: String) -> Data {
    if let data = memory["\(bucket)/\(name)"] { return data }
    guard let path = path(bucket, name), let parent = try? open(path.parents, making: false) else { return Data() }
    defer { close(parent) }
    let file = openat(parent, path.last, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    guard file >= 0 else { return Data() }
    let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
    var status = stat()
    guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return Data() }
    return (try? handle.readToEnd()) ?? Data()
  }

  func remove(_ bucket: String, _ name: String) {
    if memory.removeValue(forKey: "\(bucket)/\(name)") != nil { return }
    guard let path = path(bucket, name), let parent = try? open(path.parents, making: false) else { return }
    unlinkat(parent, path.last, 0)
    close(parent)
  }

  // MARK: Files

  private struct Failure: Error {
    var code: Int32
  }

  /// Nil: it is kept in memory, for its name would lead nowhere.
  private func path(_ bucket: String, _ name: String) -> (parents: [Substring], last: String)? {
    guard folder != nil else { return nil }
    let parts = "\(bucket)/\(name)".split(separator: "/", omittingEmptySubsequences: false)
    let isPlain = parts.allSatisfy {
      !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count < 200 && !$0.utf8.contains(0)
    }
    guard isPlain, let last = parts.last else { return nil }
    return (Array(parts.dropLast()), String(last))
  }

  /// - Returns: a descriptor of the folder of these names; nil: there is none, and it was not to be made.
  private func open(_ names: [Substring], making: Bool) throws(Failure) -> Int32? {
    guard let folder else { return nil }
    if making { try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
    let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC
    var current = Glibc.open(folder, flags)
    if current < 0 { throw Failure(code: errno) }
    for name in names {
      if making, mkdirat(current, String(name), 0o700) != 0, errno != EEXIST {
        let failure = Failure(code: errno)
        close(current)
        throw failure
      }
      let next = openat(current, String(name), flags)
      let code = errno
      close(current)
      if next < 0 {
        if !making { return nil }
        throw Failure(code: code)
      }
      current = next
    }
    return current
  }

  /// Whole or not at all.
  private func replace(_ name: String, in parent: Int32, with data: Data) throws(Failure) {
    lastUpload &+= 1
    let temporary = ".dagrun-upload-\(getpid())-\(lastUpload)"
    let file = openat(parent, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
    if file < 0 { throw Failure(code: errno) }
    let isWritten = data.withUnsafeBytes { (try? writeAll($0, to: file)) != nil }
    close(file)
    if !isWritten || renameat(parent, temporary, parent, name) != 0 {
      let failure = Failure(code: isWritten ? errno : ENOSPC)
      unlinkat(parent, temporary, 0)
      throw failure
    }
  }
}
