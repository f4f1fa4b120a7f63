import BenchmarkSupport
import Foundation
import GRDB

/// Resident memory of the scheduler: idle, and with one run of 100,000 task instances.
func measureMemory(binary: String) throws {
  let idle = try BenchmarkProject(binary: binary, name: "idle")
  defer { idle.remove() }
  try idle.write("chain.swift", Shape.chain(3))
  try idle.run(["dags", "list"])
  try idle.withScheduler { scheduler in
    try idle.run(["trigger", "chain"])
    let figures = ProcessFigures(of: scheduler.pid)
    Figure("idle scheduler, resident", figures.residentMegabytes, "MB").target(
      "under 30 MB", figures.residentMegabytes < 30
    )
    .with(["peak": figures.peakResidentMegabytes]).report()
  }

  let large = try BenchmarkProject(binary: binary, name: "large")
  defer { large.remove() }
  try large.write("blocked.swift", Shape.blocked(100_000))
  try large.run(["dags", "list"])
  try large.withScheduler { scheduler in
    try large.run(["trigger", "blocked", "--no-wait"])
    let _: Bool = try large.wait { database in
      try Bool.fetchOne(database, sql: "SELECT 1 FROM task_instance WHERE task_id = 'gate' AND state = 'running'")
    }
    let figures = ProcessFigures(of: scheduler.pid)
    Figure("scheduler with 100,000 task instances in one run, resident", figures.residentMegabytes, "MB")
      .target("under 200 MB", figures.residentMegabytes < 200).with(["peak": figures.peakResidentMegabytes]).report()
    try large.openGate()
    let _: Bool = try large.wait { database in
      try Bool.fetchOne(database, sql: "SELECT 1 FROM dag_run WHERE state = 'failed'")
    }
  }
}

extension BenchmarkProject {
  /// Lets the gate of `Shape.blocked` end.
  func openGate() throws { try write("go", "") }
}
