import Foundation
import Processes

/// `dagrun emulator start` without machines, for as long as this is kept.
final class Emulator {
  let environment: [String: String]
  private let pid: pid_t
  private let output: Int32

  init(_ binary: String) throws {
    let pipe = try openPipe()
    output = pipe.readEnd
    var spawn = Spawn(binary, ["emulator", "start", "--machines", "none"])
    spawn.descriptors = [1: pipe.writeEnd]
    pid = try spawn.start()
    close(pipe.writeEnd)
    var text = ""
    // One variable a line; this one is the last that a client of Pub/Sub needs.
    while !text.contains("PUBSUB_EMULATOR_HOST=") || !text.hasSuffix("\n") {
      var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 30_000) > 0 else { throw BenchmarkFailure("the emulator does not say where it is") }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &bytes, bytes.count)
      guard count > 0 else { throw BenchmarkFailure("the emulator ended") }
      text += String(decoding: bytes.prefix(count), as: UTF8.self)
    }
    var environment = ["HOME": "/nonexistent", "NO_GCE_CHECK": "true"]
    for line in text.split(separator: "\n") where line.hasPrefix("export PUBSUB_EMULATOR_HOST=") {
      let value = line.drop { $0 != "=" }.dropFirst()
      environment["PUBSUB_EMULATOR_HOST"] = value.trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
    }
    self.environment = environment
  }

  func stop() {
    kill(pid, SIGTERM)
    _ = waitForChild(pid)
    close(output)
  }
}

struct BenchmarkFailure: Error, CustomStringConvertible {
  var description: String
  init(_ description: String) { self.description = description }
}

func raiseOpenFileLimit() {
  var limit = rlimit()
  getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  limit.rlim_cur = limit.rlim_max
  setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
}
