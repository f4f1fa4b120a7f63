internal import Foundation
internal import Glibc
internal import Processes

/// The file that shows what a job prints, with dagrun's own lines between.
///
/// Written first, its length stored with the job then, what was written acknowledged at last. After a crash the file is
/// cut to the length that was stored, and the rest comes again: so each byte is in it once. (A power cut may take the
/// newest ones: the file does not wait for the disk.)
struct JobLog {
  /// That counts. There may be more in the file, of writes that were taken back.
  private(set) var length: Int
  /// nil: nobody wants to read it.
  private let descriptor: Int32?
  private var isInsideLine = false

  /// - Parameter storedLength: what the stored job knows of the file; the rest is cut off.
  init(path: String?, storedLength: Int) throws(SystemError) {
    length = storedLength
    guard let path else {
      descriptor = nil
      return
    }
    if let slash = path.lastIndex(of: "/"), slash != path.startIndex { try makeFolders(String(path[..<slash])) }
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard file >= 0 else { throw SystemError("open the log \(path)") }
    let size = Int(lseek(file, 0, SEEK_END))
    guard size <= storedLength || ftruncate(file, off_t(storedLength)) == 0 else {
      let error = SystemError("cut the log \(path) to what is known of it")
      Glibc.close(file)
      throw error
    }
    // Shorter where somebody has removed it, or another file was written before: it goes on from there.
    length = min(size, storedLength)
    descriptor = file
    var last = UInt8(ascii: "\n")
    if length > 0, pread(file, &last, 1, off_t(length - 1)) == 1 { isInsideLine = last != UInt8(ascii: "\n") }
  }

  mutating func append(_ bytes: [UInt8]) throws(SystemError) {
    guard let descriptor, let last = bytes.last else { return }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { buffer in
        retrying {
          pwrite(descriptor, buffer.baseAddress! + written, buffer.count - written, off_t(length + written))
        }
      }
      if count < 0 { throw SystemError("write to the log") }
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
    if let descriptor { ftruncate(descriptor, off_t(length)) }
  }

  func close() {
    if let descriptor { Glibc.close(descriptor) }
  }
}

/// The length of the log's file, kept within the job's state: what the core knows is how much of it came from VMs.
enum StoredLogLength {
  private struct Part: Codable { var logFileLength: Int? }

  /// - Parameter state: a JSON object that is not empty.
  static func add(_ length: Int, to state: Data) -> Data {
    precondition(state.first == UInt8(ascii: "{"), "the state of a job is a JSON object")
    return Data("{\"logFileLength\":\(length),".utf8) + state.dropFirst()
  }

  static func read(_ state: Data) -> Int {
    let part = try? JSONDecoder().decode(Part.self, from: state)
    return part?.logFileLength ?? 0
  }
}
