// What it costs to wait for the cloud: ten thousand long pulls of one process, against the emulator.
//
// CloudBenchmark [PULLS]      one line of JSON a figure; DAGRUN_BINARY names the dagrun whose emulator is asked
import BenchmarkSupport
import Foundation
import GoogleCloud

let pulls = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 10_000
let binary =
  ProcessInfo.processInfo.environment["DAGRUN_BINARY"]
  ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("dagrun").path

do {
  // The emulator inherits it, and has as many sockets as we have.
  raiseOpenFileLimit()
  let emulator = try Emulator(binary, runsMachines: false)
  defer { emulator.stop() }
  try await measureWaitingPulls(pulls, emulator.variables.merging(["HOME": "/nonexistent"]) { $1 })
} catch {
  FileHandle.standardError.write(Data("CloudBenchmark: \(error)\n".utf8))
  exit(1)
}
