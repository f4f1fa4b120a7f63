internal import Glibc
internal import Processes

/// Cuts a stream of bytes into messages.
package struct MessageBuffer {
  private var bytes: [UInt8] = []
  /// What is before it was taken already.
  private var start = 0
  private let limitBytes: Int

  package enum Filling: Hashable, Sendable {
    case some
    /// Nothing for now (only a descriptor that does not block).
    case none
    /// The other side is gone.
    case end
  }

  /// - Parameter limitBytes: of one message; a longer one makes no sense.
  package init(limitBytes: Int = Int(UInt32.max)) { self.limitBytes = limitBytes }

  /// Reads once from the descriptor.
  package mutating func fill(from descriptor: Int32) -> Filling {
    if start == bytes.count {
      bytes.removeAll(keepingCapacity: true)
      start = 0
    }
    var count = 0
    withUnsafeTemporaryAllocation(byteCount: 65536, alignment: 8) { chunk in
      count = retrying { read(descriptor, chunk.baseAddress, chunk.count) }
      if count > 0 { bytes.append(contentsOf: chunk[..<count]) }
    }
    if count > 0 { return .some }
    return count < 0 && errno == EAGAIN ? .none : .end
  }

  /// Takes the next message out, when all of it is there.
  package mutating func next<Message>(
    _ body: (UnsafeRawBufferPointer) throws(MalformedBytes) -> Message
  ) throws(MalformedBytes) -> Message? {
    guard bytes.count - start >= 4 else { return nil }
    var length = 0
    for index in 0..<4 { length |= Int(bytes[start + index]) << (8 * index) }
    if length > limitBytes { throw MalformedBytes() }
    guard bytes.count - start - 4 >= length else { return nil }
    defer { start += 4 + length }
    let result: Result<Message, MalformedBytes> = bytes.withUnsafeBytes { all in
      Result { () throws(MalformedBytes) in
        try body(UnsafeRawBufferPointer(rebasing: all[(start + 4)..<(start + 4 + length)]))
      }
    }
    return try result.get()
  }
}
