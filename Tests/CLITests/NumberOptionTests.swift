import Dagrun
import Presentation
import Testing

@testable import CLI

/// Every number that an option can carry, and what it may be (`NumberBound.inOptions`).
@Suite struct `Numbers of options` {
  /// By the option: a command line that ends where its value comes.
  private static let lines: [String: String] = [
    "--parallelism": "scheduler --parallelism", "--max-map-length": "scheduler --max-map-length",
    "--map-index": "tasks logs nightly latest extract --map-index", "--limit": "dags list-runs nightly --limit",
    "--port": "emulator --port",
    "--num-executions": "dags next-execution nightly --num-executions",
    "--max-active-runs": "backfill nightly --from-date 2026-01-01 --to-date 2026-01-02 --max-active-runs",
    "--try": "tasks logs nightly latest extract --try", "--older-than": "job gc --all-homes --older-than",
    "--grace": "emulator preempt i --grace", "--disk-size": "job render --project demo --image i --disk-size",
    "--max-run-duration": "job render --project demo --image i --max-run-duration",
    "--max-attempts": "job render --project demo --image i --max-attempts",
    "--timeout": "job render --project demo --image i --timeout",
    "--accelerator": "job render --project demo --image i --accelerator", "slots": "pools set gpu",
  ]

  @Test func `each place of the table can be said`() {
    #expect(Set(Self.lines.keys) == Set(NumberBound.inOptions.map(\.place)))
  }

  @Test(arguments: NumberBound.inOptions)
  func `beyond its bounds it is wrong usage, with the option and the bound`(bound: NumberBound) async throws {
    let line = try #require(Self.lines[bound.place])
    let beyond = [
      "9223372036854775807", "9223372036854775808", "99999999999999999999", "1e19", "\(Int(bound.highest) + 1)",
    ]
    for value in beyond {
      let test = TestSession()
      let words = line.split(separator: " ").map(String.init) + [bound.place == "--accelerator" ? "t4=\(value)" : value]
      let status = await CommandRunner.run(words, in: test.session)
      #expect(status == .wrongUsage, "\(words): \(test.errors)")
      #expect(test.errors.contains(bound.place), "\(words): \(test.errors)")
      #expect(test.errors.contains("at most \(bound.highestText)"), "\(words): \(test.errors)")
      #expect(test.output.isEmpty)
    }
    // What looks like an option has to be joined to its own.
    for value in ["nan", "inf", "-1", "-9223372036854775808", "x", "", "0x"] {
      let test = TestSession()
      var words = line.split(separator: " ").map(String.init)
      let given = bound.place == "--accelerator" ? "t4=\(value)" : value
      if words[words.count - 1] == bound.place {
        words[words.count - 1] += "=\(given)"
      } else {
        words += ["--", given]
      }
      if bound.allows(-1.0), value == "-1" { continue }
      let status = await CommandRunner.run(words, in: test.session)
      #expect(status == .wrongUsage, "\(words): \(test.errors)")
    }
  }

  @Test func `lengths of time of any size are shown`() {
    for seconds in [Double.nan, .infinity, -.infinity, 1e300, 9.3e18, -1, 0.001, 59.99] {
      #expect(!Durations.text(seconds).isEmpty)
    }
  }
}
