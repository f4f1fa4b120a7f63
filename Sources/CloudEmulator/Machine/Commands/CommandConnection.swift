internal import Foundation
internal import Processes

/// One program of the VM that waits for its answer.
final class CommandConnection {
  private let loop: MachineLoop
  private let socket: Int32
  private var watcher: UInt64 = 0
  private var received: [UInt8] = []
  private var pending: [UInt8] = []
  private var hasRequest = false
  private var isFinished = false
  private(set) var isClosed = false

  var whenSignaled: (Int32) -> Void = { _ in }
  /// There is room again.
  var whenDrained: () -> Void = {}
  private let whenAsked: (CommandRequest, CommandConnection) -> Void
  private static let congestionBytes = 1 << 20

  init(
    _ loop: MachineLoop, socket: Int32, whenAsked: @escaping (CommandRequest, CommandConnection) -> Void
  ) throws {
    self.loop = loop
    self.socket = socket
    self.whenAsked = whenAsked
    // The loop keeps it alive until it is closed.
    watcher = try loop.watch(socket) { isWritable in
      if isWritable { self.flush() }
      self.receive()
    }
  }

  /// Whoever reads is slower than whoever writes.
  var isCongested: Bool { pending.count > Self.congestionBytes }

  func output(_ text: String) { send(CommandFrame.standardOutput, Array(text.utf8)) }
  func error(_ text: String) { send(CommandFrame.standardError, Array(text.utf8)) }

  func send(_ kind: UInt8, _ bytes: [UInt8]) {
    if isClosed || isFinished { return }
    pending += CommandFrame.header(kind, bytes.count) + bytes
    flush()
  }

  func finish(_ status: Int32) {
    send(CommandFrame.exit, CommandFrame.bigEndian(Int(status)))
    isFinished = true
    if pending.isEmpty { end() }
  }

  private func flush() {
    if isClosed { return }
    let wasCongested = isCongested
    while !pending.isEmpty {
      let count = pending.withUnsafeBytes { buffer in retrying { Glibc.write(socket, buffer.baseAddress, buffer.count) }
      }
      if count < 0 {
        if errno != EAGAIN { return end() }
        break
      }
      pending.removeFirst(count)
    }
    if pending.isEmpty, isFinished { return end() }
    loop.await(writable: !pending.isEmpty, watcher)
    if wasCongested, !isCongested { whenDrained() }
  }

  private func receive() {
    if isClosed { return }
    let part = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, used in
      let count = retrying { read(socket, buffer.baseAddress, buffer.count) }
      used = max(0, count)
      if count == 0 || (count < 0 && errno != EAGAIN) { isClosed = true }
    }
    if isClosed {
      isClosed = false
      return end()
    }
    if hasRequest {
      for byte in part { whenSignaled(Int32(byte)) }
      return
    }
    received += part
    guard received.count >= 4 else { return }
    let count = CommandFrame.count(received[..<4])
    guard received.count >= 4 + count else { return }
    hasRequest = true
    let rest = received[(4 + count)...]
    guard let request = try? JSONDecoder().decode(CommandRequest.self, from: Data(received[4..<(4 + count)])) else {
      return end()
    }
    received = []
    whenAsked(request, self)
    for byte in rest { whenSignaled(Int32(byte)) }
  }

  private func end() {
    if isClosed { return }
    isClosed = true
    loop.unwatch(watcher)
    close(socket)
    whenDrained()
    whenDrained = {}
    whenSignaled = { _ in }
  }
}
