internal import Basics
internal import Processes

/// A log that may be growing, read bit by bit.
///
/// A Swift task that runs has none yet: what it prints is in its worker's output, which becomes the log when the task
/// ends. The bytes are the same, so one position serves both.
package struct LogTail {
  package let path: String
  /// nil when no worker is at it, or it is not known which.
  package var workerOutput: String?
  private var position = 0

  package init(path: String, workerOutput: String? = nil) {
    self.path = path
    self.workerOutput = workerOutput
  }

  /// What has come since the last call.
  package mutating func rest(isRunning: Bool) -> String {
    var text = ""
    read(isRunning: isRunning) { text += $0 }
    return text
  }

  /// What has come since the last call, in parts: a log may be larger than the memory.
  package mutating func read(isRunning: Bool, _ write: (String) -> Void) {
    while let part = nextPart(isRunning: isRunning) { write(part) }
  }

  private static let partBytes = 1 << 20

  /// nil when there is nothing more.
  private mutating func nextPart(isRunning: Bool) -> String? {
    let limit = Self.partBytes
    let bytes =
      readFile(path, from: position, limit: limit)
      ?? (isRunning ? workerOutput.flatMap { readFile($0, from: position, limit: limit) } : nil)
    guard let bytes, !bytes.isEmpty else { return nil }
    // Half a character waits for its other half.
    let end = isRunning || bytes.count == limit ? WholeCharacters.count(ofHead: bytes) : bytes.count
    guard end > 0 else { return nil }
    position += end
    return String(decoding: bytes[..<end], as: UTF8.self)
  }
}
