import Foundation
import Processes
import Testing
import WaitSupport

/// `dagrun tasks run --context`, `dags export` and `version -o json`, as another scheduler (Airflow, by the plugin)
/// uses them: each task in a process of its own, what it needs on standard input, how it ended on standard output.
@Suite(.blocking) struct OtherSchedulerTests {
  /// How a try ended.
  private struct Ended {
    var code: Int
    var output: String
    var errors: String
    var record: [String: Any]

    var state: String? { record["state"] as? String }
    var reason: String { record["reason"] as? String ?? "" }
    var isRetryable: Bool? { record["retry"] as? Bool }
  }

  private static let dag =
    """
    import Dagrun

    struct Row: Codable, Sendable { var name: String; var count: Int }
    struct Trouble: Error {}

    DAG("typed", schedule: .daily, startDate: "2026-01-01", params: [.int("n", default: 3, in: 1...10)], tags: ["nightly"]) {
      let start = EmptyOperator("start")
      let row = SwiftOperator("row") { context in Row(name: context.ds, count: try context.params.int("n")) }
      let twice = SwiftOperator("twice", row.output) { context, row in
        print("try \\(context.tryNumber) of \\(context.runID)")
        return row.count * 2
      }
      let shell = BashOperator("shell", "echo got \\(twice.output); echo $DAGRUN_LOGICAL_DATE")
      SwiftOperator("skips") { context in throw TaskSkip("nothing new") }
      BashOperator("skips_by_status", "exit 99").pool("gpu")
      SwiftOperator("fails") { context in throw Trouble() }
      SwiftOperator("fails_for_good") { context in throw TaskFailure("no such table") }
      BashOperator("fails_by_status", "exit 3")
      BashOperator("times_out", "sleep 1000").executionTimeout(.milliseconds(200))
      BashOperator("sleeps", "[ $WAITS ] || exit 5; sleep 1000 & echo $! $$ > pids.part && mv pids.part pids; wait")
      start --> row
      twice --> shell
    }
    """

  private static func run(
    _ project: Project, _ task: String, _ context: String = #"{"run_id": "r"}"#, dag: String = "typed"
  ) throws -> Ended {
    let path = "\(project.path)/\(UUID().uuidString).json"
    try context.write(toFile: path, atomically: true, encoding: .utf8)
    // By standard input, as the plugin does.
    let script = "exec \"$1\" tasks run \"$2\" \"$3\" --dags-folder \"$4\" --context - -o json < \"$5\""
    let ended = try project.run(
      program: "sh", "-c", script, "sh", Project.binary, dag, task, project.path + "/dags", path)
    let record = try? JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any]
    return Ended(code: ended.code, output: ended.output, errors: ended.errors, record: record ?? [:])
  }

  @Test func `typed values go in and out, and the log is live beside them`() throws {
    let project = try Project(["typed": Self.dag])
    let row = try Self.run(
      project, "row", #"{"run_id": "r", "logical_date": "2026-02-03T00:00:00+00:00", "conf": {"n": 7}}"#)
    #expect(row.code == 0 && row.state == "success", "\(row.errors)")
    let output = try #require(row.record["output"] as? [String: Any])
    #expect(output["name"] as? String == "2026-02-03" && output["count"] as? Int == 7)

    let twice = try Self.run(
      project, "twice", #"{"run_id": "r 1", "try_number": 2, "outputs": {"row": {"name": "x", "count": 21}}}"#)
    #expect(twice.record["output"] as? Int == 42 && twice.record["try_number"] as? Int == 2, "\(twice.errors)")
    #expect(twice.errors == "try 2 of r 1\n")

    let shell = try Self.run(
      project, "shell",
      #"{"run_id": "r", "logical_date": "2026-02-03T04:05:06+00:00", "outputs": {"twice": 42, "elsewhere": 1}}"#)
    #expect(shell.record["output"] as? String == "2026-02-03T04:05:06+00:00", "\(shell.errors)")
    #expect(shell.errors.hasPrefix("got 42\n"))
    #expect(try Self.run(project, "start").record["output"] is NSNull)
  }

  @Test func `a skip is a skip, and only a failure that wants it is tried again`() throws {
    let project = try Project(["typed": Self.dag])
    let skipped = try Self.run(project, "skips")
    #expect(skipped.code == 0 && skipped.state == "skipped" && skipped.reason == "nothing new", "\(skipped.errors)")
    let byStatus = try Self.run(project, "skips_by_status")
    #expect(byStatus.code == 0 && byStatus.state == "skipped", "\(byStatus.errors)")
    let failed = try Self.run(project, "fails")
    #expect(failed.code == 1 && failed.state == "failed" && failed.isRetryable == true, "\(failed.errors)")
    let forGood = try Self.run(project, "fails_for_good")
    #expect(forGood.code == 1 && forGood.isRetryable == false && forGood.reason == "no such table")
    let status = try Self.run(project, "fails_by_status")
    #expect(status.record["exit_code"] as? Int == 3 && status.isRetryable == true, "\(status.errors)")
    let late = try Self.run(project, "times_out")
    #expect(
      late.code == 1 && late.isRetryable == true && late.reason.hasPrefix("timed out after 0.2"), "\(late.reason)")
  }

  @Test func `what keeps a task from beginning is told on standard error alone`() throws {
    let project = try Project(["typed": Self.dag, "broken": #"import Dagrun; DAG("broken") { nonsense }"#])
    let cases: [(task: String, dag: String, context: String, code: Int, words: String)] = [
      ("row", "typde", #"{"run_id": "r"}"#, 3, "did you mean 'typed'?"),
      ("rows", "typed", #"{"run_id": "r"}"#, 3, "no task 'rows'; did you mean 'row'?"),
      ("a", "broken", #"{"run_id": "r"}"#, 4, "nonsense"),
      ("row", "typed", "", 2, "there is no context on standard input"),
      ("row", "typed", "{run_id", 2, "is not a context"),
      ("row", "typed", #"{"run_id": "r", "dag_id": "typed"}"#, 2, #"the key "dag_id" is unknown"#),
      ("row", "typed", #"{"run_id": "r", "conf": {"n": 11}}"#, 2, #"parameter "n" cannot be 11"#),
      ("row", "typed", #"{"run_id": "r", "conf": {"n": "many"}}"#, 2, #"parameter "n" cannot be "many""#),
      ("twice", "typed", #"{"run_id": "r"}"#, 2, "twice needs the output of row, and the context has none"),
      ("shell", "typed", #"{"run_id": "r", "outputs": {"row": 1}}"#, 2, "shell needs the output of twice"),
      ("shell", "typed", #"{"run_id": "r", "outputs": {"twice": null}}"#, 2, #"task "twice" has no output"#),
    ]
    for (task, dag, context, code, words) in cases {
      let ended = try Self.run(project, task, context, dag: dag)
      #expect(ended.code == code && ended.errors.contains(words), "\(context): \(ended.code) \(ended.errors)")
      #expect(ended.output.isEmpty)
    }
    // Only the task's own code knows what it takes.
    let mismatch = try Self.run(project, "twice", #"{"run_id": "r", "outputs": {"row": "text"}}"#)
    #expect(mismatch.state == "failed" && mismatch.reason.contains(#"the output of task "row" is not of type Row"#))
  }

  @Test func `the newest file counts, and no other run's outputs`() throws {
    let project = try Project(["typed": Self.dag])
    // A run with an output of row, which is not that of the run below.
    #expect(try project.run("tasks", "run", "typed", "row").code == 4)
    #expect(try project.run("pools", "set", "gpu", "1", "").code == 0)
    #expect(try project.run("trigger", "typed", "-r", "other", timeout: 120).code == 1)
    #expect(try project.run("tasks", "run", "typed", "twice").code == 0)
    #expect(try Self.run(project, "twice").code == 2)
    try project.write("typed", Self.dag.replacingOccurrences(of: "row.count * 2", with: "row.count * 3"))
    let changed = try Self.run(project, "twice", #"{"run_id": "r", "outputs": {"row": {"name": "", "count": 2}}}"#)
    #expect(changed.record["output"] as? Int == 6, "\(changed.errors)")
    try project.write(
      "typed", Self.dag.replacingOccurrences(of: #"EmptyOperator("start")"#, with: #"EmptyOperator("go")"#))
    #expect(try Self.run(project, "start").code == 3)
  }

  // MARK: Its end

  /// The command at a task that sleeps, and the processes of that task.
  private struct Sleeper {
    let command: SupervisedCommand
    let task: [ProcessDescriptor]
    private let project: Project

    init(_ project: Project) async throws {
      self.project = project
      let context = project.path + "/context.json"
      try #"{"run_id": "r"}"#.write(toFile: context, atomically: true, encoding: .utf8)
      project.environment["WAITS"] = "1"
      command = try SupervisedCommand(project, ["tasks", "run", "typed", "sleeps", "--context", context, "-o", "json"])
      let pids = project.path + "/dags/pids"
      let hasBegun = await awaitChanges(in: project.path + "/dags") { FileManager.default.fileExists(atPath: pids) }
      try #require(hasBegun, "\(command.errors)")
      let text = try String(contentsOfFile: pids, encoding: .utf8)
      task = try text.split(whereSeparator: \.isWhitespace).map { try ProcessDescriptor(pid: #require(pid_t($0))) }
      try #require(task.count == 2 && task.allSatisfy { !$0.hasEnded(within: 0) })
    }

    var hasEnded: Bool { task.allSatisfy { $0.hasEnded(within: 20_000) } }
  }

  @Test func `SIGTERM ends the task with all that it has started`() async throws {
    let sleeper = try await Sleeper(Project(["typed": Self.dag]))
    sleeper.command.signal(SIGTERM)
    #expect(try await sleeper.command.waitForEnd() == 130, "\(sleeper.command.errors)")
    #expect(sleeper.hasEnded)
    #expect(sleeper.command.errors.contains("sleeps was stopped") && sleeper.command.output.isEmpty)
  }

  @Test func `the leash's end ends the task with all that it has started`() async throws {
    let sleeper = try await Sleeper(Project(["typed": Self.dag]))
    sleeper.command.closeLifeline()
    #expect(try await sleeper.command.waitForEnd() == 130, "\(sleeper.command.errors)")
    #expect(sleeper.hasEnded)
    #expect(sleeper.command.errors.contains("its caller is gone"))
  }

  @Test func `a command that is killed takes its task with it`() async throws {
    let sleeper = try await Sleeper(Project(["typed": Self.dag]))
    try await sleeper.command.killAndWait()
    #expect(sleeper.hasEnded)
  }

  // MARK: The rest of the protocol

  @Test func `an export has the good files and the bad ones`() throws {
    let project = try Project(["typed": Self.dag, "broken": #"import Dagrun; DAG("broken") { nonsense }"#])
    let ended = try project.run("dags", "export", "--dags-folder", project.path + "/dags", "-o", "json")
    #expect(ended.code == 0, "\(ended.errors)")
    let json = try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
    let dags = try #require(json["dags"] as? [[String: Any]])
    #expect(dags.map { $0["id"] as? String } == ["typed"])
    #expect((dags[0]["schedule"] as? [String: Any])?["cron"] as? String == "0 0 * * *")
    let tasks = try #require(dags[0]["tasks"] as? [[String: Any]])
    // A pool that the home does not have is the other scheduler's.
    #expect(tasks.first { $0["id"] as? String == "skips_by_status" }?["pool"] as? String == "gpu")
    #expect(tasks.first { $0["id"] as? String == "shell" }?["inputs"] as? [String] == ["twice"])
    let errors = try #require(json["import_errors"] as? [[String: Any]])
    #expect(errors.first?["file"] as? String == project.path + "/dags/broken.swift")
    #expect((errors.first?["message"] as? String)?.contains("nonsense") == true)
  }

  @Test func `a run that failed names its failed tasks`() throws {
    let project = try Project(["failing": SampleDAG.failing])
    let ended = try project.run("trigger", "failing", "-r", "r", "-o", "json")
    #expect(ended.code == 1)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
    let failed = try #require(json["failed_tasks"] as? [[String: Any]])
    #expect(failed.map { $0["task_id"] as? String } == ["bad", "after"])
    #expect(failed.map { $0["state"] as? String } == ["failed", "upstream_failed"])
    #expect(failed[0]["try_number"] as? Int == 1 && (failed[0]["reason"] as? String)?.contains("3") == true)
  }
}
