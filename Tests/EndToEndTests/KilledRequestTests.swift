import Foundation
import Processes
import Testing

/// The scheduler is killed while it makes the runs of a backfill, and while cleared tasks run again.
@Suite(.blocking, .serialized) struct `A scheduler killed within a request` {
  private static let days = ["2026-01-01", "2026-01-02", "2026-01-03"]

  @Test func `repeats no task of a backfill, nor of what was cleared`() throws {
    let kills = CrashSeed.count(20) / 2
    let seed = CrashSeed.announced(for: "request crash test", count: kills)
    var random = SplitMix(state: seed)

    let project = try BinaryProject()
    defer { project.remove() }
    let records = project.folder + "/records"
    try project.write("dags/crash.swift", CrashDAG.source(records: records))
    try #require(try project.run(["trigger", "crash", "-r", "compiled"], timeout: 120).status == .exited(0))
    func instant() -> Double { Double(random.next() % 1_000_000) / 1_000_000 * 1.2 }

    let backfill = ["backfill", "crash", "--from-date", Self.days.first!, "--to-date", Self.days.last!]
    var killed = 0
    while killed < kills / 2, try project.kill(backfill, afterSeconds: instant()) {
      killed += 1
      if killed < kills / 2, try project.kill(["scheduler", "--until-idle"], afterSeconds: instant()) { killed += 1 }
    }
    #expect(try project.run(["scheduler", "--until-idle"], timeout: 120).status == .exited(0))
    // It may have been killed each time before its runs were stored.
    let last = try project.run(backfill, timeout: 120)
    #expect(last.status == .exited(0) || last.text(2).contains("exists already"), "seed \(seed), \(last.text(2))")
    try expectExact(project, records, "seed \(seed), backfill")

    while killed < kills {
      let clear = ["tasks", "clear", "crash", "-y", "-s", Self.days.first!, "-t", "double_|sum_"]
      let cleared = try project.run(clear, timeout: 60)
      #expect(cleared.status == .exited(0), "seed \(seed), \(cleared.text(2))")
      if try project.kill(["scheduler", "--until-idle"], afterSeconds: instant()) { killed += 1 }
      // Cleared while they are under way, and no scheduler is there.
      if killed % 3 == 0 { _ = try project.run(clear, timeout: 60) }
      if try project.kill(["scheduler", "--until-idle"], afterSeconds: instant()) { killed += 1 }
    }
    #expect(try project.run(["scheduler", "--until-idle"], timeout: 120).status == .exited(0))
    try expectExact(project, records, "seed \(seed), clear")
  }

  /// Every try that is recorded to have begun left one line, and there are no others.
  private func expectExact(_ project: BinaryProject, _ records: String, _ context: Comment) throws {
    let lines = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map(String.init)
    let counts = Dictionary(lines.map { ($0, 1) }, uniquingKeysWith: +)
    #expect(counts.allSatisfy { $0.value == 1 }, "\(counts.filter { $0.value != 1 }), \(context)")
    let runs = try project.json(["dags", "list-runs", "crash"]) as? [[String: Any]] ?? []
    let backfilled = runs.filter { $0["run_type"] as? String == "backfill" }
    #expect(backfilled.count == Self.days.count, context)
    for run in backfilled.compactMap({ $0["dag_run_id"] as? String }) {
      for task in try project.taskStates("crash", run) {
        let place: Comment = "\(context), \(run), \(task.taskID), try \(task.tryNumber)"
        #expect(task.state == "success", place)
        #expect(counts["\(run) \(task.taskID) \(task.tryNumber)"] == 1, place)
        #expect(counts["\(run) \(task.taskID) \(task.tryNumber + 1)"] == nil, place)
      }
    }
  }
}
