internal import CLinux
internal import Glibc

/// Reads a file of any kind, also one of /proc, whose size is unknown. nil when it cannot be read.
package func readWholeFile(_ path: String) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  return descriptor < 0 ? nil : readRest(of: descriptor)
}

/// What a file has from a position on, up to a limit; empty when it ends before. nil when it cannot be read.
package func readFile(_ path: String, from position: Int, limit: Int = .max) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  guard descriptor >= 0 else { return nil }
  guard lseek(descriptor, off_t(position), SEEK_SET) >= 0 else {
    close(descriptor)
    return nil
  }
  return readRest(of: descriptor, limit: limit)
}

/// As `readWholeFile`, for a file that must not be taken for missing when it only cannot be read. nil when there is none.
package func readFileIfThere(_ path: String) throws(SystemError) -> [UInt8]? {
  let descriptor = open(path, O_RDONLY | O_CLOEXEC)
  if descriptor < 0, errno == ENOENT { return nil }
  guard descriptor >= 0, let bytes = readRest(of: descriptor) else { throw SystemError("read \(path)") }
  return bytes
}

/// Closes the descriptor. nil on failure.
private func readRest(of descriptor: Int32, limit: Int = .max) -> [UInt8]? {
  defer { close(descriptor) }
  var bytes: [UInt8] = []
  var chunk = 4096
  while bytes.count < limit {
    chunk = min(chunk, limit - bytes.count)
    var hasFailed = false
    let part = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, used in
      let count = retrying { read(descriptor, buffer.baseAddress, buffer.count) }
      hasFailed = count < 0
      used = max(0, count)
    }
    if hasFailed { return nil }
    if part.isEmpty { return bytes }
    bytes += part
    chunk = min(chunk * 2, 1 << 20)
  }
  return bytes
}

/// As `rename`, but fails with EEXIST when there is such a file; with EINVAL where the file system cannot do that.
package func renameToNew(_ from: String, _ to: String) -> Int32 { clinux_rename_to_new(from, to) }

/// Writes all the bytes, however many calls that takes.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
  var rest = bytes
  while !rest.isEmpty {
    let count = retrying { write(descriptor, rest.baseAddress, rest.count) }
    if count < 0 { throw SystemError("write to descriptor \(descriptor)") }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}

/// Makes the folder and those above it that are missing.
package func makeFolders(_ path: String, mode: UInt32 = 0o777) throws(SystemError) {
  if mkdir(path, mode) == 0 || errno == EEXIST { return }
  guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else {
    throw SystemError("make the folder \(path)")
  }
  try makeFolders(String(path[..<slash]), mode: mode)
  if mkdir(path, mode) != 0 && errno != EEXIST { throw SystemError("make the folder \(path)") }
}
