import BenchmarkSupport
import Foundation
import GRDB

/// The time in which nothing of a person's runs: between tasks, and between the request and the first task.
func measureLatency(binary: String) throws {
  try measureBetweenTasks(binary: binary)
  try measureToFirstStart(binary: binary)
  try measureAmongBlocked(binary: binary)
}

private func measureBetweenTasks(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "latency")
  defer { project.remove() }
  try project.write("chain.swift", Shape.chain(1_000))
  try project.run(["dags", "list"])
  let commit = 1_000 / (try Bounds.oneRowCommitsPerSecond(in: project.folder))
  try project.run(["trigger", "chain"])
  let gaps = gapsMilliseconds(try project.spans())
  Figure("end of a Swift task to the start of the next, median", gaps.median, "ms")
    .against(commit, "a one-row commit, ms").target("under 0.5 ms", gaps.median < 0.5)
    .with(["p99": gaps.percentile(99)]).report()
}

private func measureToFirstStart(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "first-start")
  defer { project.remove() }
  try project.write("chain.swift", Shape.chain(2))
  try project.run(["dags", "list"])
  let version = try (0..<10).map { _ in try project.run(["version"]) * 1e3 }.median

  func milliseconds(_ arguments: [String]) throws -> [Double] {
    try (0..<20).map { number in
      let asked = Date().timeIntervalSince1970
      try project.run(["trigger", "chain", "-r", "r\(arguments.count)_\(number)"] + arguments)
      let started: Double = try project.wait { database in
        try Int64.fetchOne(
          database,
          sql: """
            SELECT min(start_date) FROM task_instance
            WHERE run = (SELECT id FROM dag_run WHERE run_id = ?) AND state = 'success'
            """, arguments: ["r\(arguments.count)_\(number)"]
        ).map { Double($0) / 1e6 }
      }
      return (started - asked) * 1e3
    }
  }

  let alone = try milliseconds([])
  Figure("trigger to first start, no scheduler running, median", alone.median, "ms")
    .against(version, "`dagrun version`, ms").with(["p99": alone.percentile(99)]).report()

  let scheduler = try project.start(["scheduler"])
  defer {
    scheduler.terminate()
    scheduler.wait()
  }
  try project.waitForSocket()
  let handed = try milliseconds(["--no-wait"])
  // What a person waits for includes the start of the command itself.
  Figure("trigger to first start, a scheduler running, median", handed.median, "ms")
    .against(version, "`dagrun version`, ms").target("under 10 ms", handed.median < 10)
    .with(["p99": handed.percentile(99), "without_own_start": handed.median - version]).report()
}

private func measureAmongBlocked(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "blocked")
  defer { project.remove() }
  try project.write("blocked.swift", Shape.blocked(100_000))
  try project.run(["dags", "list"])
  try project.openGate()
  try project.run(["trigger", "blocked"], expecting: 1)
  let steps = try project.spans().filter { $0.taskID.hasPrefix("step_") }
  guard steps.count == 200 else { throw BenchmarkFailure("\(steps.count) of 200 steps ran") }
  let gaps = gapsMilliseconds(steps)
  let commit = 1_000 / (try Bounds.oneRowCommitsPerSecond(in: project.folder))
  Figure("end of a task to the next start, 100,000 blocked tasks beside it, p99", gaps.percentile(99), "ms")
    .against(commit, "a one-row commit, ms").target("under 5 ms", gaps.percentile(99) < 5)
    .with(["median": gaps.median]).report()
}

private func gapsMilliseconds(_ spans: [BenchmarkProject.Span]) -> [Double] {
  zip(spans, spans.dropFirst()).map { ($1.start - $0.end) * 1e3 }
}
