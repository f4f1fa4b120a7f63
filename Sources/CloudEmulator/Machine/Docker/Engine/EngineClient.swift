internal import Foundation
internal import Processes

/// One run of the real client.
final class EngineClient {
  let pid: pid_t
  private let whenEnded: (Int32) -> Void
  private var status: Int32?
  private var isRead = false

  /// Hands on what it writes, as it comes, and its signals.
  static func stream(
    _ spawn: Spawn, to connection: CommandConnection, loop: MachineLoop, whenEnded: @escaping (Int32) -> Void
  ) throws -> EngineClient {
    let output = ContainerOutput(loop: loop, log: nil)
    let ends = try output.open()
    output.attach(connection)
    let client = try EngineClient(spawn, ends.standard, ends.error, loop, whenEnded)
    output.whenEnded = { client.read() }
    connection.whenSignaled = { client.signal($0) }
    connection.whenClosed = { client.signal(SIGKILL) }
    return client
  }

  /// Keeps what it writes, for the end.
  static func collect(
    _ spawn: Spawn, loop: MachineLoop, whenEnded: @escaping (Int32, _ output: [UInt8], _ error: [UInt8]) -> Void
  ) throws -> EngineClient {
    let output = try openPipe()
    let error = try openPipe()
    let texts = Texts()
    let client = try EngineClient(spawn, output.writeEnd, error.writeEnd, loop) {
      whenEnded($0, texts.output, texts.error)
    }
    for end in [output.readEnd, error.readEnd] {
      var watcher: UInt64 = 0
      watcher = try loop.watch(end) { _ in
        let part = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, used in
          used = max(0, retrying { Glibc.read(end, buffer.baseAddress, buffer.count) })
        }
        if end == output.readEnd { texts.output += part } else { texts.error += part }
        guard part.isEmpty else { return }
        loop.unwatch(watcher)
        close(end)
        texts.open -= 1
        if texts.open == 0 { client.read() }
      }
    }
    return client
  }

  private final class Texts {
    var output: [UInt8] = []
    var error: [UInt8] = []
    var open = 2
  }

  /// Closes the ends that it gives to the client.
  private init(
    _ spawn: Spawn, _ output: Int32, _ error: Int32, _ loop: MachineLoop, _ whenEnded: @escaping (Int32) -> Void
  ) throws {
    defer {
      close(output)
      close(error)
    }
    let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(null) }
    var spawn = spawn
    spawn.descriptors = [0: null, 1: output, 2: error]
    spawn.group = .session
    self.whenEnded = whenEnded
    pid = try spawn.start()
    loop.whenEnded(pid) { [self] ended in
      status =
        switch ended {
        case .exited(let code): code
        case .signaled(let number): 128 + number
        }
      end()
    }
  }

  func signal(_ number: Int32) { if status == nil { kill(pid, number) } }

  private func read() {
    isRead = true
    end()
  }

  private func end() { if let status, isRead { whenEnded(status) } }
}
