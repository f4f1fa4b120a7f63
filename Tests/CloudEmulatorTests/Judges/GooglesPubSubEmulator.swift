import Foundation
import Processes

/// Google's own emulator of Pub/Sub, which comes with gcloud: a program in Java.
final class GooglesPubSubEmulator {
  static let program: String? = {
    guard let gcloud = Tool.gcloud, Tool.path(of: "java") != nil else { return nil }
    let root = URL(filePath: gcloud).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent()
    let program = root.appending(path: "platform/pubsub-emulator/bin/cloud-pubsub-emulator").path
    return FileManager.default.isExecutableFile(atPath: program) ? program : nil
  }()
  static let absence = "Google's Pub/Sub emulator is not there: it comes with gcloud, and needs java"

  let address: String
  private let pid: pid_t

  /// Listens when it returns.
  static func start() async throws -> GooglesPubSubEmulator {
    try await withCheckedThrowingContinuation { continuation in
      DispatchQueue.global().async { continuation.resume(with: Result { try GooglesPubSubEmulator() }) }
    }
  }

  private init() throws {
    let port = try Self.freePort()
    address = "127.0.0.1:\(port)"
    let pipe = try openPipe()
    var spawn = Spawn(Self.program!, ["--host=127.0.0.1", "--port=\(port)"])
    spawn.group = .own
    spawn.descriptors = [1: pipe.writeEnd, 2: pipe.writeEnd]
    pid = try spawn.start()
    close(pipe.writeEnd)
    defer { close(pipe.readEnd) }
    do {
      try Self.waitForWord("listening", from: pipe.readEnd)
    } catch {
      stop()
      throw error
    }
  }

  func stop() {
    kill(-pid, SIGKILL)
    _ = waitForChild(pid)
  }

  private static func waitForWord(_ word: String, from descriptor: Int32) throws {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    let deadline = monotonicSeconds() + 60
    while !text.contains(word) {
      var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
      guard monotonicSeconds() < deadline, poll(&entry, 1, 1000) >= 0 else {
        throw SystemError("start: \(text)", code: ETIMEDOUT)
      }
      guard entry.revents != 0 else { continue }
      let count = read(descriptor, &buffer, buffer.count)
      guard count > 0 else { throw SystemError("start: \(text)", code: EPIPE) }
      text += String(decoding: buffer.prefix(count), as: UTF8.self)
    }
  }

  /// One that nobody listened at a moment ago: the program takes no port of the system's choice.
  private static func freePort() throws -> UInt16 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0
      }
    }
    guard isBound else { throw SystemError("find a free port") }
    return UInt16(bigEndian: address.sin_port)
  }
}
