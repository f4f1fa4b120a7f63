/// Remembers the last line of a stream: a shell task's output value, when it wrote no other.
struct OutputTail {
  private var line: [UInt8] = []
  /// `line` was ended by a newline; more bytes begin another.
  private var isComplete = false
  private(set) var isTooLong = false

  static let limitBytes = 1 << 20

  mutating func append(_ chunk: UnsafeRawBufferPointer) {
    guard !chunk.isEmpty else { return }
    let endsWithNewline = chunk.last == UInt8(ascii: "\n")
    let body = endsWithNewline ? chunk.dropLast() : chunk[...]
    if let newline = body.lastIndex(of: UInt8(ascii: "\n")) {
      replace(with: body[(newline + 1)...])
    } else if isComplete {
      replace(with: body)
    } else {
      extend(with: body)
    }
    isComplete = endsWithNewline
  }

  /// Without the white space at its end, as in Airflow. nil when nothing was written.
  var value: String? {
    var end = line.count
    while end > 0, line[end - 1] <= 32 { end -= 1 }
    return line.isEmpty && !isComplete || isTooLong ? nil : String(decoding: line[..<end], as: UTF8.self)
  }

  private mutating func replace(with bytes: Slice<UnsafeRawBufferPointer>) {
    line.removeAll(keepingCapacity: true)
    isTooLong = false
    extend(with: bytes)
  }

  private mutating func extend(with bytes: Slice<UnsafeRawBufferPointer>) {
    if line.count + bytes.count > Self.limitBytes { isTooLong = true }
    if !isTooLong { line.append(contentsOf: bytes) }
  }
}
