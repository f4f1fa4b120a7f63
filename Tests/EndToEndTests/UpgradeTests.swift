import Foundation
import Testing

/// The home of an earlier dagrun, whose scheduler, workers and machines were killed in the middle of their work. Its
/// database was made by that dagrun (`Tests/Fixtures/homes/make-home`).
@Suite(.blocking, .serialized) struct UpgradeTests {
  private static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().path + "/../Fixtures/homes"

  private func makeHome(_ project: Project, version: String) throws {
    let files = FileManager.default
    try files.createDirectory(atPath: project.home, withIntermediateDirectories: true)
    try files.copyItem(atPath: "\(Self.fixtures)/\(version).db", toPath: project.home + "/dagrun.db")
    try files.setAttributes([.posixPermissions: 0o600], ofItemAtPath: project.home + "/dagrun.db")
    try files.copyItem(atPath: Self.fixtures + "/old.swift", toPath: project.path + "/dags/old.swift")
  }

  private func rows(_ project: Project, _ sql: String) throws -> [String] {
    let ended = try project.run(program: "sqlite3", project.home + "/dagrun.db", sql)
    #expect(ended.code == 0, "\(ended.errors)")
    return ended.output.split(separator: "\n").map(String.init)
  }

  /// What stays as it was, whatever runs next.
  private static let history = """
    SELECT run, task_id, state, try_number, start_date, end_date, reason, exit_code, cpu_seconds FROM task_instance
      WHERE run < 3 ORDER BY run, task_id;
    SELECT run, task_id, try_number, state, start_date, end_date, reason, exit_code FROM task_try ORDER BY run, task_id;
    SELECT run, task_id, value FROM xcom WHERE run < 3 ORDER BY run, task_id;
    SELECT key, value FROM variable; SELECT name, slots FROM pool ORDER BY name;
    """

  @Test(arguments: ["0007", "0008"])
  func `its runs, its backfill and its jobs continue to the right end, and its history stays`(version: String) throws {
    let cloud = try Cloud()
    let project = cloud.project
    try makeHome(project, version: version)
    let history = try rows(project, Self.history)
    // Tasks wait for it.
    _ = FileManager.default.createFile(atPath: project.path + "/gate", contents: nil)

    let ended = try project.run(["scheduler", "--until-idle"], timeout: 120)
    #expect(ended.code == 0, "\(ended.output) \(ended.errors)")

    let states = try rows(
      project, "SELECT dag_id, run_type, state, count(*) FROM dag_run WHERE id < 12 GROUP BY 1, 2, 3")
    #expect(
      states == [
        "days|backfill|success|5", "days|scheduled|success|1", "history|manual|success|2", "job|manual|success|1",
        "retrying|manual|success|1", "running|manual|success|1",
      ], "\(states)")
    #expect(
      try rows(project, "SELECT task_id, value FROM xcom WHERE run = 3 ORDER BY task_id") == [
        #"first|"1""#, #"gated|"12""#, #"last|"123""#,
      ])
    #expect(try rows(project, "SELECT task_id, try_number FROM task_instance WHERE run = 4") == ["again|2"])
    let measured =
      "SELECT count(*) FROM xcom JOIN task_instance USING (run, task_id, map_index) WHERE output_length IS NULL"
    #expect(try rows(project, measured) == ["0"])
    #expect(try rows(project, "SELECT count(*) FROM backfill WHERE completed_at IS NULL") == ["0"])
    // Their cloud is gone with its machines: the first jobs ended there, and the next try had its own.
    #expect(try rows(project, "SELECT member, count(*) FROM job GROUP BY 1 ORDER BY 1") == ["1|2", "2|2"])
    #expect(try rows(project, "SELECT count(*) FROM job WHERE is_finished = 0") == ["0"])
    #expect(try cloud.isEmpty())

    let later = try rows(project, Self.history)
    #expect(Set(history).isSubset(of: later), "\(Set(history).subtracting(later))")
    #expect(try rows(project, "PRAGMA integrity_check; PRAGMA foreign_key_check") == ["ok"])
    try cloud.end()
  }
}
