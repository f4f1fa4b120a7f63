internal import Foundation
internal import Processes

/// What a container writes: to its log, and to all who look on. Who cannot keep up makes the container wait, as a pipe
/// would.
final class ContainerOutput {
  private let loop: MachineLoop
  private let log: Int32?
  private var readEnds: [UInt8: Int32] = [:]
  private var watchers: [UInt8: UInt64] = [:]
  private var connections: [CommandConnection] = []
  var whenEnded: () -> Void = {}

  init(loop: MachineLoop, log path: String?) {
    self.loop = loop
    log = path.map { Glibc.open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o640) }
  }

  deinit { if let log { close(log) } }

  var isEnded: Bool { readEnds.isEmpty }

  /// - Returns: ends to write to, which the caller closes once the container has them.
  func open() throws -> (standard: Int32, error: Int32) {
    let standard = try openPipe()
    let error = try openPipe()
    readEnds = [CommandFrame.standardOutput: standard.readEnd, CommandFrame.standardError: error.readEnd]
    try resume()
    return (standard.writeEnd, error.writeEnd)
  }

  func attach(_ connection: CommandConnection) {
    connections.append(connection)
    connection.whenDrained = { [self] in try? resume() }
  }

  private func resume() throws {
    connections.removeAll(where: \.isClosed)
    guard !connections.contains(where: \.isCongested) else { return }
    for (stream, descriptor) in readEnds.sorted(by: { $0.key < $1.key }) where watchers[stream] == nil {
      watchers[stream] = try loop.watch(descriptor) { [self] _ in read(stream, descriptor) }
    }
  }

  private func pause() {
    for watcher in watchers.values { loop.unwatch(watcher) }
    watchers = [:]
  }

  private func read(_ stream: UInt8, _ descriptor: Int32) {
    let part = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, used in
      used = max(0, retrying { Glibc.read(descriptor, buffer.baseAddress, buffer.count) })
    }
    if part.isEmpty {
      if let watcher = watchers.removeValue(forKey: stream) { loop.unwatch(watcher) }
      readEnds[stream] = nil
      close(descriptor)
      if isEnded { whenEnded() }
      return
    }
    if let log {
      let frame = CommandFrame.header(stream, part.count) + part
      try? frame.withUnsafeBytes { try writeAll($0, to: log) }
    }
    for connection in connections { connection.send(stream, part) }
    if connections.contains(where: \.isCongested) { pause() }
  }

  /// What a log holds, in the order in which it was written.
  static func frames(ofLog path: String) -> [(stream: UInt8, bytes: [UInt8])] {
    var frames: [(UInt8, [UInt8])] = []
    var rest = (readWholeFile(path) ?? [])[...]
    while rest.count >= 5 {
      let count = CommandFrame.count(rest.dropFirst().prefix(4))
      frames.append((rest.first!, Array(rest.dropFirst(5).prefix(count))))
      rest = rest.dropFirst(5 + count)
    }
    return frames
  }
}
