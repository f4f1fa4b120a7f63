import BenchmarkSupport
import Foundation
import GRDB

/// Tasks per second of no-op Swift tasks in three shapes, all durable, against the rate of one-row commits.
func measureThroughput(binary: String) throws {
  for count in [1_000, 10_000] {
    for (name, source, factor) in [
      ("wide", Shape.wide(count), 2.0), ("chain", Shape.chain(count), 0.5), ("layered", Shape.layered(count), 1.0),
    ] {
      let project = try BenchmarkProject(binary: binary, name: name, parallelism: 64)
      defer { project.remove() }
      try project.write("\(name).swift", source)
      // The file is compiled before the clock starts.
      try project.run(["dags", "list"])
      let bound = try Bounds.oneRowCommitsPerSecond(in: project.folder)
      let command = try project.run(["trigger", name])
      let seconds = try project.runSeconds()
      let figure = Figure("\(name) of \(count) no-op Swift tasks", Double(count) / seconds, "tasks/s")
        .against(bound, "one-row commits/s")
        .with(["run_seconds": seconds, "command_seconds": command])
      let ratio = figure.ratio ?? 0
      (name == "layered" ? figure : figure.target("at least \(factor) x the bound", ratio >= factor)).report()
    }
  }
}

/// Shell tasks against two programs that do nothing but start them.
func measureShell(binary: String) throws {
  let count = 2_000
  let project = try BenchmarkProject(binary: binary, name: "shell", parallelism: 4)
  defer { project.remove() }
  try project.write("shell.swift", Shape.shell(count, command: "true"))
  try project.run(["dags", "list"])

  // The same text for each: ninja gives it to `sh`. What bash costs beside that stands beside it.
  func ninjaFile(_ name: String, _ command: String) throws -> String {
    let text = "rule run\n  command = \(command)\n" + (0..<count).map { "build out\($0): run\n" }.joined()
    try text.write(to: project.folder.appendingPathComponent(name), atomically: true, encoding: .utf8)
    return name
  }
  let same = try ninjaFile("same.ninja", "true")
  let withBash = try ninjaFile("bash.ninja", "bash -c true")
  let lines = project.folder.appendingPathComponent("commands")
  try String(repeating: "true\n", count: count).write(to: lines, atomically: true, encoding: .utf8)

  var ours: [Double] = []
  var ninja: [Double] = []
  var ninjaWithBash: [Double] = []
  var xargs: [Double] = []
  for _ in 0..<3 {
    ninja.append(try Bounds.seconds("ninja", ["-j4", "--quiet", "-f", same], in: project.folder))
    ninjaWithBash.append(try Bounds.seconds("ninja", ["-j4", "--quiet", "-f", withBash], in: project.folder))
    xargs.append(try Bounds.seconds("xargs", ["-P4", "-n1", "sh", "-c"], in: project.folder, input: lines))
    try project.run(["trigger", "shell"])
    ours.append(try project.runSeconds())
  }
  let rate = Double(count) / ours.median
  let figure = Figure("\(count) shell tasks `true`, 4 at once", rate, "tasks/s")
    .against(Double(count) / ninja.median, "ninja -j4, commands/s")
    .with([
      "xargs_commands_per_second": Double(count) / xargs.median,
      "ninja_with_bash_commands_per_second": Double(count) / ninjaWithBash.median,
    ])
  figure.target("at least as fast as ninja -j4", (figure.ratio ?? 0) >= 1).report()
}

/// A year of a three-task chain.
func measureBackfill(binary: String) throws {
  let project = try BenchmarkProject(binary: binary, name: "backfill", parallelism: 64)
  defer { project.remove() }
  try project.write("yearly.swift", Shape.yearly)
  try project.run(["dags", "list"])
  let bound = try Bounds.oneRowCommitsPerSecond(in: project.folder)
  let seconds = try project.run(
    ["backfill", "yearly", "--from-date", "2025-01-01", "--to-date", "2025-12-31", "--max-active-runs", "64"])
  let ended = try project.query {
    try Int.fetchOne($0, sql: "SELECT count(*) FROM task_instance WHERE state = 'success'")
  }
  guard ended == 1_095 else { throw BenchmarkFailure("\(ended ?? 0) of 1,095 tasks succeeded") }
  Figure("backfill of 365 days of a 3-task chain, whole command", seconds, "s")
    .against(1_095 / bound, "1,095 one-row commits, s")
    .target("under 1 s", seconds < 1).report()
}
