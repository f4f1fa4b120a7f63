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

  /// Without the white space at its end, as in Airflow. Empty when nothing was written.
  func text() throws(TaskOutputFile.Refusal) -> String {
    if isTooLong {
      throw .init(
        reason: "its last line, which is its output, is longer than \(Self.limitBytes) bytes: "
          + "write it to $DAGRUN_OUTPUT, or to a file, and hand on the path")
    }
    var end = line.count
    while end > 0, line[end - 1] <= 32 { end -= 1 }
    guard let text = String(validating: line[..<end], as: UTF8.self) else {
      throw .init(reason: "its last line, which is its output, is not UTF-8: end with a line of text")
    }
    return text
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
