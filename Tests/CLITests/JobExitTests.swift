import Clash
import Testing

@testable import CLI

@Suite struct JobExitTests {
  @Test func `a program's own status is never one of the surroundings' failures`() {
    #expect(JobOutcome(.exited(status: 127)).exitStatus.rawValue == 127)
    for kind in InfrastructureFailure.Kind.allCases {
      let outcome = JobOutcome(.infrastructure(InfrastructureFailure(kind, "why")))
      #expect((240...248).contains(outcome.exitStatus.rawValue))
    }
  }

  @Test(
    arguments: [
      ("90", 90.0), ("90s", 90), ("30m", 1800), ("1.5h", 5400), ("2d", 172_800), ("", nil), ("-1", nil), ("m", nil),
      ("1w", nil),
    ] as [(String, Double?)])
  func `lengths of time are read with their unit`(text: String, seconds: Double?) {
    #expect(DurationOption(argument: text)?.seconds == seconds)
  }

  @Test(arguments: [
    (["--scope", "nonsense"], "is no scope"), (["--service-account", "me"], "is no service_account"),
    (["--shm-size", "lots"], "is no shared_memory_size"),
    (["--env", "A=1", "--secret", "A=secret"], "in the environment and in secrets"),
  ])
  func `what Google or docker would refuse is said before anything is sent`(
    options: [String], words: String
  ) async throws {
    let folder = try TestFolder()
    let session = TestSession()
    session.workingDirectory = folder.path
    let line = ["job", "run", "--project", "demo", "--image", "debian"] + options + ["--", "true"]
    let status = await Interpreter.run(line, in: session.session)
    #expect(status == .wrongUsage)
    #expect(session.errors.contains(words), "\(session.errors)")
  }
}
