// What dagrun costs, against what the machine can do at best:  make bench
//
// One line of JSON a figure. Arguments name the benchmarks to run; none means all.
import BenchmarkSupport
import Foundation

let arguments = CommandLine.arguments.dropFirst()
let binary =
  ProcessInfo.processInfo.environment["DAGRUN_BINARY"]
  ?? URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().appendingPathComponent("dagrun").path

let benchmarks: [(name: String, run: (String) throws -> Void)] = [
  ("startup", measureStartup),
  ("compile", measureCompile),
  ("throughput", measureThroughput),
  ("latency", measureLatency),
  ("process", measureProcessCheck),
  ("shell", measureShell),
  ("backfill", measureBackfill),
  ("memory", measureMemory),
]

let unknown = arguments.filter { name in !benchmarks.contains { $0.name == name } }
guard unknown.isEmpty else {
  print("no benchmark \(unknown.joined(separator: ", ")); there are: \(benchmarks.map(\.name).joined(separator: " "))")
  exit(2)
}
var failed = false
for benchmark in benchmarks where arguments.isEmpty || arguments.contains(benchmark.name) {
  do {
    try benchmark.run(binary)
  } catch {
    failed = true
    FileHandle.standardError.write(Data("\(benchmark.name): \(error)\n".utf8))
  }
}
exit(failed ? 1 : 0)
