import Foundation
import GRDB

/// Resident memory of the scheduler: idle, and with one run of 100,000 task instances.
func measureMemory(binary: String) throws {
  let idle = try Workshop(binary: binary, name: "idle")
  defer { idle.remove() }
  try idle.write("chain.swift", Shape.chain(3))
  try idle.run(["dags", "list"])
  try withScheduler(of: idle) { scheduler in
    try idle.run(["trigger", "chain"])
    let megabytes = try residentMegabytes(of: scheduler)
    Figure("idle scheduler, resident", megabytes.now, "MB").target("under 30 MB", megabytes.now < 30)
      .with(["peak": megabytes.peak]).report()
  }

  let large = try Workshop(binary: binary, name: "large")
  defer { large.remove() }
  try large.write("blocked.swift", Shape.blocked(100_000))
  try large.run(["dags", "list"])
  try withScheduler(of: large) { scheduler in
    try large.run(["trigger", "blocked", "--no-wait"])
    let _: Bool = try large.wait { database in
      try Bool.fetchOne(database, sql: "SELECT 1 FROM task_instance WHERE task_id = 'gate' AND state = 'running'")
    }
    let megabytes = try residentMegabytes(of: scheduler)
    Figure("scheduler with 100,000 task instances in one run, resident", megabytes.now, "MB")
      .target("under 200 MB", megabytes.now < 200).with(["peak": megabytes.peak]).report()
    try large.openGate()
    let _: Bool = try large.wait { database in
      try Bool.fetchOne(database, sql: "SELECT 1 FROM dag_run WHERE state = 'failed'")
    }
  }
}

private func withScheduler(of workshop: Workshop, _ body: (Child) throws -> Void) throws {
  let scheduler = try workshop.start(["scheduler"])
  defer {
    scheduler.terminate()
    scheduler.wait()
  }
  try workshop.waitForSocket()
  try body(scheduler)
}

extension Workshop {
  /// Lets the gate of `Shape.blocked` end.
  func openGate() throws { try write("go", "") }

  /// Until the scheduler takes requests.
  func waitForSocket() throws {
    let path = folder.appendingPathComponent(".dagrun/scheduler.sock").path
    let deadline = Date().addingTimeInterval(30)
    while !FileManager.default.fileExists(atPath: path) {
      guard Date() < deadline else { throw BenchmarkFailure("the scheduler did not start within 30 s") }
      usleep(1_000)
    }
  }
}

private func residentMegabytes(of process: Child) throws -> (now: Double, peak: Double) {
  let status = try String(contentsOfFile: "/proc/\(process.pid)/status", encoding: .utf8)
  func megabytes(_ field: String) -> Double {
    let line = status.split(separator: "\n").first { $0.hasPrefix(field + ":") }
    return (line?.split(whereSeparator: \.isWhitespace).dropFirst().first.flatMap { Double($0) } ?? 0) / 1_000
  }
  return (megabytes("VmRSS"), megabytes("VmHWM"))
}
