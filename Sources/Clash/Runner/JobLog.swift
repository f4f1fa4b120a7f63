internal import Glibc
internal import Processes

/// The file that shows what a job prints, with lines of dagrun's own between.
///
/// What is written is counted, and the count is stored with the job: written first, stored then, acknowledged at last.
/// After a crash the file is cut to what was stored; the rest comes again. So each byte is in it once. (A power cut may
/// take the newest bytes: the file does not wait for the disk.)
struct JobLog {
  private(set) var length: Int64
  private let descriptor: Int32?
  /// The next line of our own needs a new line first.
  private var isInsideLine = false

  /// - Parameters:
  ///   - path: nil: nobody wants to read it.
  ///   - storedLength: what the stored job knows of it.
  init(path: String?, storedLength: Int64) throws(SystemError) {
    guard let path else {
      (descriptor, length) = (nil, storedLength)
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolders(String(path[..<slash])) }
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_APPEND, 0o644)
    guard descriptor >= 0 else { throw SystemError("open the log \(path)") }
    let size = Int64(lseek(descriptor, 0, SEEK_END))
    if size > storedLength, ftruncate(descriptor, off_t(storedLength)) != 0 {
      let error = SystemError("cut the log \(path) to what is known of it")
      close(descriptor)
      throw error
    }
    // Shorter, where somebody has removed it or the power failed: it goes on from there.
    length = min(size, storedLength)
    self.descriptor = descriptor
    var last: UInt8 = UInt8(ascii: "\n")
    if length > 0, pread(descriptor, &last, 1, off_t(length - 1)) == 1 { isInsideLine = last != UInt8(ascii: "\n") }
  }

  mutating func append(_ bytes: some Collection<UInt8>) throws(SystemError) {
    guard !bytes.isEmpty else { return }
    let bytes = Array(bytes)
    isInsideLine = bytes.last != UInt8(ascii: "\n")
    if let descriptor {
      do throws(SystemError) {
        // No closure of typed throws around `withUnsafeBytes`: the bytes live as long as the call.
        let start = length
        try write(bytes, to: descriptor)
        length = start + Int64(bytes.count)
      } catch {
        // Half of it may be there: what is counted is what is kept.
        ftruncate(descriptor, off_t(length))
        throw error
      }
    } else {
      length += Int64(bytes.count)
    }
  }

  /// A line of dagrun's own.
  mutating func note(_ text: String) throws(SystemError) {
    let line = text.split(separator: "\n", omittingEmptySubsequences: false).map { "[dagrun] \($0)\n" }.joined()
    try append(Array(((isInsideLine ? "\n" : "") + line).utf8))
  }

  func close() {
    if let descriptor { Glibc.close(descriptor) }
  }

  private func write(_ bytes: [UInt8], to descriptor: Int32) throws(SystemError) {
    var failure: SystemError?
    bytes.withUnsafeBytes { buffer in
      do throws(SystemError) { try writeAll(buffer, to: descriptor) } catch { failure = error }
    }
    if let failure { throw failure }
  }
}
