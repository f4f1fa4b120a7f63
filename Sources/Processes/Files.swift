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

/// As `readWholeFile`, for a file that must not be taken for missing when it only cannot be read. nil when there is
/// none.
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

/// A file without a name, in memory, and so on no disk that could be full.
package func openMemoryFile() throws(SystemError) -> Int32 {
  let descriptor = clinux_memory_file()
  if descriptor < 0 { throw SystemError("make a file in memory") }
  return descriptor
}

/// As `rename`, but fails with EEXIST when there is such a file; with EINVAL where the file system cannot do that.
package func renameToNew(_ from: String, _ to: String) -> Int32 { clinux_rename_to_new(from, to) }

/// Writes all the bytes, however many calls that takes.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) throws(SystemError) {
  var rest = bytes
  while !rest.isEmpty {
    let count = retrying { write(descriptor, rest.baseAddress, rest.count) }
    if count < 0 { throw SystemError("write") }
    rest = UnsafeRawBufferPointer(rebasing: rest[count...])
  }
}

/// Makes the folder and those above it that are missing.
///
/// - Parameter mode: of those that are made, whatever the umask; nil: as the umask has it.
package func makeFolders(_ path: String, mode: UInt32? = nil) throws(SystemError) {
  if makeFolder(path, mode) { return }
  guard errno == ENOENT, let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")), slash != path.startIndex else {
    throw SystemError("make the folder \(path)")
  }
  try makeFolders(String(path[..<slash]), mode: mode)
  if !makeFolder(path, mode) { throw SystemError("make the folder \(path)") }
}

/// True when it is there; else `errno` says why not.
private func makeFolder(_ path: String, _ mode: UInt32?) -> Bool {
  guard mkdir(path, mode ?? 0o777) == 0 else { return errno == EEXIST }
  if let mode { chmod(path, mode) }
  return true
}

/// Opens a file for its owner only, whatever the umask; -1 and `errno` on failure.
package func openPrivately(_ path: String, _ flags: Int32) -> Int32 {
  let descriptor = open(path, flags | O_CREAT | O_CLOEXEC, 0o600)
  var status = stat()
  // One that is there already may be from a time when others could read it.
  if descriptor >= 0, fstat(descriptor, &status) == 0, status.st_mode & 0o7777 != 0o600, status.st_uid == geteuid() {
    fchmod(descriptor, 0o600)
  }
  return descriptor
}
