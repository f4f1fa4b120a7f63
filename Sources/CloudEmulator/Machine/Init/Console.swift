internal import Foundation
internal import Processes

/// The serial console: standard output, which is a file of the emulator.
final class Console {
  private static let limitBytes = 16 << 20
  private let start = monotonicSeconds()
  private var writtenBytes = 0

  func note(_ text: String) { write("dagrun: " + text) }

  /// Writes a line with the time since the boot.
  func write(_ line: String) { write(Array(line.utf8)) }

  func write(_ line: some Collection<UInt8>) {
    // What nobody reads must not fill the disk of this machine.
    if writtenBytes > Self.limitBytes {
      ftruncate(1, 0)
      writtenBytes = 0
      note("the console was full, and begins anew")
    }
    let time = String(format: "[%8.3f] ", monotonicSeconds() - start)
    let bytes = Array(time.utf8) + line + [UInt8(ascii: "\n")]
    writtenBytes += bytes.count
    try? bytes.withUnsafeBytes { try writeAll($0, to: 1) }
  }
}

/// What processes write, line by line, to the console.
final class OutputLines {
  private let loop: MachineLoop
  private let readEnd: Int32
  private var watcher: UInt64 = 0
  private var rest: [UInt8] = []
  private let line: (ArraySlice<UInt8>) -> Void
  private static let limitBytes = 16 << 10

  /// - Parameter line: called with each line, without its end.
  private init(_ loop: MachineLoop, readEnd: Int32, _ line: @escaping (ArraySlice<UInt8>) -> Void) {
    self.loop = loop
    self.readEnd = readEnd
    self.line = line
  }

  /// - Returns: the end to write to, which the caller closes once others have it.
  static func open(_ loop: MachineLoop, _ line: @escaping (ArraySlice<UInt8>) -> Void) throws -> Int32 {
    let (readEnd, writeEnd) = try openPipe()
    try watch(loop, readEnd, line)
    return writeEnd
  }

  /// Kept alive by the loop, until all writers have closed their end.
  static func watch(_ loop: MachineLoop, _ readEnd: Int32, _ line: @escaping (ArraySlice<UInt8>) -> Void) throws {
    let output = OutputLines(loop, readEnd: readEnd, line)
    output.watcher = try loop.watch(readEnd) { _ in output.read() }
  }

  private func read() {
    let part = [UInt8](unsafeUninitializedCapacity: 1 << 14) { buffer, used in
      used = max(0, retrying { Glibc.read(readEnd, buffer.baseAddress, buffer.count) })
    }
    if part.isEmpty {
      if !rest.isEmpty { line(rest[...]) }
      rest = []
      loop.unwatch(watcher)
      close(readEnd)
      return
    }
    rest += part
    var start = 0
    while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
      line(rest[start..<end])
      start = end + 1
    }
    rest.removeFirst(start)
    if rest.count > Self.limitBytes {
      line(rest[...])
      rest = []
    }
  }
}
