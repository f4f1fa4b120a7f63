internal import Foundation
internal import Glibc
internal import Model
internal import Processes

/// The file that shows what a job prints, with dagrun's own lines between.
///
/// Written first, its length stored with the job then, what was written acknowledged at last. After a crash the file is
/// cut to the length that was stored, and the rest comes again: so each byte is in it once. (A power cut may take the
/// newest ones: the file does not wait for the disk.)
///
/// The file is open only while something is written: a job that waits costs no descriptor.
struct JobLog: Sendable {
  /// nil: nobody wants to read it.
  private let path: String?
  /// That counts. There may be more in the file, of writes that were taken back.
  private(set) var length: Int
  private var isInsideLine = false

  /// - Parameter storedLength: what the stored job knows of the file; the rest is cut off.
  init(path: String?, storedLength: Int) throws(SystemError) {
    self.path = path
    length = storedLength
    guard let path else { return }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
      try makeFolders(String(path[..<slash]), mode: 0o700)
    }
    let file = try Self.open(path)
    defer { close(file) }
    let size = Int(lseek(file, 0, SEEK_END))
    guard size <= storedLength || ftruncate(file, off_t(storedLength)) == 0 else {
      throw SystemError("cut the log \(path) to what is known of it")
    }
    // Shorter where somebody has removed it, or another file was written before: it continues from there.
    length = min(size, storedLength)
    var last = UInt8(ascii: "\n")
    if length > 0, pread(file, &last, 1, off_t(length - 1)) == 1 { isInsideLine = last != UInt8(ascii: "\n") }
  }

  mutating func append(_ bytes: [UInt8]) throws(SystemError) {
    guard let path, let last = bytes.last else { return }
    let file = try Self.open(path)
    defer { close(file) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        retrying { pwrite(file, buffer.baseAddress! + written, buffer.count - written, off_t(length + written)) }
      }
      if count < 0 { throw SystemError("write to the log \(path)") }
      written += count
    }
    length += bytes.count
    isInsideLine = last != UInt8(ascii: "\n")
  }

  /// A line of dagrun's own.
  mutating func note(_ text: String) throws(SystemError) {
    let lines = text.split(separator: "\n").map { "[dagrun] \($0)\n" }.joined()
    try append(Array(((isInsideLine ? "\n" : "") + lines).utf8))
  }

  /// Removes what was written after this value was taken.
  func takeBack() {
    if let path { truncate(path, off_t(length)) }
  }

  private static func open(_ path: String) throws(SystemError) -> Int32 {
    let file = openPrivately(path, O_RDWR)
    guard file >= 0 else { throw SystemError("open the log \(path)") }
    return file
  }
}

extension JobRecord {
  private struct Part: Decodable { var logFileLength: Int? }

  /// How much of the job's log file counts: what VMs sent (`Job.logLength`), and dagrun's own lines. 0 when the job had
  /// no file.
  package var logFileLength: Int {
    let part = try? JSONDecoder().decode(Part.self, from: Data(state.utf8))
    return part?.logFileLength ?? 0
  }

  /// Kept within the state, of which the core knows the rest.
  mutating func setLogFileLength(_ length: Int) {
    precondition(state.hasPrefix("{"), "the state of a job is a JSON object")
    state = "{\"logFileLength\":\(length)," + state.dropFirst()
  }
}
