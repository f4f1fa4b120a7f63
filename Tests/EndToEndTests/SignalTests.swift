import Foundation
import Processes
import Testing

/// Signals, and standard descriptors that are closed or break, under each command that takes long.
@Suite(.blocking) struct SignalTests {
  /// Signals that say nothing to dagrun, and whose default is the end of a process.
  private static let meaningless =
    [SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXFSZ, 34, 64]

  private static let dag = """
    import Dagrun

    DAG("two", schedule: .daily, startDate: "2026-01-01") {
      BashOperator("a", "echo a; sleep 2") --> BashOperator("b", "echo b")
    }
    """

  private static let following: [[String]] = [
    ["trigger", "two"], ["dags", "test", "two"], ["tasks", "run", "two", "a"],
    [
      "backfill", "two", "--from-date", "2026-01-01", "--to-date", "2026-01-01", "--reprocess-behavior", "completed",
    ], ["scheduler"],
    ["scheduler", "--until-idle"], ["emulator", "start"],
  ]

  @Test(arguments: following)
  func `a signal that only kills ends no command at work`(words: [String]) throws {
    let project = try Project(["two": Self.dag])
    try Self.makeLocal(project)
    if words.contains("--until-idle") { #expect(try project.run("trigger", "two", "--no-wait").code == 0) }
    let command = try project.start(words)
    #expect(try Self.waitUntilAtWork(command, words, project), "\(command.text)")
    for number in Self.meaningless { command.signal(number) }
    if ["scheduler", "emulator"].contains(words[0]), words.last != "--until-idle" {
      command.signal([SIGHUP, SIGQUIT, SIGXCPU][words[0].count % 3])
    }
    #expect(try command.waitForEnd(seconds: 60) == 0, "\(words): \(command.text)")
  }

  @Test(arguments: [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGXCPU])
  func `what asks a run to end cancels it`(number: Int32) throws {
    let project = try Project(["slow": SampleDAG.slow])
    let command = try project.start("trigger", "slow", "-r", "r")
    #expect(command.wait { $0.contains("sleeps running") }, "\(command.text)")
    command.signal(number)
    #expect(try command.waitForEnd() == 130)
    #expect(try project.run("dags", "list-runs", "slow", "-o", "plain").output.contains("r\tmanual\tfailed\t"))
  }

  /// As in a shell that leaves its jobs behind.
  @Test func `with nohup a command outlives its terminal`() throws {
    let project = try Project(["two": Self.dag])
    let script =
      "nohup \"$0\" trigger two > out 2>&1 & until grep -q 'a running' out; do sleep 0.05; done; kill -HUP $!; wait $!"
    let ended = try project.run(program: "sh", "-c", script, Project.binary)
    #expect(ended.code == 0, "\(ended.errors)")
  }

  // MARK: Standard descriptors

  @Test func `progress that nobody reads stops, and the run continues`() throws {
    let project = try Project(["two": Self.dag])
    // A shell waits for each command of a pipe.
    let script = "\"$0\" trigger two -r p 2>&1 | head -n 1 >&2; \"$0\" tasks states-for-dag-run two p -o plain"
    let ended = try project.run(program: "bash", "-c", script, Project.binary)
    #expect(ended.output.contains("b\tsuccess"), "\(ended.output) \(ended.errors)")
  }

  @Test(arguments: following + [["job", "serve"]])
  func `a closed standard descriptor is nobody's`(words: [String]) throws {
    let project = try Project(["two": Self.dag.replacingOccurrences(of: "sleep 2", with: "true")])
    try Self.makeLocal(project)
    for redirections in [">&-", "2>&-", "<&-", "<&- >&- 2>&-"] {
      if words.contains("--until-idle") { #expect(try project.run("trigger", "two", "--no-wait").code == 0) }
      let command = "\"$0\" " + words.joined(separator: " ")
      let script =
        switch words {
        case ["scheduler"]:
          "\(command) \(redirections) & until [ -S .dagrun/scheduler.sock ]; do sleep 0.05; done; kill $!; wait $!"
        case ["emulator", "start"]:
          "rm -f up; \(command) --environment-file up \(redirections) & until [ -e up ]; do sleep 0.05; done; "
            + "kill $!; wait $!"
        case ["job", "serve"]: "\(command) < /dev/null \(redirections)"
        default: "\(command) \(redirections)"
        }
      let ended = try project.run(program: "sh", "-c", script, Project.binary)
      #expect(ended.code == 0, "\(words) \(redirections): \(ended.code) \(ended.errors)")
      for name in ["dagrun.db", "scheduler.lock"] {
        let text = String(decoding: readWholeFile(project.home + "/" + name) ?? [], as: UTF8.self)
        #expect(!text.contains("Ctrl-C ends it"), "\(name) has what was printed")
      }
    }
  }

  /// A log is read by somebody, or the task is not wanted.
  @Test(arguments: [["dags", "test", "slow"], ["tasks", "run", "slow", "sleeps"]])
  func `a log whose reader leaves ends its task`(words: [String]) throws {
    let project = try Project(["slow": SampleDAG.slow.replacingOccurrences(of: "sleep 60", with: "sleep 60; echo")])
    let script = "\"$0\" \(words.joined(separator: " ")) 2>/dev/null | head -n 0; echo ${PIPESTATUS[0]}"
    let ended = try project.run(program: "bash", "-c", script, Project.binary)
    #expect(ended.output == "130\n", "\(ended.output) \(ended.errors)")
  }

  @Test func `a result whose reader has left ends its command as any program`() throws {
    let project = try Project(["two": Self.dag])
    let script = "{ sleep 0.5; \"$0\" dags list; echo $? >&2; } | true"
    let ended = try project.run(program: "bash", "-c", script, Project.binary)
    #expect(ended.errors.hasSuffix("141\n"), "\(ended.errors)")
  }

  @Test func `a result that cannot be written is not a success`() throws {
    let project = try Project(["two": Self.dag.replacingOccurrences(of: "sleep 2", with: "true")])
    for words in ["dags list", "dags test two", "tasks run two a"] {
      let ended = try project.run(program: "sh", "-c", "\"$0\" \(words) > /dev/full", Project.binary)
      #expect(ended.code == 5 && ended.errors.contains("No space left on device"), "\(words): \(ended.errors)")
    }
  }

  // MARK: Jobs

  @Test func `a job whose log nobody reads any more is cancelled`() throws {
    let cloud = try Cloud()
    let script =
      "\"$0\" job run --project demo --image debian --zone europe-west1-b --name pipejob -- "
      + "sh -c 'echo begun; trap \"exit 0\" TERM; sleep 100 & wait' | head -n 1; echo ${PIPESTATUS[0]}"
    let ended = try cloud.project.run(program: "bash", "-c", script, Project.binary)
    #expect(ended.output == "begun\n130\n", "\(ended.output) \(ended.errors)")
    #expect(try cloud.isEmpty())
    try cloud.end()
  }

  @Test func `a job that nobody drives is named, and the scheduler takes it over`() throws {
    let cloud = try Cloud()
    let project = cloud.project
    let command = try startOrphan(in: project)
    let driven = try project.run("job", "list", "-o", "json")
    #expect(driven.output.contains("\"driven\": true") && !driven.errors.contains("nobody drives it"))
    command.signal(SIGKILL)
    _ = try command.waitForEnd()
    let listed = try project.run("job", "list")
    #expect(listed.errors.contains("nobody drives it") && listed.errors.contains("dagrun job attach orphan"))
    let doctor = try project.run("doctor")
    #expect(doctor.output.contains("nobody drives it") && doctor.output.contains("dagrun job cancel orphan"))

    let scheduler = try project.start("scheduler")
    #expect(scheduler.wait { $0.contains("took over a job that nobody drove") }, "\(scheduler.text)")
    #expect(try !project.run("job", "list").errors.contains("nobody drives it"))
    // Who wants it back gets it.
    let attached = try project.start("job", "attach", "orphan")
    #expect(attached.wait { $0.contains(" runs on ") }, "\(attached.text)")
    attached.signal(SIGTERM)
    #expect(try attached.waitForEnd(seconds: 60) == 130)
    #expect(try cloud.isEmpty())
    scheduler.signal(SIGTERM)
    #expect(try scheduler.waitForEnd() == 0)
    try cloud.end()
  }

  /// `dagrun job run` of a job named `orphan` that runs until it is cancelled.
  private func startOrphan(in project: Project) throws -> Started {
    let command = try project.start(
      "job", "run", "--name", "orphan", "--project", "demo", "--image", "debian", "--zone", "europe-west1-b", "--",
      "sh",
      "-c", "trap 'exit 0' TERM; sleep 100 & wait")
    #expect(command.wait(seconds: 60) { $0.contains(" runs on ") }, "\(command.text)")
    return command
  }

  @Test func `the scheduler cancels a job that it has taken over`() throws {
    let cloud = try Cloud()
    let project = cloud.project
    let command = try startOrphan(in: project)
    command.signal(SIGKILL)
    _ = try command.waitForEnd()
    let scheduler = try project.start("scheduler", "--until-idle")
    #expect(scheduler.wait { $0.contains("took over a job that nobody drove") }, "\(scheduler.text)")
    #expect(try project.run("job", "cancel", "orphan").code == 0)
    #expect(try cloud.isEmpty())
    // It had nothing else to wait for.
    #expect(try scheduler.waitForEnd() == 0, "\(scheduler.text)")
    try cloud.end()
  }

  @Test func `a cancel that its driver did not live to see is done by the scheduler`() throws {
    let cloud = try Cloud()
    let project = cloud.project
    let command = try startOrphan(in: project)
    command.signal(SIGSTOP)
    let cancel = try project.start("job", "cancel", "orphan")
    let request = project.home + "/jobs/orphan.cancel"
    #expect(cancel.wait { _ in FileManager.default.fileExists(atPath: request) }, "\(cancel.text)")
    for killed in [cancel, command] {
      killed.signal(SIGKILL)
      _ = try killed.waitForEnd()
    }
    #expect(try !cloud.isEmpty())
    let scheduler = try project.run("scheduler", "--until-idle")
    #expect(scheduler.code == 0 && scheduler.errors.contains("took over a job"), "\(scheduler.errors)")
    #expect(try cloud.isEmpty())
    #expect(!FileManager.default.fileExists(atPath: request))
    try cloud.end()
  }

  // MARK: -

  /// No command here reaches any cloud.
  private static func makeLocal(_ project: Project) throws {
    project.environment["GOOGLE_APPLICATION_CREDENTIALS"] = project.path + "/none.json"
    project.environment["PUBSUB_EMULATOR_HOST"] = "127.0.0.1:9"
    project.environment["CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE"] = "http://127.0.0.1:9/compute/v1/"
  }

  private static func waitUntilAtWork(_ command: Started, _ words: [String], _ project: Project) throws -> Bool {
    switch words[0] {
    case "scheduler" where words.count == 1: command.wait { $0.contains("Ctrl-C ends it") }
    case "emulator": command.wait { $0.contains("Ctrl-C ends it") }
    case "trigger": command.wait { $0.contains("a running") }
    default: try waitForHandler(command.pid)
    }
  }

  /// Until the process ignores or hears what says nothing to it, as one does that is at work.
  private static func waitForHandler(_ pid: pid_t) throws -> Bool {
    let end = monotonicSeconds() + 30
    while monotonicSeconds() < end {
      let status = String(decoding: readWholeFile("/proc/\(pid)/status") ?? [], as: UTF8.self)
      let lines = status.split(separator: "\n").filter { $0.hasPrefix("SigIgn:") || $0.hasPrefix("SigCgt:") }
      let mask = lines.reduce(0) {
        $0 | (UInt64($1.dropFirst("SigIgn:".count).filter { !$0.isWhitespace }, radix: 16) ?? 0)
      }
      if meaningless.allSatisfy({ mask & (1 << UInt64($0 - 1)) != 0 }) { return true }
      usleep(10_000)
    }
    return false
  }
}
