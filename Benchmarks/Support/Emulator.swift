internal import Foundation
internal import Processes

/// `dagrun emulator start`, for as long as this is kept.
package final class Emulator {
  /// The variables that lead there, alone.
  package let variables: [String: String]
  /// `http://127.0.0.1:PORT`
  package let address: String
  package let pid: Int32
  private let output: Int32

  /// - Parameter runsMachines: its VMs run what they are given; otherwise they are there and do nothing.
  package init(_ binary: String, runsMachines: Bool) throws {
    let pipe = try openPipe()
    output = pipe.readEnd
    var spawn = Spawn(binary, ["emulator", "start", "--machines", runsMachines ? "processes" : "none"])
    spawn.descriptors = [1: pipe.writeEnd]
    pid = try spawn.start()
    close(pipe.writeEnd)
    var text = ""
    var variables: [String: String] = [:]
    // One variable a line, in one piece.
    while variables["PUBSUB_EMULATOR_HOST"] == nil || !text.hasSuffix("\n") {
      var entry = pollfd(fd: output, events: Int16(POLLIN), revents: 0)
      guard poll(&entry, 1, 30_000) > 0 else { throw BenchmarkFailure("the emulator does not say where it is") }
      var bytes = [UInt8](repeating: 0, count: 4096)
      let count = read(output, &bytes, bytes.count)
      guard count > 0 else { throw BenchmarkFailure("the emulator ended") }
      text += String(decoding: bytes.prefix(count), as: UTF8.self)
      for line in text.split(separator: "\n") where line.hasPrefix("export ") {
        let parts = line.dropFirst("export ".count).split(separator: "=", maxSplits: 1)
        guard parts.count == 2 else { continue }
        variables[String(parts[0])] = parts[1].trimmingCharacters(in: CharacterSet(charactersIn: "'\""))
      }
    }
    // No credentials of this machine are to be found, or looked for.
    variables["NO_GCE_CHECK"] = "true"
    self.variables = variables
    address = "http://" + (variables["PUBSUB_EMULATOR_HOST"] ?? "")
  }

  package func stop() {
    kill(pid, SIGTERM)
    _ = waitForChild(pid)
    close(output)
  }
}
