import Foundation
import Testing

/// Tasks whose work is done by jobs, run for another scheduler: the command may die, and its next try continues with
/// the job.
@Suite(.blocking, .serialized) struct OtherSchedulerJobTests {
  private static let dag =
    """
    import Dagrun

    let machine = JobConfig(project: "demo", image: "debian").zones("europe-west1-b")
    DAG("remote") {
      let number = SwiftOperator("number") { context in 7 }
      let text = ComputeEngineJobOperator(
        "text", job: machine, command: "echo got \\(number.output) in $DAGRUN_RUN_ID; echo 42 > $DAGRUN_OUTPUT")
      SwiftOperator("after", text.output(as: Int.self)) { context, number in number + 1 }
      ComputeEngineJobOperator("slow", job: machine, command: "echo begun; sleep 15; echo done")
      ComputeEngineJobOperator("fails", job: machine, command: "exit 3")
      ComputeEngineJobGroupOperator(
        "group", job: machine, specs: [0, 4].map { JobRuntimeSpec(command: "echo member; exit \\($0)") })
      ComputeEngineJobGroupOperator(
        "good", job: machine, specs: [0, 1].map { _ in JobRuntimeSpec(command: "echo member") })
    }
    """

  private struct Ended {
    var code: Int
    var errors: String
    var record: [String: Any]

    var jobs: [[String: Any]] { record["jobs"] as? [[String: Any]] ?? [] }
    var jobNames: [String?] { jobs.map { $0["name"] as? String } }
  }

  private static func arguments(_ cloud: Cloud, _ task: String, _ context: String) throws -> [String] {
    let path = "\(cloud.project.path)/\(UUID().uuidString).json"
    try context.write(toFile: path, atomically: true, encoding: .utf8)
    return ["tasks", "run", "remote", task, "--context", path, "-o", "json"]
  }

  private static func run(
    _ cloud: Cloud, _ task: String, _ context: String = #"{"run_id": "r"}"#, _ options: String...
  ) throws -> Ended {
    let ended = try cloud.project.run(arguments(cloud, task, context) + options, timeout: 120)
    let record = try? JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
    return Ended(code: ended.code, errors: ended.errors, record: record ?? [:])
  }

  @Test func `a job's own value is handed on as text, and nothing is left`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let text = try Self.run(
      cloud, "text", #"{"run_id": "r 1", "outputs": {"number": 7}, "job": {"name": "text-abc", "attempt": 1}}"#)
    #expect(text.code == 0 && text.record["output"] as? String == "42", "\(text.errors)")
    #expect(text.errors.contains("got 7 in r 1\n") && text.jobNames == ["text-abc-1"])
    let after = try Self.run(cloud, "after", #"{"run_id": "r 1", "outputs": {"text": "42"}}"#)
    #expect(after.record["output"] as? Int == 43, "\(after.errors)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a failed job is tried again as the next one of its name`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let context = #"{"run_id": "r", "try_number": 2, "job": {"name": "fails-abc", "attempt": 2}}"#
    let first = try Self.run(cloud, "fails", #"{"run_id": "r", "job": {"name": "fails-abc", "attempt": 1}}"#)
    #expect(first.code == 1 && first.record["retry"] as? Bool == true && first.record["exit_code"] as? Int == 3)
    #expect(first.record["reason"] as? String == "exited with status 3", "\(first.errors)")
    let second = try Self.run(cloud, "fails", context)
    #expect(first.jobNames == ["fails-abc-1"] && second.jobNames == ["fails-abc-2"], "\(second.errors)")
    // A cleared task asks for the same once more; its result was taken.
    #expect(try Self.run(cloud, "fails", context).jobNames == ["fails-abc-3"])
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a group hands on the list of its results, and fails when one of it does`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let name = "a-name-that-is-as-long-as-one-may-be-abcdefghi"
    let group = try Self.run(cloud, "group", #"{"run_id": "r", "job": {"name": "\#(name)", "attempt": 1}}"#)
    #expect(group.code == 1, "\(group.errors)")
    let reason = try #require(group.record["reason"] as? String)
    #expect(reason.hasPrefix("1 of 2 jobs failed: ") && reason.hasSuffix("exited with status 4"), "\(reason)")
    #expect(group.jobNames.allSatisfy { $0?.hasPrefix("a-name-that-is-as-long-as") == true } && group.jobs.count == 2)
    #expect(group.errors.contains("[1] member\n") && group.errors.contains("[2] member\n"))
    let good = try Self.run(cloud, "good")
    #expect((good.record["output"] as? [[String: Any]])?.map { $0["exit_status"] as? Int } == [0, 0], "\(good.errors)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  private static let slow = #"{"run_id": "r", "job": {"name": "slow-abc", "attempt": 1}}"#
  private static let slowAgain = #"{"run_id": "r", "try_number": 2, "job": {"name": "slow-abc", "attempt": 2}}"#

  private static func start(_ cloud: Cloud, _ task: String, _ context: String) throws -> SupervisedCommand {
    try SupervisedCommand(cloud.project, arguments(cloud, task, context))
  }

  @Test func `a job outlives the command's owner, and the next try continues with it`() async throws {
    let cloud = try Cloud(["remote": Self.dag])
    let first = try Self.start(cloud, "slow", Self.slow)
    try await first.waitUntilSaid(" runs on ")
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 130, "\(first.errors)")
    #expect(first.output.isEmpty)
    let second = try Self.run(cloud, "slow", Self.slowAgain)
    #expect(second.code == 0 && second.jobNames == ["slow-abc-1"], "\(second.errors)")
    #expect((second.record["output"] as? [String: Any])?["exit_status"] as? Int == 0)
    #expect(try cloud.everMade("instances") == 1)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a result that nobody took waits for the next try`() async throws {
    let cloud = try Cloud(["remote": Self.dag])
    let first = try Self.start(cloud, "slow", Self.slow)
    #expect(try await first.waitForResult()["state"] as? String == "success")
    // It waits for a word.
    first.closeLifeline()
    #expect(try await first.waitForEnd() == 0)
    let second = try Self.start(cloud, "slow", Self.slowAgain)
    let jobs = try #require(try await second.waitForResult()["jobs"] as? [[String: Any]])
    #expect(jobs.map { $0["name"] as? String } == ["slow-abc-1"])
    second.taken()
    #expect(try await second.waitForEnd() == 0)
    #expect(try cloud.everMade("instances") == 1)
    try cloud.end()
  }

  @Test func `SIGTERM cancels the job and removes all that it has`() async throws {
    let cloud = try Cloud(["remote": Self.dag])
    let first = try Self.start(cloud, "slow", Self.slow)
    try await first.waitUntilSaid(" runs on ")
    first.signal(SIGTERM)
    #expect(try await first.waitForEnd() == 130, "\(first.errors)")
    #expect(first.output.isEmpty)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a group that is cancelled leaves none of its jobs`() async throws {
    let slow = Self.dag.replacingOccurrences(of: "echo member\"", with: "echo member; sleep 100\"")
    let cloud = try Cloud(["remote": slow])
    let first = try Self.start(cloud, "good", #"{"run_id": "r"}"#)
    for member in ["[1] member", "[2] member"] { try await first.waitUntilSaid(member) }
    first.signal(SIGTERM)
    #expect(try await first.waitForEnd() == 130, "\(first.errors)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a job is handed over, and the same try again reports it`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let first = try Self.run(cloud, "slow", Self.slow, "--hand-over")
    #expect(first.code == 0 && first.record["handed_over"] as? Bool == true, "\(first.errors)")
    #expect(first.record["name"] as? String == "slow-abc-1" && first.record["project"] as? String == "demo")
    let second = try Self.run(cloud, "slow", Self.slow)
    #expect(second.record["state"] as? String == "success" && second.jobNames == ["slow-abc-1"], "\(second.errors)")
    #expect(try cloud.everMade("instances") == 1)
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `without a context a job's task runs too, and leaves nothing`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    let ended = try cloud.project.run(["tasks", "run", "remote", "slow"], timeout: 120)
    #expect(ended.code == 0 && ended.output == "begun\ndone\n", "\(ended.errors)")
    #expect(ended.errors.contains("slow: success after"))
    #expect(try cloud.isEmpty())
    try cloud.end()
  }
}
