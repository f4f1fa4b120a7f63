internal import Foundation

/// One value a line, as JSON, which has no line breaks outside of strings and escapes those inside.
enum ControlLine {
  static func encode(_ value: some Encodable) -> Data {
    do {
      return try JSONEncoder().encode(value) + Data("\n".utf8)
    } catch {
      preconditionFailure("\(value): \(error)")
    }
  }
}

/// Bytes that come in parts, read as lines. Each byte is looked at once, however the parts are cut.
struct LineBuffer {
  struct TooLong: Error {}

  /// Of a line; nil: as long as it comes.
  let limitBytes: Int?
  private var bytes: [UInt8] = []
  /// Where the next line begins.
  private var start = 0
  /// No end of a line comes before it.
  private(set) var searched = 0

  init(limitBytes: Int? = nil) { self.limitBytes = limitBytes }

  /// A line has begun that has not ended.
  var isInsideLine: Bool { start < bytes.count }

  mutating func append(_ part: ArraySlice<UInt8>) {
    if start > 0 {
      bytes.removeFirst(start)
      searched -= start
      start = 0
    }
    bytes += part
  }

  /// The next whole line; nil when there is none yet.
  mutating func next() throws(TooLong) -> Data? {
    let end = bytes[searched...].firstIndex(of: UInt8(ascii: "\n"))
    searched = end ?? bytes.count
    if let limitBytes, searched - start > limitBytes { throw TooLong() }
    guard let end else { return nil }
    defer {
      start = end + 1
      searched = start
    }
    return Data(bytes[start..<end])
  }
}
