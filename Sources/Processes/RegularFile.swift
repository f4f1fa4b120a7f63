internal import Glibc

/// Reads a file that somebody else has put there. Opening anything else than a regular file may wait for ever (a FIFO),
/// never end (a device) or have effects: it is refused, also when it takes the file's place at the last moment.
///
/// - Parameter limitBytes: a longer file is refused before it fills the memory.
package func readRegularFile(_ path: String, limitBytes: Int = 1 << 30) throws(FileProblem) -> [UInt8] {
  // Looked at first, because opening a device may have effects. What is opened is looked at again.
  var status = stat()
  guard stat(path, &status) == 0 else { throw FileProblem(missing: path, code: errno) }
  try FileProblem.check(status, limitBytes)
  let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
  guard descriptor >= 0 else { throw FileProblem(missing: path, code: errno) }
  defer { close(descriptor) }
  guard fstat(descriptor, &status) == 0 else { throw .system(errno) }
  try FileProblem.check(status, limitBytes)
  var bytes: [UInt8] = []
  var chunk = max(4096, Int(status.st_size) + 1)
  while true {
    var failure: Int32?
    let part = [UInt8](unsafeUninitializedCapacity: chunk) { buffer, used in
      let count = retrying { read(descriptor, buffer.baseAddress, buffer.count) }
      if count < 0 { failure = errno }
      used = max(0, count)
    }
    if let failure { throw .system(failure) }
    if part.isEmpty { return bytes }
    bytes += part
    guard bytes.count <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
    chunk = 1 << 16
  }
}

/// Why a file cannot be read, to be said after "cannot read the file: ".
package enum FileProblem: Error, Hashable, Sendable, CustomStringConvertible {
  case notRegular(FileKind)
  case tooLarge(limitBytes: Int)
  /// A link leads to something that is not there.
  case danglingLink
  case linkCircle
  case system(Int32)

  init(missing path: String, code: Int32) {
    var status = stat()
    switch code {
    case ELOOP: self = .linkCircle
    case ENOENT where lstat(path, &status) == 0: self = .danglingLink
    // A socket, which was put there after the first look.
    case ENXIO: self = .notRegular(.socket)
    default: self = .system(code)
    }
  }

  static func check(_ status: stat, _ limitBytes: Int) throws(FileProblem) {
    let kind = FileKind(mode: status.st_mode)
    guard kind == .regular else { throw .notRegular(kind) }
    guard status.st_size <= limitBytes else { throw .tooLarge(limitBytes: limitBytes) }
  }

  package var description: String {
    switch self {
    case .notRegular(let kind): "it is \(kind.words), and only regular files are read"
    case .tooLarge(let limitBytes): "it is larger than \(limitBytes >> 20) MiB"
    case .danglingLink: "it is a link to something that is not there"
    case .linkCircle: "it is a link that leads in a circle"
    case .system(let code): String(cString: strerror(code))
    }
  }
}

package enum FileKind: Hashable, Sendable {
  case regular, folder, fifo, socket, device, other

  init(mode: mode_t) {
    switch mode & S_IFMT {
    case S_IFREG: self = .regular
    case S_IFDIR: self = .folder
    case S_IFIFO: self = .fifo
    case S_IFSOCK: self = .socket
    case S_IFCHR, S_IFBLK: self = .device
    default: self = .other
    }
  }

  package var words: String {
    switch self {
    case .regular: "a regular file"
    case .folder: "a folder"
    case .fifo: "a FIFO"
    case .socket: "a socket"
    case .device: "a device"
    case .other: "something unknown"
    }
  }
}
