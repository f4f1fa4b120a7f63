import Foundation
import Testing

@Suite(.blocking) struct RunTests {
  @Test func `trigger runs a DAG to its end and its tasks can be asked about`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let run = try project.run("trigger", "hello", "-r", "first", "-c", #"{"count": 4}"#, "-l", "2026-01-31")
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("run first of hello: success after "))
    #expect(run.output.contains("(2 success)"))
    // A line per movement, because it is not a terminal.
    #expect(run.errors.contains(" number success"))
    #expect(run.errors.contains(" double success"))
    #expect(!run.errors.contains("\u{1B}"))

    let states = try project.run("tasks", "states-for-dag-run", "hello", "first", "-o", "plain")
    #expect(
      states.output.split(separator: "\n").map { $0.split(separator: "\t").prefix(3).joined(separator: " ") }
        == ["number success 1", "double success 1"])
    #expect(try project.run("tasks", "logs", "hello", "first", "double").output == "twice 4 on 2026-01-31\n")
    #expect(try project.run("tasks", "logs", "hello", "latest", "number").output == "counting\n4\n")
    #expect(try project.run("tasks", "logs", "hello", "first", "number", "--try", "2").code == 3)

    let runs = try project.run("dags", "list-runs", "hello", "-o", "json")
    let list = try #require(try JSONSerialization.jsonObject(with: Data(runs.output.utf8)) as? [[String: Any]])
    #expect(list.count == 1)
    #expect(list[0]["dag_run_id"] as? String == "first")
    #expect(list[0]["state"] as? String == "success")
    #expect(list[0]["logical_date"] as? String == "2026-01-31T00:00:00+00:00")
    #expect((list[0]["conf"] as? [String: Any])?["count"] as? Int == 4)

    let explained = try project.run("explain", "hello", "first", "double")
    #expect(explained.code == 0)
    #expect(explained.output.hasPrefix("double is success"))
  }

  @Test func `a run id makes trigger safe to repeat`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    #expect(try project.run("trigger", "hello", "-r", "once").code == 0)
    let again = try project.run("trigger", "hello", "-r", "once")
    #expect(again.code == 0)
    #expect(again.errors.contains("has already ended"))
    let other = try project.run("trigger", "hello", "-r", "once", "-c", #"{"count": 3}"#)
    #expect(other.code == 2)
    #expect(other.errors.contains("once"))
    #expect(try project.run("dags", "list-runs", "hello", "-o", "plain").output.split(separator: "\n").count == 1)
  }

  @Test func `a failed run exits with 1, and clearing it runs it again as mended`() throws {
    let project = try Project(["failing": SampleDAG.failing])
    let run = try project.run("trigger", "failing", "-r", "r")
    #expect(run.code == 1)
    #expect(run.output.contains("failed"))
    #expect(try project.run("trigger", "failing", "-r", "r").code == 1)
    #expect(try project.run("tasks", "logs", "failing", "r", "bad").output.contains("about to fail"))

    try project.write("failing", SampleDAG.failing.replacingOccurrences(of: "exit 3", with: "exit 0"))
    let unanswered = try project.run("tasks", "clear", "failing", "-f")
    #expect(unanswered.code == 2)
    #expect(unanswered.errors.contains("say -y"))
    let cleared = try project.run("tasks", "clear", "failing", "-f", "-y", "-o", "plain")
    #expect(cleared.code == 0, "\(cleared.errors)")
    #expect(cleared.output == "r\tbad\tfailed\nr\tafter\tupstream_failed\n")
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    #expect(try project.run("trigger", "failing", "-r", "r").code == 0)
    let again = try project.run("tasks", "clear", "failing", "-f", "-y")
    #expect(again.code == 0 && again.errors.contains("nothing to clear"))
  }

  @Test func `without waiting, a run is stored until something runs it`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let stored = try project.run("trigger", "hello", "-r", "later", "--no-wait", "-o", "json")
    #expect(stored.code == 0, "\(stored.errors)")
    #expect(stored.output.contains("\"state\": \"queued\""))
    #expect(stored.errors.contains("dagrun scheduler"))
    #expect(try project.run("tasks", "logs", "hello", "later", "number").code == 3)
    #expect(try project.run("trigger", "hello", "-r", "later").code == 0)
  }

  @Test func `Ctrl-C cancels the run and what runs in it`() throws {
    let project = try Project(["slow": SampleDAG.slow])
    let trigger = try project.start("trigger", "slow", "-r", "r")
    #expect(trigger.wait { $0.contains("sleeps running") })
    trigger.signal(SIGINT)
    #expect(try trigger.waitForEnd() == 130)
    #expect(trigger.text.contains("run r of slow was cancelled"))
    #expect(try project.run("dags", "list-runs", "slow", "-o", "plain").output.contains("r\tmanual\tfailed\t"))
  }

  @Test func `a second Ctrl-C leaves at once, and the run can be resumed`() throws {
    let project = try Project([:])
    try project.write("slow", SampleDAG.waiting("slow", for: project.path + "/end", isStubborn: true))
    let trigger = try project.start("trigger", "slow", "-r", "r")
    #expect(trigger.wait { $0.contains("waits running") })
    trigger.signal(SIGINT)
    #expect(trigger.wait { $0.contains("Ctrl-C again") })
    trigger.signal(SIGINT)
    #expect(try trigger.waitForEnd(seconds: 5) == 130)
    try Data().write(to: URL(fileURLWithPath: project.path + "/end"))
    #expect(try project.run("scheduler", "--until-idle").code == 0)
  }

  @Test func `dags test runs a DAG and leaves nothing behind`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let run = try project.run("dags", "test", "hello", "2026-01-31")
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("twice 2 on 2026-01-31"))
    #expect(!FileManager.default.fileExists(atPath: project.home + "/dagrun.db"))
    try project.write("failing", SampleDAG.failing)
    #expect(try project.run("dags", "test", "failing").code == 1)
  }

  @Test func `tasks run runs one task alone`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let shell = try project.run("tasks", "run", "hello", "number", "2026-01-31", "-c", #"{"count": 7}"#)
    #expect(shell.code == 0, "\(shell.errors)")
    #expect(shell.output.contains("counting\n7\n"))
    #expect(!FileManager.default.fileExists(atPath: project.home + "/dagrun.db"))
    // Its input comes from the last run.
    #expect(try project.run("trigger", "hello", "-c", #"{"count": 5}"#).code == 0)
    let swift = try project.run("tasks", "run", "hello", "double", "2026-01-31")
    #expect(swift.code == 0, "\(swift.errors)")
    #expect(swift.output.contains("twice 5 on 2026-01-31"))
  }

  @Test func `a backfill is planned, run and not run twice`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let range = ["--from-date", "2026-01-01", "--to-date", "2026-01-03"]
    let plan = try project.run(["backfill", "hello", "--dry-run", "-o", "plain"] + range)
    #expect(plan.code == 0, "\(plan.errors)")
    #expect(plan.output.split(separator: "\n").count == 3)
    #expect(plan.output.contains("\tcreate\n"))
    #expect(try project.run("dags", "list-runs", "hello", "-o", "plain").output.isEmpty)
    let run = try project.run(["backfill", "hello"] + range)
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output == "backfill of hello: 3 runs, 3 success\n")
    #expect(try project.run(["backfill", "hello"] + range).code == 1)
    let backfills = try project.run("backfill", "list", "-o", "json")
    #expect(backfills.output.contains("\"dag_id\": \"hello\""))
  }

  @Test func `tasks work in the dags folder, wherever the command was called`() throws {
    let project = try Project([
      "places": """
      import Dagrun
      import Foundation

      DAG("places") {
        BashOperator("shell", "pwd -P")
        BashOperator("below", "pwd -P", workingDirectory: "data")
        SwiftOperator("swift") { _ in try String(contentsOfFile: "data/note.txt", encoding: .utf8) }
      }
      """
    ])
    let dags = project.path + "/dags"
    try FileManager.default.createDirectory(atPath: dags + "/data", withIntermediateDirectories: true)
    try "here".write(toFile: dags + "/data/note.txt", atomically: true, encoding: .utf8)
    let trigger = try project.run("trigger", "places", "-r", "r")
    #expect(trigger.code == 0, "\(trigger.errors)")
    #expect(try project.run("tasks", "logs", "places", "r", "shell").output == dags + "\n")
    #expect(try project.run("tasks", "run", "places", "below").output == dags + "/data\n")
    #expect(try project.run("tasks", "run", "places", "swift").errors.contains(#"output "here""#))
  }

  @Test func `what a Swift task throws is told in words, also to who follows late`() throws {
    let project = try Project([
      "throws": """
      import Dagrun
      import Foundation

      enum Trouble: Error { case ahead(Int) }
      DAG("throws") {
        SwiftOperator("cases") { _ in throw Trouble.ahead(3) }
        SwiftOperator("files") { _ in _ = try String(contentsOfFile: "/nowhere/x", encoding: .utf8) }
        BashOperator("unknown", "echo \\(.var("missing"))")
      }
      """
    ])
    let trigger = try project.run("trigger", "throws", "-r", "r")
    #expect(trigger.code == 1)
    for part in [
      "cases failed: Trouble.ahead(3)", "The file doesn’t exist. (/nowhere/x)",
      "unknown failed: there is no variable",
    ] {
      #expect(trigger.errors.contains(part), "\(trigger.errors)")
    }
  }
}
