import Foundation
import Testing

/// Dates without a time, in every command that takes them, and what schedules make of the clock.
@Suite(.blocking) struct DateTests {
  private static func dag(_ id: String, _ schedule: String) -> String {
    "DAG(\"\(id)\", schedule: \(schedule), startDate: \"2026-01-01\") { BashOperator(\"x\", \"echo \\(.logicalDate)\") }\n"
  }

  private static let dags =
    "import Dagrun\n" + dag("night", ".cron(\"0 3 * * *\")")
    + dag("cairo", ".cron(\"0 0 * * *\", timeZone: \"Africa/Cairo\")")
    + dag("odd", ".cron(\"30 2 * * *\", timeZone: \"Europe/Berlin\", gap: .skip, fold: .both)")
    + dag("gap", ".cron(\"0 * 5 9 *\", timeZone: \"America/Santiago\")")
    + dag("often", ".cron(\"*/30 * * * *\")")

  private func dates(_ ended: Project.Ended) -> [Substring] {
    ended.output.split(separator: "\n").compactMap { $0.split(separator: "\t").first }
  }

  @Test func `a backfill includes both of its days, by the clock of the DAG`() throws {
    let project = try Project(["dags": Self.dags])
    func plan(_ dag: String, _ from: String, _ to: String) throws -> [Substring] {
      let ended = try project.run(
        "backfill", dag, "--from-date", from, "--to-date", to, "--dry-run", "-o", "plain")
      #expect(ended.code == 0, "\(ended.errors)")
      return dates(ended)
    }
    for dag in ["night", "cairo"] {
      #expect(try plan(dag, "2026-01-01", "2026-01-31").count == 31)
      #expect(try plan(dag, "2026-01-31", "2026-01-31").count == 1)
    }
    #expect(try plan("cairo", "2026-01-31", "2026-01-31") == ["2026-01-30T22:00:00+00:00"])
    #expect(try plan("often", "2026-01-31", "2026-01-31").count == 48)
    #expect(try plan("night", "2026-01-31T00:00", "2026-01-31T03:00").count == 1)

    let none = try project.run("backfill", "night", "--from-date", "2026-01-31T04:00", "--to-date", "2026-02-01T02:00")
    #expect(none.code == 1)
    #expect(
      none.errors.contains("the nearest are of 2026-01-31T03:00:00+00:00 and of 2026-02-01T03:00:00+00:00"),
      "\(none.errors)")
  }

  @Test func `a range that was mistyped is refused at once`() throws {
    let project = try Project(["dags": Self.dags])
    for more in [["--dry-run"], ["--no-wait"], []] {
      let ended = try project.run(
        ["backfill", "often", "--from-date", "0206-01-01", "--to-date", "2026-01-01"] + more)
      #expect(ended.code == 2, "\(ended.errors)")
      #expect(ended.errors.contains("more than 100000 runs") && ended.errors.contains("name a shorter range"))
    }
  }

  @Test func `runs are found by the day of their DAG`() throws {
    let project = try Project(["dags": Self.dags])
    #expect(
      try project.run("backfill", "cairo", "--from-date", "2026-01-30", "--to-date", "2026-01-31").code == 0)
    // 2026-01-30T22:00Z is the 31st in Cairo.
    let list = try project.run("dags", "list-runs", "cairo", "-s", "2026-01-31", "-e", "2026-01-31", "-o", "plain")
    #expect(dates(list) == ["backfill__2026-01-30T22:00:00+00:00"])
    let none = try project.run("dags", "list-runs", "cairo", "-s", "2026-02-01", "-e", "2026-02-01")
    #expect(
      (none.output + none.errors).contains("the nearest is of 2026-01-30T22:00:00+00:00"),
      "\(none.output)\(none.errors)")
    let cleared = try project.run(
      "tasks", "clear", "cairo", "-s", "2026-01-31", "-e", "2026-01-31", "-y", "-o", "plain")
    #expect(dates(cleared) == ["backfill__2026-01-30T22:00:00+00:00"], "\(cleared.errors)")

    let rendered = try project.run("tasks", "render", "cairo", "x", "2026-01-31", "-o", "json")
    #expect(rendered.output.contains("2026-01-30T22:00:00+00:00"), "\(rendered.errors)")
    let tried = try project.run("tasks", "run", "cairo", "x", "2026-06-01")
    #expect(tried.output.contains("2026-05-31T21:00:00+00:00"), "\(tried.output)\(tried.errors)")
    let tested = try project.run("dags", "test", "cairo", "2026-06-01")
    #expect(tested.output.contains("2026-05-31T21:00:00+00:00"), "\(tested.output)\(tested.errors)")
    let triggered = try project.run("trigger", "cairo", "-l", "2026-06-01", "-o", "json")
    #expect(triggered.output.contains("2026-05-31T21:00:00+00:00"), "\(triggered.errors)")
  }

  @Test func `a schedule says what it does when the clock changes`() throws {
    let project = try Project(["dags": Self.dags])
    let details = try project.run("dags", "details", "odd", "-o", "json")
    #expect(details.output.contains("30 2 * * * (Europe/Berlin, gap skip, fold both)"), "\(details.output)")
    func plan(_ from: String, _ to: String) throws -> [Substring] {
      dates(try project.run("backfill", "odd", "--from-date", from, "--to-date", to, "--dry-run", "-o", "plain"))
    }
    #expect(try plan("2026-03-29", "2026-03-29").isEmpty)
    #expect(try plan("2025-10-26", "2025-10-26") == ["2025-10-26T00:30:00+00:00", "2025-10-26T01:30:00+00:00"])
    // This once went around in circles.
    let next = try project.run("dags", "next-execution", "gap", "-n", "24")
    #expect(next.code == 0)
  }
}
