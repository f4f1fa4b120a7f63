import Foundation

/// Shell and Swift tasks that leave a line for each try that really began, and hand numbers on.
enum CrashDAG {
  /// Tasks whose first try fails.
  static let failsFirst: Set<String> = ["shell_1", "double_2"]
  /// Twice 0 + 1 + 2, and twice 3 + 4 + 5.
  static let result = "sums 6 and 24"

  /// - Parameter retries: 1 is needed.
  static func source(records: String, retries: Int = 1) -> String {
    """
    import Dagrun
    import Foundation

    let records = "\(records)"

    // The schedule is for backfills: it ended long ago.
    DAG("crash", schedule: .daily, startDate: "2026-01-01", endDate: "2026-01-31",
      defaults: .init(retries: \(retries), retryDelay: .milliseconds(20))) {
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
struct SplitMix: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
