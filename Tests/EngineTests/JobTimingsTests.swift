import Clash
import Testing

@testable import Executors

/// DAGRUN_JOB_TIMINGS.
@Suite struct JobTimingsTests {
  @Test(arguments: [
    (#"{"loanSeconds": 12, "acknowledgeLimitSeconds": 10}"#, false),
    (#"{"loanSeconds": 13, "acknowledgeLimitSeconds": 10}"#, true),
    (#"{"loanSeconds": 100}"#, false), (#"{"acknowledgeLimitSeconds": 300}"#, false),
    (#"{"acknowledgeLimitSeconds": 147}"#, true),
  ])
  func `a VM is not replaced before what a dead client had comes again`(text: String, isTaken: Bool) {
    var options = JobRunnerOptions()
    if isTaken {
      #expect(throws: Never.self) { try options.takeTimings(text) }
    } else {
      #expect(throws: JobTimingsProblem.self) { try options.takeTimings(text) }
    }
  }

  @Test func `the wait of a VM for its first message is one of them`() throws {
    var options = JobRunnerOptions()
    try options.takeTimings(#"{"firstWordSeconds": 1.2}"#)
    #expect(options.firstWordSeconds == 2)
  }
}
