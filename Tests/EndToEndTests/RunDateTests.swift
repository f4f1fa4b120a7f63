import Foundation
import Testing

/// Run ids and logical dates that people give, and what clearing takes along.
@Suite(.blocking) struct RunDateTests {
  private static let daily = """
    import Dagrun

    DAG("daily", schedule: .daily, startDate: "2030-01-01") { BashOperator("x", "echo \\(.prevDataIntervalStartSuccess)") }
    """

  @Test(arguments: [
    "scheduled__2030-01-02T00:00:00+00:00", "backfill__x", "asset_triggered__x", "operator_triggered__x",
    "asset_materialization__x", "latest",
  ])
  func `a run id that is not for people is refused`(runID: String) throws {
    let project = try Project(["daily": Self.daily])
    let ended = try project.run("trigger", "daily", "-r", runID)
    #expect(ended.code == 2)
    #expect(ended.errors.contains("run id \"\(runID)\"") && ended.errors.contains("choose another one"))
    #expect(try project.run("dags", "list-runs", "daily", "-o", "plain").output.isEmpty)
  }

  @Test func `a run by hand for a date of the schedule says that it stands for the scheduled one`() throws {
    let project = try Project(["daily": Self.daily])
    // Whatever ran before under the id that the run would have.
    #expect(try project.run("trigger", "daily", "-r", "manual__2030-01-02T00:00:00+00:00").code == 0)
    let ended = try project.run("trigger", "daily", "-l", "2030-01-02")
    #expect(ended.code == 0)
    #expect(
      ended.errors.contains(
        "run manual__2030-01-02T00:00:00+00:00_2 of daily stands for the scheduled run of 2030-01-02T00:00:00+00:00"))
    let other = try project.run("trigger", "daily", "-l", "2029-01-02", "-o", "json")
    #expect(!other.errors.contains("stands for") && other.output.contains(#""stands_for_scheduled": false"#))
  }

  @Test func `a rendered task has the previous success that a real run has`() throws {
    let project = try Project(["daily": Self.daily])
    #expect(try project.run("trigger", "daily", "-l", "2029-01-02").code == 0)
    #expect(try project.run("trigger", "daily", "-l", "2029-01-03").code == 0)
    let log = try project.run("tasks", "logs", "daily", "latest", "x").output
    #expect(log.contains("2029-01-02T00:00:00+00:00"))
    #expect(try project.run("tasks", "render", "daily", "x", "2029-01-03").output.contains("2029-01-02T00:00:00+00:00"))
    #expect(try project.run("tasks", "run", "daily", "x", "2029-01-03").output.contains("2029-01-02T00:00:00+00:00"))
  }

  @Test func `work that is cleared finds again what its setup makes`() throws {
    let project = try Project([
      "setup": """
      import Dagrun

      DAG("setup") {
        let create = BashOperator("create", "mkdir ../thing")
        let work = BashOperator("work", "test -d ../thing")
        create --> work --> BashOperator("delete", "rmdir ../thing").asTeardown(of: create)
      }
      """
    ])
    #expect(try project.run("trigger", "setup", "-r", "r").code == 0)
    // Nothing has failed.
    let nothing = try project.run("tasks", "clear", "setup", "-t", "^work$", "-f", "-y")
    #expect((nothing.output + nothing.errors).contains("nothing to clear"), "\(nothing)")
    let cleared = try project.run("tasks", "clear", "setup", "-t", "^work$", "-y", "-o", "plain")
    #expect(cleared.output.split(separator: "\n").count == 3)
    #expect(try project.run("scheduler", "--until-idle").code == 0)
    let states = try project.run("tasks", "states-for-dag-run", "setup", "r", "-o", "plain").output
    #expect(states.split(separator: "\n").allSatisfy { $0.contains("success") })
  }

  @Test func `a regular expression that backtracks without end is refused`() throws {
    let id = String(repeating: "a", count: 38)
    let text = "import Dagrun\nDAG(\"regex\", schedule: .daily) { EmptyOperator(\"\(id)\") }\n"
    let project = try Project(["regex": text])
    for command in [
      ["tasks", "clear", "regex", "-t", "(a|a)*c", "-y"],
      ["backfill", "regex", "--from-date", "2026-01-01", "--to-date", "2026-01-02", "--task-regex", "(a|a)*c"],
    ] {
      let ended = try project.run(command)
      #expect(ended.code == 2 && ended.errors.contains("too many steps"), "\(command)")
    }
  }

  @Test func `a past that has failed is not left alone by a backfill`() throws {
    let project = try Project([
      "past": """
      import Dagrun

      DAG("past", schedule: .daily, startDate: "2030-01-01") { BashOperator("x", "true").dependsOnPast() }
      """
    ])
    let dates = ["--from-date", "2026-01-01", "--to-date", "2026-01-02"]
    let refused = try project.run(["backfill", "past", "--reprocess-behavior", "none"] + dates)
    #expect(refused.code == 2 && refused.errors.contains("x depends on its past"))
    #expect(try project.run(["backfill", "past"] + dates).code == 0)
  }
}
