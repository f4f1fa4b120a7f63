internal import Foundation
internal import Glibc
internal import Model
internal import Processes

/// The file that a script may write its output to, $DAGRUN_OUTPUT. What is at its path in the end is the script's
/// doing: perhaps a pipe, a link to a device, or a folder.
enum TaskOutputFile {
  /// Why there is an output, and it cannot be kept.
  struct Refusal: Error {
    var reason: String
    /// The same script would do the same again.
    var isRetryable = false
  }

  /// Without the newline at its end. nil when the script wrote none.
  static func read(_ path: String) throws(Refusal) -> String? {
    // Neither waits for somebody who writes to a pipe, nor follows a link to who knows what.
    let descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
    if descriptor < 0 {
      switch errno {
      case ENOENT: return nil
      case ELOOP: throw Refusal(reason: "$DAGRUN_OUTPUT is a symbolic link, and must be a file: copy what it leads to")
      case ENXIO: throw Refusal(reason: "$DAGRUN_OUTPUT is a socket, and must be a file")
      default:
        throw Refusal(reason: "$DAGRUN_OUTPUT cannot be read: \(String(cString: strerror(errno)))", isRetryable: true)
      }
    }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      throw Refusal(reason: "$DAGRUN_OUTPUT is \(kind(status.st_mode)), and must be a file")
    }
    var bytes = try contents(descriptor, Int(status.st_size))
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw Refusal(reason: "what was written to $DAGRUN_OUTPUT is not UTF-8: write it to a file, and hand on the path")
    }
    return text
  }

  /// Whatever it is.
  static func remove(_ path: String) {
    if unlink(path) != 0, errno != ENOENT { try? FileManager.default.removeItem(atPath: path) }
  }

  /// Reads no more than an output may have, also of a file that somebody still writes to.
  private static func contents(_ descriptor: Int32, _ size: Int) throws(Refusal) -> [UInt8] {
    let limit = TaskResult.outputLimitBytes
    var bytes: [UInt8] = []
    if size <= limit { bytes.reserveCapacity(size + 1) }
    while bytes.count <= limit, size <= limit {
      var count = 0
      withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { buffer in
        count = retrying { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
        if count > 0 { bytes.append(contentsOf: buffer[..<count]) }
      }
      if count < 0 {
        throw Refusal(reason: "$DAGRUN_OUTPUT cannot be read: \(String(cString: strerror(errno)))", isRetryable: true)
      }
      if count == 0 { return bytes }
    }
    throw Refusal(reason: TaskResult.tooLarge(max(size, bytes.count)))
  }

  private static func kind(_ mode: mode_t) -> String {
    switch mode & S_IFMT {
    case S_IFDIR: "a folder"
    case S_IFIFO: "a named pipe"
    case S_IFCHR, S_IFBLK: "a device"
    default: "no regular file"
    }
  }
}
