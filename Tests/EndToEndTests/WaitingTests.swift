import Foundation
import Testing

/// What a command says while it waits, and when it stops waiting.
@Suite(.blocking) struct WaitingTests {
  @Test func `a pool that is too small for a task is told at the trigger`() throws {
    let project = try Project([
      "p": """
      import Dagrun
      DAG("p", schedule: .daily, startDate: "2026-01-01") { BashOperator("x", "true").pool("gpu", slots: 3) }
      """
    ])
    #expect(try project.run("pools", "set", "gpu", "2", "").code == 0)
    let backfill = ["backfill", "p", "--from-date", "2026-01-01", "--to-date", "2026-01-02"]
    for words in [["trigger", "p"], backfill] {
      let ended = try project.run(words, timeout: 30)
      #expect(ended.code == 2 && ended.errors.contains("x needs 3 slots, and pool gpu has 2"), "\(ended.errors)")
      #expect(ended.errors.contains("dagrun pools set gpu 3"))
    }
    #expect(try project.run("pools", "set", "gpu", "3", "").code == 0)
    #expect(try project.run("trigger", "p").code == 0)
  }

  @Test func `a run ends whose pool was made too small for it`() throws {
    let project = try Project([
      "p": """
      import Dagrun
      DAG("p") { BashOperator("w", "until [ -e go ]; do sleep 0.1; done") --> BashOperator("x", "true").pool("gpu", slots: 3) }
      """
    ])
    #expect(try project.run("pools", "set", "gpu", "3", "").code == 0)
    let run = try project.start("trigger", "p", "-r", "r")
    #expect(run.wait { $0.contains("w running") }, "\(run.text)")
    #expect(try project.run("pools", "set", "gpu", "2", "").code == 0)
    _ = FileManager.default.createFile(atPath: project.path + "/dags/go", contents: nil)
    #expect(try run.waitForEnd(seconds: 60) == 1, "\(run.text)")
    #expect(run.text.contains("pool gpu is too small: it has 2 slots, and the task needs 3"), "\(run.text)")
    #expect(try project.run("dags", "list-runs", "p", "-o", "plain").output.contains("r\tmanual\tfailed\t"))
  }

  private static let dependent = """
    import Dagrun
    DAG("d", schedule: .daily, startDate: "2026-01-01") {
      BashOperator("a", "test \\(.ds) != 2026-01-04").dependsOnPast()
    }
    """

  @Test func `a backfill and a run whose past has failed for good end with that reason`() throws {
    let project = try Project(["d": Self.dependent])
    let ended = try project.run("backfill", "d", "--from-date", "2026-01-01", "--to-date", "2026-01-20", timeout: 60)
    #expect(ended.code == 1, "\(ended.errors)")
    let words = "depends on its past: a of 2026-01-04T00:00:00+00:00 has not succeeded"
    #expect(
      ended.errors.contains("cannot continue, and was ended: a in") && ended.errors.contains(words), "\(ended.errors)")
    let runs = try project.run("dags", "list-runs", "d", "-o", "plain").output.split(separator: "\n")
    #expect(runs.count { $0.contains("\tsuccess\t") } == 3 && runs.count { $0.contains("\tfailed\t") } == 17)
    // Nobody has said that the past does not matter: what comes after waits for it too, until it is seen to.
    let after = try project.run("trigger", "d", "-l", "2026-01-21", timeout: 60)
    #expect(after.code == 1 && after.errors.contains("depends on its past: a of 2026-01-20"), "\(after.errors)")
    let states = try project.taskStates("d", "manual__2026-01-21T00:00:00+00:00")
    #expect(states.map(\.state) == ["upstream_failed"])
    let other = try Project(["d": Self.dependent])
    #expect(try other.run("trigger", "d", "-l", "2026-01-04", timeout: 60).code == 1)
    let run = try other.run("trigger", "d", "-l", "2026-01-05", timeout: 60)
    #expect(run.code == 1 && run.errors.contains("depends on its past: a of"), "\(run.errors)")
  }

  @Test func `a command that waits says what for, once`() throws {
    let project = try Project([
      "w": """
      import Dagrun
      DAG("w", maxActiveTasks: 1) {
        BashOperator("first", "until [ -e go ]; do sleep 0.1; done").priority(9)
        BashOperator("second", "true")
      }
      """
    ])
    let run = try project.start("trigger", "w", "-r", "r")
    #expect(run.wait { $0.contains("second in r waits: its run has 1 active task") }, "\(run.text)")
    #expect(run.wait { $0.contains("first in r: try 1 is running since") }, "\(run.text)")
    _ = FileManager.default.createFile(atPath: project.path + "/dags/go", contents: nil)
    #expect(try run.waitForEnd() == 0)
    #expect(run.text.components(separatedBy: "second in r waits").count == 2, "\(run.text)")
  }

  @Test func `a scheduler that does not answer is named`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let scheduler = try project.start("scheduler")
    #expect(scheduler.wait { $0.contains("Ctrl-C ends it") }, "\(scheduler.text)")
    scheduler.signal(SIGSTOP)
    let doctor = try project.run("doctor")
    #expect(doctor.output.contains("process \(scheduler.pid) does not answer"), "\(doctor.output)")
    for words in [["trigger", "hello"], ["pools", "set", "gpu", "2", ""]] {
      let command = try project.start(words)
      #expect(
        command.wait { $0.contains("the scheduler (process \(scheduler.pid)) does not answer") }, "\(command.text)")
    }
    scheduler.signal(SIGCONT)
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
  }

  @Test func `a task says its own reason before that no scheduler is running`() throws {
    let project = try Project([
      "p": #"import Dagrun; DAG("p") { BashOperator("x", "true").pool("gpu"); EmptyOperator("e") }"#
    ])
    #expect(try project.run("pools", "set", "gpu", "0", "").code == 0)
    #expect(try project.run("trigger", "p", "--no-wait", "-r", "r").code == 0)
    let run = try project.start("trigger", "p", "-r", "r")
    #expect(run.wait { $0.contains("x in r waits: pool gpu is too small: it has 0 slots") }, "\(run.text)")
    run.signal(SIGKILL)
    _ = try run.waitForEnd()
    let lines = try project.run("explain", "p", "r", "x").output.split(separator: "\n")
    #expect(
      lines.count == 3 && lines[1].contains("pool gpu") && lines[2].contains("no scheduler is running"), "\(lines)")
  }

  @Test func `a removed task says why`() throws {
    let dag = #"import Dagrun; DAG("r") { BashOperator("a", "exit 1"); BashOperator("b", "exit 1") }"#
    let project = try Project(["r": dag])
    #expect(try project.run("trigger", "r", "-r", "r").code == 1)
    try project.write("r", #"import Dagrun; DAG("r") { BashOperator("a", "exit 0") }"#)
    #expect(try project.run("tasks", "clear", "r", "--run-id", "r", "-y").code == 0)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let explained = try project.run("explain", "r", "r", "b")
    #expect(explained.output.contains("the run moved to a version of r without this task"), "\(explained.output)")
  }
}
