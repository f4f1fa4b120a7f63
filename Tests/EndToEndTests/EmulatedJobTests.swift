import Foundation
import Testing

/// Jobs by the real binary, against the real binary's emulator, whose machines run what Google's would be given.
@Suite(.blocking, .serialized) struct EmulatedJobTests {
  private static let job = ["--project", "demo", "--image", "debian", "--zone", "europe-west1-b"]

  /// Begins, and takes long enough to be killed under.
  private static let dag =
    """
    import Dagrun

    let machine = JobConfig(project: "demo", image: "debian").zones("europe-west1-b")
    DAG("remote") {
      let job = ComputeEngineJobOperator("job", job: machine, command: "echo begun; sleep 3; echo done")
      SwiftOperator("after", job.output) { context, job in "\\(job.exitStatus) in \\(job.zone)" }
    }
    """

  @Test func `a program's own status is the command's, and nothing is left`() throws {
    let cloud = try Cloud()
    let ended = try cloud.project.run(["job", "run"] + Self.job + ["--", "sh", "-c", "echo it\\'s; exit 127"])
    #expect(ended.code == 127 && ended.output == "it's\n", "\(ended.errors)")
    #expect(ended.errors.contains("its program ended with status 127"))
    let json = try cloud.project.run(["job", "run"] + Self.job + ["-o", "json", "--", "no-such-program"])
    #expect(json.code == 245 && json.output.contains(#""kind": "command_not_found""#), "\(json.output) \(json.errors)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `Ctrl-C cancels a job and removes all that it has`() throws {
    let cloud = try Cloud()
    let job = try cloud.project.start("job", "run", "--project", "demo", "--image", "debian", "--", "sleep", "100")
    #expect(job.wait { $0.contains(" runs on ") }, "\(job.text)")
    job.signal(SIGINT)
    #expect(try job.waitForEnd() == 130)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `the same name again continues with the job of a killed command`() throws {
    let cloud = try Cloud()
    let arguments = ["job", "run", "--name", "once"] + Self.job + ["--", "sh", "-c", "echo begun; sleep 2; echo done"]
    let first = try cloud.project.start(
      "job", "run", "--name", "once", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--", "sh",
      "-c", "echo begun; sleep 2; echo done")
    #expect(first.wait { $0.contains(" runs on ") }, "\(first.text)")
    first.signal(SIGKILL)
    _ = try first.waitForEnd()
    let second = try cloud.project.run(arguments)
    #expect(second.code == 0 && second.output.hasSuffix("done\n"), "\(second.output) \(second.errors)")
    #expect(try cloud.everMade("instances") == 1)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  /// Its program hears of the end, and puts its work aside: 0 does not mean that it is done.
  @Test func `a preempted machine is followed by another one`() throws {
    let cloud = try Cloud()
    cloud.project.environment["DAGRUN_JOB_TIMINGS"] = #"{"graceSeconds": 3, "silenceSeconds": 10}"#
    let job = try cloud.project.start(
      "job", "run", "--spot", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--", "sh", "-c",
      "trap 'exit 0' TERM; echo begun; sleep 6 & wait")
    #expect(job.wait { $0.contains(" runs on ") }, "\(job.text)")
    #expect(try cloud.project.run("emulator", "preempt", try cloud.instance(), "--grace", "10").code == 0)
    #expect(try job.waitForEnd(seconds: 120) == 0, "\(job.text)")
    #expect(try cloud.everMade("instances") == 2)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a scheduler that is killed leaves the job of a task to the next one`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let first = try cloud.project.start("trigger", "remote", "--run-id", "r")
    #expect(first.wait(seconds: 60) { $0.contains("job running") }, "\(first.text)")
    first.signal(SIGKILL)
    _ = try first.waitForEnd()
    let second = try cloud.project.run("scheduler", "--until-idle", timeout: 60)
    #expect(second.code == 0, "\(second.errors)")
    let states = try cloud.project.taskStates("remote", "r")
    #expect(states.allSatisfy { $0.state == "success" && $0.tryNumber == 1 }, "\(states)")
    let log = try cloud.project.run("tasks", "logs", "remote", "r", "job").output
    #expect(log.split(separator: "\n").filter { !$0.hasPrefix("[dagrun]") } == ["begun", "done"], "\(log)")
    #expect(try cloud.everMade("instances") == 1)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `cancelling a task's job by its name fails the task for good`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let run = try cloud.project.start("trigger", "remote", "--run-id", "r")
    #expect(run.wait(seconds: 60) { $0.contains("job running") }, "\(run.text)")
    let name = try cloud.project.run("job", "list", "-o", "plain").output.split(separator: "\t").first.map(String.init)
    let cancelled = try cloud.project.run("job", "cancel", try #require(name))
    #expect(cancelled.code == 0, "\(cancelled.errors)")
    #expect(try run.waitForEnd() == 1)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a command that is its own scheduler leaves no job of its cancelled run`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let run = try cloud.project.start("trigger", "remote", "--run-id", "r")
    #expect(run.wait(seconds: 60) { $0.contains("job running") }, "\(run.text)")
    #expect(try cloud.project.run("dags", "set-state", "remote", "r", "failed").code == 0)
    #expect(try run.waitForEnd(seconds: 60) == 1, "\(run.text)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }
}
