import Foundation
import Processes
import Testing

/// Each command that can begin a job, ended in each way, at each point of the job's life: nothing may be left in the
/// cloud when it has left.
///
/// `DAGRUN_END_CELLS=all` walks the whole table, a number so many cells of it, which `DAGRUN_CRASH_SEED` draws; of what
/// is the same in code, some are enough.
@Suite(.blocking, .serialized) struct EndingTests {
  enum Beginning: String, CaseIterable {
    case trigger, backfill, dagsTest, tasksRun, jobRun, jobAttach
  }

  enum Way: String, CaseIterable {
    case interrupt, terminate, hangUp, quit, closedTerminal
  }

  enum Moment: String, CaseIterable {
    case queued, running, restarting, beingRemoved
  }

  struct Cell: CustomStringConvertible {
    var beginning: Beginning
    var way: Way
    var moment: Moment

    var description: String { "\(beginning) \(way) \(moment)" }

    /// Only a task of a run can be cleared while it runs.
    var exists: Bool {
      switch beginning {
      case .trigger, .backfill, .dagsTest: true
      case .tasksRun, .jobRun, .jobAttach: moment != .restarting
      }
    }
  }

  private static let program = "trap 'exit 0' TERM; sleep 100 & wait"

  private static let dag = """
    import Dagrun

    let machine = JobConfig(project: "demo", image: "debian").zones("europe-west1-b")
    DAG("remote", schedule: .daily, startDate: "2026-01-01") {
      ComputeEngineJobOperator("job", job: machine, command: "\(program)")
    }
    """

  private static let table = Beginning.allCases.flatMap { beginning in
    Way.allCases.flatMap { way in Moment.allCases.map { Cell(beginning: beginning, way: way, moment: $0) } }
  }.filter(\.exists)

  /// A share in which every command, way and moment occurs.
  private static func share() -> [Cell] {
    let asked = ProcessInfo.processInfo.environment["DAGRUN_END_CELLS"]
    if asked == "all" { return table }
    let seed = CrashSeed.announced(for: "ends", count: 0)
    var generator = SplitMix(state: seed)
    let shuffled = table.shuffled(using: &generator)
    var missing = Set(
      Beginning.allCases.map(\.rawValue) + Way.allCases.map(\.rawValue) + Moment.allCases.map(\.rawValue))
    var cells: [Cell] = []
    var rest: [Cell] = []
    for cell in shuffled {
      let names = [cell.beginning.rawValue, cell.way.rawValue, cell.moment.rawValue]
      // The first ones bring most.
      if missing.intersection(names).count >= (missing.count > 6 ? 2 : 1) {
        missing.subtract(names)
        cells.append(cell)
      } else {
        rest.append(cell)
      }
    }
    cells += rest.filter { cell in missing.contains { cell.description.contains($0) } }
    let count = asked.flatMap { Int($0) } ?? cells.count
    return Array((cells + rest).prefix(max(count, 1)))
  }

  @Test func `whatever ends a command, and whenever, nothing of its job is left`() throws {
    let cloud = try Cloud(["remote": Self.dag])
    for cell in Self.share() {
      let begin = monotonicSeconds()
      try walk(cell, cloud)
      print("ends: \(cell) \(Int(monotonicSeconds() - begin)) s")
    }
    try cloud.end()
  }

  private func walk(_ cell: Cell, _ cloud: Cloud) throws {
    let project = cloud.project
    let temporary = "\(project.path)/tmp-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: temporary, withIntermediateDirectories: true)
    project.environment["TMPDIR"] = temporary
    defer { project.environment["TMPDIR"] = nil }
    let name = "j-\(UUID().uuidString.lowercased().prefix(8))"
    let place = ["--project", "demo", "--image", "debian", "--zone", "europe-west1-b"]
    let program = ["--", "sh", "-c", Self.program]
    let arguments: [String]
    switch cell.beginning {
    case .trigger: arguments = ["trigger", "remote", "--run-id", name]
    case .backfill:
      let day = String(format: "2026-01-%02d", Int.random(in: 1...28))
      arguments = [
        "backfill", "remote", "--from-date", day, "--to-date", day, "--reprocess-behavior", "completed",
      ]
    case .dagsTest: arguments = ["dags", "test", "remote"]
    case .tasksRun: arguments = ["tasks", "run", "remote", "job"]
    case .jobRun: arguments = ["job", "run", "--name", name] + place + program
    case .jobAttach:
      let detached = try project.run(["job", "run", "--detach", "--name", name] + place + program)
      #expect(detached.code == 0, "\(cell): \(detached.errors)")
      arguments = ["job", "attach", name]
    }
    let command = try TerminalCommand(project, arguments)
    let job = try wait(for: cell, command, project, temporary)
    switch cell.moment {
    case .queued, .running: break
    case .restarting: try clear(job, project)
    case .beingRemoved: try remove(job, cell, project)
    }
    switch cell.way {
    case .interrupt: kill(command.pid, SIGINT)
    case .terminate: kill(command.pid, SIGTERM)
    case .hangUp: kill(command.pid, SIGHUP)
    case .quit: kill(command.pid, SIGQUIT)
    case .closedTerminal: command.closeTerminal()
    }
    let code = try command.waitForEnd()
    // One that was ended otherwise a moment ago may tell of that.
    #expect(
      cell.moment == .beingRemoved ? [1, 130, 248].contains(code) : code == 130,
      "\(cell): \(code), \(command.read())")
    #expect(try cloud.isEmpty(), "\(cell): \(command.read())")
    let left = try FileManager.default.contentsOfDirectory(atPath: temporary).filter { $0.hasPrefix("dagrun-") }
    #expect(left.isEmpty, "\(cell): \(left)")
  }

  private struct FoundJob {
    var name: String
    var run: String?
    var home: String
  }

  private func wait(
    for cell: Cell, _ command: TerminalCommand, _ project: Project, _ temporary: String
  ) throws -> FoundJob {
    let end = monotonicSeconds() + 60
    while monotonicSeconds() < end {
      _ = command.read()
      let trial = try FileManager.default.contentsOfDirectory(atPath: temporary).first { $0.hasPrefix("dagrun-") }
      let isTrial = cell.beginning == .dagsTest
      let home = isTrial ? trial.map { "\(temporary)/\($0)/home" } : project.home
      guard let home, FileManager.default.fileExists(atPath: home) else { continue }
      let text = try project.run("job", "list", "--home", home, "-o", "json").output
      let jobs = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
      guard let job = jobs.first, let state = job["state"] as? String else { continue }
      if cell.beginning == .jobAttach, job["driven"] as? Bool != true { continue }
      if cell.moment == .queued || state == "running" {
        return FoundJob(name: job["name"] as? String ?? "", run: job["dag_run_id"] as? String, home: home)
      }
    }
    Issue.record("\(cell): \(command.read())")
    throw CancellationError()
  }

  private func clear(_ job: FoundJob, _ project: Project) throws {
    let cleared = try project.run(
      "tasks", "clear", "remote", "--run-id", try #require(job.run), "-y", "--home", job.home)
    #expect(cleared.code == 0, "\(cleared.errors)")
  }

  /// By somebody else.
  private func remove(_ job: FoundJob, _ cell: Cell, _ project: Project) throws {
    switch cell.beginning {
    case .trigger, .backfill, .dagsTest:
      let run = try #require(job.run)
      #expect(try project.run("dags", "set-state", "remote", run, "failed", "--home", job.home).code == 0)
    case .tasksRun, .jobRun, .jobAttach:
      // As `job cancel` asks the process that drives it.
      _ = FileManager.default.createFile(atPath: "\(job.home)/jobs/\(job.name).cancel", contents: nil)
    }
  }

  /// Its last line is all that a person has.
  @Test(arguments: [["trigger", "remote"], ["dags", "test", "remote"], ["job", "run"]])
  func `a second Ctrl-C leaves at once, and its last line removes what stays`(words: [String]) throws {
    let stubborn = Self.dag.replacingOccurrences(of: Self.program, with: "trap '' TERM; sleep 5; sleep 5; sleep 5")
    let cloud = try Cloud(["remote": stubborn])
    let job = ["--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--", "sh", "-c"]
    let program = "trap '' TERM; sleep 5; sleep 5; sleep 5"
    let command = try cloud.project.start(words == ["job", "run"] ? words + job + [program] : words)
    #expect(command.wait(seconds: 60) { $0.contains("job running") || $0.contains(" runs on ") }, "\(command.text)")
    command.signal(SIGINT)
    #expect(command.wait { $0.contains("leaves at once") }, "\(command.text)")
    command.signal(SIGINT)
    #expect(try command.waitForEnd(seconds: 10) == 130)
    let last = try #require(command.text.split(separator: "\n").last)
    let removal = try #require(last.range(of: "dagrun job cancel "), "\(command.text)")
    let line = "\"$0\" " + last[removal.lowerBound...].dropFirst("dagrun ".count)
    let removed = try cloud.project.run(program: "sh", "-c", line, Project.binary)
    #expect(removed.code == 0, "\(last): \(removed.errors)")
    #expect(try cloud.isEmpty(), "\(command.text)")
    try cloud.end()
  }

  /// The job cannot be stored any more, and the cloud does not answer.
  @Test func `a second Ctrl-C ends a command whose home and cloud are gone`() throws {
    let cloud = try Cloud()
    let command = try cloud.project.start(
      "job", "run", "--name", "homeless", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--",
      "sleep", "100")
    #expect(command.wait(seconds: 60) { $0.contains(" runs on ") }, "\(command.text)")
    try cloud.end()
    try FileManager.default.removeItem(atPath: cloud.project.home)
    command.signal(SIGTERM)
    #expect(command.wait { $0.contains("leaves at once") }, "\(command.text)")
    command.signal(SIGTERM)
    #expect(try command.waitForEnd(seconds: 10) == 130)
    #expect(command.text.contains("dagrun job cancel homeless --project demo"), "\(command.text)")
  }
}
