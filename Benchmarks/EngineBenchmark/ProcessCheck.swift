import BenchmarkSupport
import Foundation
import Processes

/// What a worker pays for each Swift task to know that its process is as it was, against one system call.
func measureProcessCheck(binary: String) throws {
  var state = ProcessState()
  func nanoseconds(_ count: Int, _ body: () -> Void) -> Double {
    (0..<9).map { _ in
      let begin = Processes.monotonicSeconds()
      for _ in 0..<count { body() }
      return (Processes.monotonicSeconds() - begin) / Double(count) * 1e9
    }.median
  }
  let call = nanoseconds(20_000) { _ = getppid() }
  var differences = 0
  let check = nanoseconds(20_000) {
    state.begins()
    if state.difference() != nil { differences += 1 }
  }
  precondition(differences == 0, "the process has changed \(differences) times while nothing happened")
  Figure("check of the process after a Swift task", check, "ns").against(call, "one system call, ns")
    .target("under 2 µs", check < 2000).report()
  let whole = nanoseconds(50) {
    state.begins()
    _ = setenv("DAGRUN_BENCHMARK", "1", 1)
    _ = unsetenv("DAGRUN_BENCHMARK")
    _ = state.difference()
  }
  Figure("the same after one that may have changed something", whole / 1000, "µs").report()
}
