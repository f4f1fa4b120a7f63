internal import Foundation
internal import Processes

/// What a container writes, to the `docker run` that started it. A reader that cannot keep up makes the container wait,
/// as a pipe would.
final class ContainerOutput {
  private let loop: MachineLoop
  private let connection: CommandConnection
  private var readEnds: [UInt8: Int32] = [:]
  private var watchers: [UInt8: UInt64] = [:]
  var whenEnded: () -> Void = {}

  init(loop: MachineLoop, to connection: CommandConnection) {
    self.loop = loop
    self.connection = connection
    connection.whenDrained = { [self] in try? resume() }
  }

  var isEnded: Bool { readEnds.isEmpty }

  /// - Returns: ends to write to, which the caller closes once the container has them.
  func open() throws -> (standard: Int32, error: Int32) {
    let standard = try openPipe()
    let error = try openPipe()
    readEnds = [CommandFrame.standardOutput: standard.readEnd, CommandFrame.standardError: error.readEnd]
    try resume()
    return (standard.writeEnd, error.writeEnd)
  }

  /// Output for a program that is gone is read on, and dropped.
  private var isCongested: Bool { !connection.isClosed && connection.isCongested }

  private func resume() throws {
    guard !isCongested else { return }
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
    connection.send(stream, part)
    if isCongested { pause() }
  }
}
