import Foundation
import ModelCloud
import Testing

@testable import Clash

@Suite(.timeLimit(.minutes(3))) struct ManyJobsTests {
  private func threads() -> Int {
    (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count) ?? 0
  }

  @Test func `a thousand waiting jobs are a thousand pulls, and do not hold a thread each`() async {
    let bench = RunnerBench(ModelCloud())
    // As long waits as against Google: what is measured is waiting.
    bench.options.timings.firstLookSeconds = 5
    bench.options.timings.longestLookSeconds = 30
    bench.options.timings.silenceSeconds = 300
    let names = (0..<1000).map { "job-\($0)" }
    let jobs = names.map { bench.start(jobRequest($0)) }
    for name in names {
      await bench.cloud.reached("insert group \(name)-1")
      bench.cloud.start(name, attempt: 1)
    }
    for job in jobs { await job.began() }
    await bench.cloud.reachedPulls(1000)
    #expect(bench.cloud.openPulls == 1000)
    // Those that were needed to begin, and those of other suites, go only after some seconds without work.
    #expect(threads() < 200)
    #expect(bench.cloud.mostGroups == 1000)
    // Saved together: many jobs a transaction.
    #expect(bench.journal.batches.contains { $0.count > 10 })
    for name in names { bench.cloud.finish(name, attempt: 1) }
    for job in jobs { #expect(await job.outcome().ending == .exited(status: 0)) }
    #expect(bench.cloud.inventory == [])
  }
}
