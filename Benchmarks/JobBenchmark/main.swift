// What jobs cost, against the emulator:  make bench-jobs
//
// One line of JSON a figure. Arguments name the benchmarks to run; none means all.
import BenchmarkSupport
import Foundation

let arguments = CommandLine.arguments.dropFirst()
let binary =
  ProcessInfo.processInfo.environment["DAGRUN_BINARY"]
  ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("dagrun").path

let benchmarks: [(name: String, run: (String) async throws -> Void)] = [
  ("overhead", measureOverhead),
  ("waiting", measureWaitingJobs),
  ("machines", measureJobsWithMachines),
]

let unknown = arguments.filter { name in !benchmarks.contains { $0.name == name } }
guard unknown.isEmpty else {
  print("no benchmark \(unknown.joined(separator: ", ")); there are: \(benchmarks.map(\.name).joined(separator: " "))")
  exit(2)
}
// The emulator and the scheduler inherit it: a job that waits is a socket in each.
raiseOpenFileLimit()
var failed = false
for benchmark in benchmarks where arguments.isEmpty || arguments.contains(benchmark.name) {
  do {
    try await benchmark.run(binary)
  } catch {
    failed = true
    FileHandle.standardError.write(Data("\(benchmark.name): \(error)\n".utf8))
  }
}
exit(failed ? 1 : 0)
