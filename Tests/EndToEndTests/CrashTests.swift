import Foundation
import Processes
import Testing

/// The scheduler is killed with SIGKILL at random instants of runs of shell and Swift tasks, and started again each
/// time. Every task then ran exactly once per recorded try, and the results are right.
///
/// `DAGRUN_CRASH_COUNT` says how many kills (20 if unset), `DAGRUN_CRASH_SEED` which ones (`CrashSeed`).
@Suite(.blocking, .serialized) struct `A killed scheduler` {
  @Test func `neither kills, nor loses, nor repeats a task`() throws {
    let kills = CrashSeed.count(20)
    let seed = CrashSeed.announced(for: "crash test", count: kills)
    var random = SplitMix(state: seed)

    let project = try BinaryProject()
    defer { project.remove() }
    let records = project.folder + "/records"
    try project.write("dags/crash.swift", CrashDAG.source(records: records))

    let started = monotonicSeconds()
    try #require(try project.run(["trigger", "crash", "-r", "undisturbed"], timeout: 120).status == .exited(0))
    // The first run compiles; the second tells how long one takes.
    let compiled = monotonicSeconds()
    try #require(try project.run(["trigger", "crash", "-r", "measured"], timeout: 120).status == .exited(0))
    let seconds = monotonicSeconds() - compiled
    #expect(compiled - started < 120)

    var runs = ["undisturbed", "measured"]
    var killed = 0
    while killed < kills {
      let run = "run_\(runs.count)"
      runs.append(run)
      var command = ["trigger", "crash", "-r", run]
      while killed < kills {
        let instant = Double(random.next() % 1_000_000) / 1_000_000 * seconds
        if try project.kill(command, afterSeconds: instant) == false { break }
        killed += 1
        // Killed before it had stored the run, it has promised nothing: then the caller asks again.
        command = try project.hasRun("crash", run) ? ["scheduler", "--until-idle"] : command
      }
      if try !project.hasRun("crash", run) {
        _ = try project.run(["trigger", "crash", "-r", run, "--no-wait"], timeout: 60)
      }
      #expect(try project.run(["scheduler", "--until-idle"], timeout: 120).status == .exited(0))
    }

    let lines = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map(String.init)
    let counts = Dictionary(lines.map { ($0, 1) }, uniquingKeysWith: +)
    for run in runs {
      let context: Comment = "seed \(seed), \(run)"
      #expect(try project.runState("crash", run) == "success", context)
      var expected: Set<String> = []
      for task in try project.taskStates("crash", run) {
        #expect(task.state == "success", "seed \(seed), \(run), \(task.taskID)")
        for number in 1...max(task.tryNumber, 1) { expected.insert("\(run) \(task.taskID) \(number)") }
        let tries = CrashDAG.failsFirst.contains(task.taskID) ? 2 : 1
        #expect(task.tryNumber == tries, "seed \(seed), \(run), \(task.taskID)")
      }
      let recorded = counts.filter { $0.key.hasPrefix(run + " ") }
      #expect(Set(recorded.keys) == expected, context)
      #expect(recorded.allSatisfy { $0.value == 1 }, "\(recorded.filter { $0.value != 1 }), seed \(seed)")
      let log = try project.run(["tasks", "logs", "crash", run, "result"], timeout: 30).text(1)
      #expect(log.contains(CrashDAG.result), context)
    }
  }
}
