import Processes

/// A log that may be growing, read bit by bit.
///
/// A Swift task that runs has none yet: what it prints is in its worker's output, which becomes the log when the task
/// ends. The bytes are the same, so one position serves both.
struct GrowingLog {
  let path: String
  /// nil when no worker is at it, or it is not known which.
  var workerOutput: String?
  private var position = 0

  init(path: String, workerOutput: String? = nil) {
    self.path = path
    self.workerOutput = workerOutput
  }

  /// What has come since the last call.
  mutating func rest(isRunning: Bool) -> String {
    let bytes =
      readFile(path, from: position) ?? (isRunning ? workerOutput.flatMap { readFile($0, from: position) } : nil)
    guard let bytes, !bytes.isEmpty else { return "" }
    var end = bytes.count
    if isRunning {
      // Half a character waits for its other half.
      while end > 0 && end > bytes.count - 4 && bytes[end - 1] >= 0x80 { end -= 1 }
    }
    position += end
    return String(decoding: bytes[..<end], as: UTF8.self)
  }
}
