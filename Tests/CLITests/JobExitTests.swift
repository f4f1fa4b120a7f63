import Clash
import GoogleCloud
import JobControl
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

  private static func look(_ reason: CloudError.Reason) -> JobControlError {
    .cannotLook(job: "train", CloudError(reason, operation: "get", subject: "train", message: "why"))
  }

  @Test(
    arguments: [
      (.unreadable("why"), 5), (.invalidName(problem: "why"), 2),
      (.lockUnavailable("why"), 5),
      (.drivenElsewhere(job: "train", process: 7, waitedSeconds: 30), 5),
      (.drivenElsewhere(job: "train", process: nil, waitedSeconds: nil), 5),
      (.belongsToTask(job: "train"), 2), (.unknown(job: "train"), 3),
      (.cannotAttach(InfrastructureFailure(.invalidRequest, "why")), 3),
      (.cannotAttach(InfrastructureFailure(.cloud, "why")), 247), (look(.network), 247),
      (look(.permissionDenied), 242), (look(.unauthenticated), 247), (.seriesIsFull(base: "train"), 2),
      (.interruptedBeforeStart(job: "train"), 130),
    ] as [(JobControlError, Int32)])
  func `what keeps a job from being driven has its exit status`(error: JobControlError, status: Int32) {
    let userError = UserError(explaining: error)
    #expect(userError.status.rawValue == status && !userError.message.isEmpty)
  }

  @Test func `who drives a job and does not leave is named with what to do`() {
    let waited = UserError(explaining: JobControlError.drivenElsewhere(job: "train", process: 7, waitedSeconds: 30))
    #expect(waited.message == "process 7 drives job train, and has not left within 30 s")
    #expect(waited.hint?.contains("dagrun job logs -f train") == true)
    let served = UserError(explaining: JobControlError.drivenElsewhere(job: "train", process: nil, waitedSeconds: nil))
    #expect(served.message == "another process drives job train")
    #expect(served.hint?.contains("attach again") == true)
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
    (["--scope", "nonsense"], "is not a scope"), (["--service-account", "me"], "is not a service_account"),
    (["--shm-size", "lots"], "is not a shared_memory_size"),
    (["--env", "A=1", "--secret", "A=secret"], "in the environment and in secrets"),
  ])
  func `what Google or docker would refuse is said before anything is sent`(
    options: [String], words: String
  ) async throws {
    let folder = try TestFolder()
    let session = TestSession()
    session.workingDirectory = folder.path
    let line = ["job", "run", "--project", "demo", "--image", "debian"] + options + ["--", "true"]
    let status = await CommandRunner.run(line, in: session.session)
    #expect(status == .wrongUsage)
    #expect(session.errors.contains(words), "\(session.errors)")
  }
}
