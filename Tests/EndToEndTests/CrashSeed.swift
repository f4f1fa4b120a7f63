import Foundation

/// What the tests that kill processes draw their instants from. The same by default, so that a change is not judged by
/// a lottery; `DAGRUN_CRASH_SEED` is another number, or `random`. It repeats a run as far as the machine's timing
/// allows.
enum CrashSeed {
  static let standard: UInt64 = 126_680

  /// Says which one it is, for a run that fails is to be repeated.
  static func announced(for test: String, count: Int) -> UInt64 {
    let asked = ProcessInfo.processInfo.environment["DAGRUN_CRASH_SEED"]
    let seed = asked == "random" ? UInt64.random(in: 0..<1_000_000) : asked.map { UInt64($0) ?? standard } ?? standard
    print("\(test): DAGRUN_CRASH_SEED=\(seed) DAGRUN_CRASH_COUNT=\(count)")
    return seed
  }

  /// How many kills: `DAGRUN_CRASH_COUNT`, or so many.
  static func count(_ usual: Int) -> Int {
    ProcessInfo.processInfo.environment["DAGRUN_CRASH_COUNT"].flatMap { Int($0) } ?? usual
  }
}
