import Foundation
import Processes
import Testing

/// The scheduler is killed with SIGKILL at random instants of runs of shell and Swift tasks, and started again each time.
/// Every task then ran exactly once per recorded try, and the results are right.
///
/// `DAGRUN_CRASH_COUNT` says how many kills (20 if unset), `DAGRUN_CRASH_SEED` repeats an earlier run of this test as far
/// as the machine's timing allows.
@Suite(.serialized) struct `A killed scheduler` {
  @Test func `neither kills, nor loses, nor repeats a task`() throws {
    let environment = ProcessInfo.processInfo.environment
    let kills = environment["DAGRUN_CRASH_COUNT"].flatMap { Int($0) } ?? 20
    let seed = environment["DAGRUN_CRASH_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1_000_000)
    print("crash test: DAGRUN_CRASH_SEED=\(seed) DAGRUN_CRASH_COUNT=\(kills)")
    var random = SplitMix(state: seed)

    let workshop = try Workshop()
    defer { workshop.remove() }
    let records = workshop.folder + "/records"
    try workshop.write("dags/crash.swift", CrashDAG.source(records: records))

    let started = monotonicSeconds()
    try #require(try workshop.run(["trigger", "crash", "-r", "undisturbed"], timeout: 120).status == .exited(0))
    // The first run compiles; the second tells how long one takes.
    let compiled = monotonicSeconds()
    try #require(try workshop.run(["trigger", "crash", "-r", "measured"], timeout: 120).status == .exited(0))
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
        if try workshop.kill(command, afterSeconds: instant) == false { break }
        killed += 1
        // Killed before it had stored the run, it has promised nothing: then the caller asks again.
        command = try workshop.hasRun("crash", run) ? ["scheduler", "--until-idle"] : command
      }
      if try !workshop.hasRun("crash", run) {
        _ = try workshop.run(["trigger", "crash", "-r", run, "--no-wait"], timeout: 60)
      }
      #expect(try workshop.run(["scheduler", "--until-idle"], timeout: 120).status == .exited(0))
    }

    let lines = try String(contentsOfFile: records, encoding: .utf8).split(separator: "\n").map(String.init)
    let counts = Dictionary(lines.map { ($0, 1) }, uniquingKeysWith: +)
    for run in runs {
      let context: Comment = "seed \(seed), \(run)"
      #expect(try workshop.runState("crash", run) == "success", context)
      var expected: Set<String> = []
      for task in try workshop.taskStates("crash", run) {
        #expect(task.state == "success", "seed \(seed), \(run), \(task.taskID)")
        for number in 1...max(task.tryNumber, 1) { expected.insert("\(run) \(task.taskID) \(number)") }
        let tries = CrashDAG.failsFirst.contains(task.taskID) ? 2 : 1
        #expect(task.tryNumber == tries, "seed \(seed), \(run), \(task.taskID)")
      }
      let recorded = counts.filter { $0.key.hasPrefix(run + " ") }
      #expect(Set(recorded.keys) == expected, context)
      #expect(recorded.allSatisfy { $0.value == 1 }, "\(recorded.filter { $0.value != 1 }), seed \(seed)")
      let log = try workshop.run(["tasks", "logs", "crash", run, "result"], timeout: 30).text(1)
      #expect(log.contains(CrashDAG.result), context)
    }
  }
}

/// Shell and Swift tasks that leave a line for each try that really began, and hand numbers on.
private enum CrashDAG {
  /// Tasks whose first try fails.
  static let failsFirst: Set<String> = ["shell_1", "double_2"]
  /// Twice 0 + 1 + 2, and twice 3 + 4 + 5.
  static let result = "sums 6 and 24"

  static func source(records: String) -> String {
    """
    import Dagrun
    import Foundation

    let records = "\(records)"

    DAG("crash", defaults: .init(retries: 1, retryDelay: .milliseconds(20))) {
      let doubles = (0..<6).map { number in
        let shell = BashOperator(
          "shell_\\(number)",
          \"""
          echo "$DAGRUN_RUN_ID shell_\\(raw: String(number)) $DAGRUN_TRY_NUMBER" >> \\(records)
          sleep 0.0\\(raw: String(number))
          \\(raw: number == 1 ? "[ $DAGRUN_TRY_NUMBER -gt 1 ] || exit 1" : "")
          echo \\(number)
          \""")
        return SwiftOperator("double_\\(number)", shell.output(as: Int.self)) { context, value in
          try record(context)
          if context.taskID == "double_2" && context.tryNumber == 1 { throw Refused() }
          return value * 2
        }
      }
      let sums = [0, 3].map { first in
        SwiftOperator(
          "sum_\\(first)", doubles[first].output, doubles[first + 1].output, doubles[first + 2].output
        ) { context, one, two, three in
          try record(context)
          return one + two + three
        }
      }
      BashOperator(
        "result",
        \"""
        echo "$DAGRUN_RUN_ID result $DAGRUN_TRY_NUMBER" >> \\(records)
        echo sums \\(sums[0].output) and \\(sums[1].output)
        \""")
    }

    struct Refused: Error {}

    func record(_ context: TaskContext) throws {
      let descriptor = open(records, O_WRONLY | O_APPEND | O_CREAT, 0o644)
      defer { close(descriptor) }
      let line = "\\(context.runID) \\(context.taskID) \\(context.tryNumber)\\n"
      guard write(descriptor, line, line.utf8.count) == line.utf8.count else { throw Refused() }
    }
    """
  }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
