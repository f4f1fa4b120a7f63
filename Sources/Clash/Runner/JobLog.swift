internal import Glibc
internal import Processes

/// The file that shows what a job prints, with dagrun's own lines between.
///
/// Each write names its place. Written first, stored with the job then, acknowledged at last: after a crash the file is
/// cut to what was stored, and the rest comes again. So each byte is in it once. (A power cut may take the newest ones:
/// the file does not wait for the disk.)
struct JobLog {
  /// nil: nobody wants to read it.
  private let descriptor: Int32?

  /// - Parameter storedLength: what the stored job knows of the file; the rest is cut off.
  init(path: String?, storedLength: Int) throws(SystemError) {
    guard let path else {
      descriptor = nil
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolders(String(path[..<slash])) }
    let file = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw SystemError("open the log \(path)") }
    guard lseek(file, 0, SEEK_END) <= off_t(storedLength) || ftruncate(file, off_t(storedLength)) == 0 else {
      let error = SystemError("cut the log \(path) to what is known of it")
      Glibc.close(file)
      throw error
    }
    descriptor = file
  }

  func write(_ bytes: [UInt8], at offset: Int) throws(SystemError) {
    guard let descriptor else { return }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        retrying {
          pwrite(descriptor, buffer.baseAddress! + written, buffer.count - written, off_t(offset + written))
        }
      }
      if count < 0 { throw SystemError("write to the log") }
      written += count
    }
  }

  func close() {
    if let descriptor { Glibc.close(descriptor) }
  }
}
