/// Reads what a `ByteWriter` wrote. The first thing that does not fit fails everything after it.
package struct ByteReader {
  private let bytes: UnsafeRawBufferPointer
  private var offset = 0

  package init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  package var isAtEnd: Bool { offset == bytes.count }

  package mutating func byte() throws(MalformedBytes) -> UInt8 { try integer(UInt8.self) }

  package mutating func bool() throws(MalformedBytes) -> Bool { try byte() != 0 }

  package mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(MalformedBytes) -> Value {
    let size = MemoryLayout<Value>.size
    guard bytes.count - offset >= size else { throw MalformedBytes() }
    defer { offset += size }
    return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
  }

  package mutating func double() throws(MalformedBytes) -> Double { Double(bitPattern: try integer(UInt64.self)) }

  package mutating func string() throws(MalformedBytes) -> String {
    String(decoding: try take(Int(try integer(UInt32.self))), as: UTF8.self)
  }

  package mutating func take(_ count: Int) throws(MalformedBytes) -> UnsafeRawBufferPointer {
    guard count >= 0, bytes.count - offset >= count else { throw MalformedBytes() }
    defer { offset += count }
    return UnsafeRawBufferPointer(rebasing: bytes[offset..<(offset + count)])
  }
}

/// Bytes that no `ByteWriter` of this version wrote.
package struct MalformedBytes: Error, Hashable {
  package init() {}
}
