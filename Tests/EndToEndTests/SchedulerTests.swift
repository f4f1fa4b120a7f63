import Foundation
import Testing

@Suite(.blocking) struct SchedulerTests {
  @Test func `commands reach a running scheduler`() throws {
    let project = try Project(["hello": SampleDAG.hello, "slow": SampleDAG.slow])
    let scheduler = try project.start("scheduler")
    #expect(scheduler.wait { _ in FileManager.default.fileExists(atPath: project.home + "/scheduler.sock") })

    #expect(try project.run("trigger", "hello", "-r", "followed").code == 0)
    let second = try project.run("scheduler")
    #expect(second.code == 5)
    #expect(second.errors.contains("process \(scheduler.pid)"))

    #expect(try project.run("trigger", "slow", "-r", "r", "--no-wait").code == 0)
    let explained = try project.run("explain", "slow", "r", "after")
    #expect(explained.code == 0)
    #expect(explained.output.contains("sleeps"))
    #expect(try project.run("dags", "set-state", "slow", "r", "failed").code == 0)

    #expect(try project.run("pools", "set", "gpu", "4", "cards").code == 0)
    #expect(try project.run("pools", "list", "-o", "plain").output.contains("gpu\t4\t4\t"))
    #expect(try project.run("pools", "delete", "gpu").code == 0)
    #expect(try project.run("pools", "delete", "gpu").code == 3)

    let doctor = try project.run("doctor", "-o", "json")
    #expect(doctor.output.contains("process \(scheduler.pid)"))

    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
  }

  @Test func `a command whose scheduler leaves becomes the scheduler itself`() throws {
    let project = try Project([:])
    for id in ["short", "long"] { try project.write(id, SampleDAG.waiting(id, for: "\(project.path)/end-\(id)")) }
    func end(_ id: String) throws { try Data().write(to: URL(fileURLWithPath: "\(project.path)/end-\(id)")) }
    let first = try project.start("trigger", "short", "-r", "r")
    #expect(first.wait { $0.contains("waits running") })
    let second = try project.start("trigger", "long", "-r", "r")
    #expect(second.wait { $0.contains("waits running") })
    try end("short")
    #expect(try first.waitForEnd() == 0)
    #expect(second.wait { $0.contains("continuing without it") })
    try end("long")
    #expect(try second.waitForEnd() == 0, "\(second.text)")
    // Once, and by the first one's worker.
    let states = try project.run("tasks", "states-for-dag-run", "long", "r", "-o", "plain")
    #expect(states.output.hasPrefix("waits\tsuccess\t1\t"))
  }

  @Test func `commands that start at once share one scheduler`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let commands = try (1...4).map { try project.start("trigger", "hello", "-r", "r\($0)") }
    for command in commands { #expect(try command.waitForEnd() == 0, "\(command.text)") }
    let runs = try project.run("dags", "list-runs", "hello", "--state", "success", "-o", "plain").output
    #expect(runs.split(separator: "\n").count == 4)
  }

  @Test func `a paused DAG is not waited for`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    #expect(try project.run("dags", "pause", "hello").code == 0)
    let refused = try project.run("trigger", "hello")
    #expect(refused.code == 2)
    #expect(refused.errors.contains("dagrun dags unpause hello"))
    #expect(try project.run("trigger", "hello", "-r", "later", "--no-wait").code == 0)
    #expect(try project.run("dags", "unpause", "hello").code == 0)
    #expect(try project.run("trigger", "hello", "-r", "later").code == 0)
  }

  @Test func `a DAG is deleted with its runs`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    #expect(try project.run("trigger", "hello").code == 0)
    let unanswered = try project.run("dags", "delete", "hello")
    #expect(unanswered.code == 2)
    #expect(try project.run("dags", "delete", "hello", "-y").output == "hello: 1 run deleted\n")
    #expect(try project.run("dags", "list-runs", "hello", "-o", "plain").output.isEmpty)
  }

  @Test func `a task's state is set by hand`() throws {
    let project = try Project(["failing": SampleDAG.failing])
    #expect(try project.run("trigger", "failing", "-r", "r").code == 1)
    #expect(try project.run("tasks", "set-state", "failing", "r", "bad", "success").code == 0)
    let states = try project.run("tasks", "states-for-dag-run", "failing", "r", "-o", "plain")
    #expect(states.output.hasPrefix("bad\tsuccess\t"))
    #expect(try project.run("tasks", "set-state", "failing", "r", "bda", "success").code == 3)
  }

  @Test func `a scheduler that is to leave when idle leaves what waits for a person, and says so`() throws {
    let project = try Project([
      "past": """
      import Dagrun

      DAG("past", schedule: .daily, startDate: "2026-01-01", endDate: "2026-01-02") {
        BashOperator("loads", "[ \\(.ds) != 2026-01-01 ]").dependsOnPast()
      }
      """
    ])
    let dates = ["--from-date", "2026-01-01", "--to-date", "2026-01-02"]
    #expect(try project.run(["backfill", "past", "--no-wait"] + dates).code == 0)
    let scheduler = try project.run("scheduler", "--until-idle")
    #expect(scheduler.code == 0)
    #expect(scheduler.errors.contains("warning: a run has ended  dag=past  run=backfill__2026-01-01T00:00:00+00:00"))
    #expect(scheduler.errors.contains("run backfill__2026-01-02T00:00:00+00:00 of past waits (running)"))
    #expect(try project.run("dags", "pause", "past").code == 0)
    let explained = try project.run("explain", "past", "backfill__2026-01-02T00:00:00+00:00", "loads")
    #expect(explained.output.contains("no scheduler is running"))
    #expect(explained.output.contains("the DAG past is paused"))
    #expect(explained.output.contains("loads of 2026-01-01T00:00:00+00:00 has not succeeded"))
  }

  @Test func `while a run is under way, it is known how its tasks ended`() throws {
    let project = try Project([
      "mixed": """
      import Dagrun

      DAG("mixed") {
        BashOperator("sleeps", "sleep 60")
        let skips = SwiftOperator("skips") { _ -> Int in throw TaskSkip("no data today") }
        skips --> EmptyOperator("after")
        BashOperator("retries", "exit 7").retries(1, delay: .minutes(10))
      }
      """
    ])
    let trigger = try project.start("trigger", "mixed", "-r", "r")
    #expect(trigger.wait { $0.contains("skips skipped") && $0.contains("retries up_for_retry") })
    #expect(try project.run("explain", "mixed", "r", "skips").output == "skips is skipped\n  no data today\n")
    let retry = try project.run("explain", "mixed", "r", "retries").output
    #expect(retry.contains("try 1 failed; the next of 2 is due at"))
    #expect(retry.contains("exit code 7"))
    #expect(try project.run("pools", "get", "default_pool", "-o", "plain").output.contains("running_slots\t1\n"))
    trigger.signal(SIGINT)
    #expect(try trigger.waitForEnd() == 130)
  }

  @Test func `commands that are each other's schedulers do not fail when one leaves`() throws {
    let project = try Project([
      "short": """
      import Dagrun

      DAG("short", maxActiveRuns: 100) {
        EmptyOperator("nothing")
      }
      """
    ])
    #expect(try project.run("dags", "list").code == 0)
    let rounds = 10
    for _ in 0..<rounds {
      let commands = try (0..<6).map { _ in try project.start("trigger", "short") }
      for command in commands { #expect(try command.waitForEnd() == 0, "\(command.text)") }
    }
    let runs = try project.run("dags", "list-runs", "short", "-o", "plain").output
    #expect(runs.split(separator: "\n").count == 6 * rounds)
  }
}
