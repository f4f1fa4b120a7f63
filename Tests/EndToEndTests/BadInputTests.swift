import Foundation
import Processes
import Testing

/// Each says what, on what, and what to do next, with its exit code.
@Suite(.blocking) struct BadInputTests {
  private func expect(
    _ ended: Project.Ended, code: Int, _ parts: String..., sourceLocation: SourceLocation = #_sourceLocation
  ) {
    #expect(ended.code == code, "\(ended.errors)", sourceLocation: sourceLocation)
    // On a busy machine it may have said first what it waited for.
    let lines = ended.errors.split(separator: "\n").drop { $0.hasPrefix("waiting ") }
    #expect(lines.first?.hasPrefix("error: ") == true, "\(ended.errors)", sourceLocation: sourceLocation)
    for part in parts {
      #expect(ended.errors.contains(part), "\(ended.errors)", sourceLocation: sourceLocation)
    }
  }

  @Test func `names that are not there`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    for command in [
      ["trigger"], ["dags", "show"], ["dags", "details"], ["tasks", "list"], ["dags", "next-execution"],
    ] {
      expect(try project.run(command + ["helo"]), code: 3, "helo", "did you mean", "hello")
    }
    expect(try project.run("trigger", "hello", "-c", #"{"cuont": 3}"#), code: 2, "cuont", "count")
    expect(try project.run("dags", "list-runs", "nothing"), code: 3, "nothing")
    expect(try project.run("tasks", "states-for-dag-run", "hello", "latest"), code: 3, "hello has no runs yet")
    expect(try project.run("tasks", "render", "hello", "numbr", "2026-01-01"), code: 3, "did you mean 'number'?")
    #expect(try project.run("trigger", "hello", "-r", "first").code == 0)
    expect(try project.run("tasks", "states-for-dag-run", "hello", "frist"), code: 3, "did you mean 'first'?")
    expect(try project.run("tasks", "logs", "hello", "first", "nubmer"), code: 3, "did you mean 'number'?")
    expect(try project.run("explain", "hello", "first", "duoble"), code: 3, "did you mean 'double'?")
    expect(try project.run("pools", "get", "defalt_pool"), code: 3, "did you mean 'default_pool'?")
  }

  @Test func `values that make no sense`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    expect(try project.run("trigger", "hello", "-l", "2026-02-30"), code: 2, "2026-02 has 28 days")
    expect(
      try project.run("trigger", "hello", "-c", "{"), code: 2, "--conf is not JSON: Unexpected end of file", "--conf '{"
    )
    expect(try project.run("trigger", "hello", "-c", "[1]"), code: 2, "not a JSON object")
    expect(try project.run("trigger", "hello", "-c", #"{"count": 12}"#), code: 2, "count", "9")
    expect(try project.run("trigger", "hello", "-c", #"{"count": "many"}"#), code: 2, "count")
    expect(try project.run("trigger", "hello", "-r", "a/b"), code: 2, "a/b")
    let backwards = ["--from-date", "2026-01-05", "--to-date", "2026-01-01"]
    expect(try project.run(["backfill", "hello"] + backwards), code: 2, "--from-date", "swap them")
    let future = ["--from-date", "2999-01-05", "--to-date", "2999-01-06"]
    expect(try project.run(["backfill", "hello"] + future), code: 2, "2999")
  }

  @Test func `a DAG in a broken file`() throws {
    let project = try Project(["broken": SampleDAG.broken, "hello": SampleDAG.hello])
    for command in [["trigger"], ["dags", "show"], ["tasks", "list"]] {
      expect(try project.run(command + ["broken"]), code: 4, "broken.swift:4", "dss")
    }
    let list = try project.run("dags", "list", "-o", "plain")
    #expect(list.code == 0)
    #expect(list.output.hasPrefix("hello\t"))
    #expect(list.errors.contains("1 file has import errors: see 'dagrun dags list-import-errors'"))
    let errors = try project.run("dags", "list-import-errors", "-o", "json")
    #expect(errors.code == 4)
    #expect(errors.output.contains("\"line\": 4"))
    // The others are not touched.
    #expect(try project.run("trigger", "hello").code == 0)
  }

  @Test func `places that are not what they should be`() throws {
    let project = try Project()
    try "".write(toFile: project.path + "/file", atomically: true, encoding: .utf8)
    expect(try project.run("dags", "list", "--dags-folder", "nowhere"), code: 2, "nowhere", "--dags-folder")
    expect(try project.run("dags", "list", "--dags-folder", "file"), code: 5, project.path + "/file")
    expect(try project.run("variables", "set", "x", "1", "--home", "file/home"), code: 5, "file", "--home")
    expect(try project.run("trigger", "hello", "--home", "file"), code: 5, "file")
  }

  @Test func `a module cache that cannot be one`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    try "".write(toFile: project.path + "/file", atomically: true, encoding: .utf8)
    for path in ["relative", project.path + "/file", project.path + "/file/below"] {
      project.environment["DAGRUN_MODULE_CACHE"] = path
      expect(try project.run("trigger", "hello"), code: 5, path)
    }
    // What is there is its own, and is made private.
    project.environment["DAGRUN_MODULE_CACHE"] = project.path + "/open"
    try FileManager.default.createDirectory(
      atPath: project.path + "/open", withIntermediateDirectories: true, attributes: [.posixPermissions: 0o777])
    #expect(try project.run("trigger", "hello").code == 0)
    let attributes = try FileManager.default.attributesOfItem(atPath: project.path + "/open")
    #expect(attributes[.posixPermissions] as? Int == 0o700)
  }

  @Test func `a database that is none, or damaged`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    try project.run("variables", "set", "x", "1")
    for name in ["dagrun.db-wal", "dagrun.db-shm"] {
      try? FileManager.default.removeItem(atPath: "\(project.home)/\(name)")
    }
    try String(repeating: "this is not a database. ", count: 1000)
      .write(toFile: project.home + "/dagrun.db", atomically: true, encoding: .utf8)
    for command in [["pools", "list"], ["trigger", "hello"], ["db", "check"], ["scheduler", "--until-idle"]] {
      expect(try project.run(command), code: 5, "dagrun.db")
    }
    let doctor = try project.run("doctor")
    #expect(doctor.code == 5)
    #expect(doctor.output.contains("bad   database"))
  }

  @Test func `a home that cannot be written`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    guard let ended = try project.run(mounting: "size=4m,ro", "variables", "set", "x", "1") else {
      try Test.cancel("mounting is not allowed here, and root passes every permission")
    }
    expect(ended, code: 5, project.home)
    let trigger = try #require(try project.run(mounting: "size=4m,ro", "trigger", "hello"))
    expect(trigger, code: 5, project.home)
  }

  @Test func `a full disk`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    guard
      let ended = try project.run(
        mounting: "size=64k", "variables", "set", "x", "1",
        seed: "head -c 100000 /dev/zero > \"$1/filler\" 2> /dev/null")
    else {
      try Test.cancel("mounting is not allowed here, and nothing else fills a disk harmlessly")
    }
    expect(ended, code: 5, project.home, "space")
  }

  /// What only reads needs no room, also where the files beside the database are gone, and its last writer was killed.
  @Test(arguments: [
    "\"$2\" trigger hello -r r -l 2026-01-31",
    """
    "$2" trigger hello -r r -l 2026-01-31; "$2" scheduler & p=$!
    until [ -S "$1/scheduler.sock" ]; do :; done
    "$2" pools set gpu 1; kill -KILL $p; wait $p; rm -f "$1/dagrun.db-shm"
    """,
  ])
  func `a full disk can be read`(before: String) throws {
    let project = try Project(["hello": SampleDAG.hello])
    let seed = "{ \(before); }; head -c 300000000 /dev/zero > \"$1/filler\" 2> /dev/null; :"
    for command in [
      ["tasks", "logs", "hello", "r", "number"], ["dags", "list-runs", "hello"], ["db", "check"], ["pools", "list"],
      ["dags", "list"], ["explain", "hello", "r", "number"],
    ] {
      guard let ended = try project.run(mounting: "size=250m", command, seed: seed) else {
        try Test.cancel("mounting is not allowed here, and nothing else fills a disk harmlessly")
      }
      #expect(ended.code == 0 || command[0] == "explain" && ended.code == 5, "\(command): \(ended)")
      #expect(!ended.errors.contains("descriptor"))
    }
  }

  @Test func `no compiler is not the DAG file's fault`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    project.environment["DAGRUN_SWIFTC"] = "/nowhere/swiftc"
    expect(try project.run("trigger", "hello"), code: 5, "no DAG file can be used", "/nowhere/swiftc")
    expect(try project.run("dags", "list"), code: 5, "/nowhere/swiftc")
    let doctor = try project.run("doctor")
    #expect(doctor.code == 5)
    #expect(!doctor.output.contains("'dagrun doctor'"))
  }

  @Test func `a result that cannot be written is not a success`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let ended = try project.run(
      binary: "/bin/sh", "-c", "exec \"$0\" dags list -o json > /dev/full", Project.binary)
    expect(ended, code: 5, "standard output", "No space left")
  }

  @Test func `damage in the middle of a database`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    try project.run("trigger", "hello")
    let path = project.home + "/dagrun.db"
    try project.run("db", "backup", project.path + "/copy.db")
    for name in ["dagrun.db-wal", "dagrun.db-shm"] {
      try? FileManager.default.removeItem(atPath: "\(project.home)/\(name)")
    }
    var bytes = try Data(contentsOf: URL(filePath: project.path + "/copy.db"))
    bytes.replaceSubrange(3 * 4096..<9 * 4096, with: Data(repeating: 0xA5, count: 6 * 4096))
    try bytes.write(to: URL(filePath: path))
    // The advice is not to do what was just done.
    let check = try project.run("db", "check")
    #expect(check.code == 5)
    #expect(check.errors.contains("backup") && !check.errors.contains("db check"))
  }

  @Test func `a DAG with runs whose file lost its name when it broke`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    #expect(try project.run("trigger", "hello", "-r", "r").code == 0)
    try project.write("hello", "import Dagrun\nDAG(\n")
    expect(try project.run("trigger", "hello"), code: 4, "hello.swift:")
    expect(try project.run("tasks", "clear", "hello", "--run-id", "r", "-y"), code: 4, "hello.swift:")
  }

  @Test func `a scheduler without DAG files`() throws {
    let project = try Project()
    expect(try project.run("scheduler", "--dags-folder", "nowhere"), code: 2, "nowhere", "--dags-folder")
    project.environment["DAGRUN_SWIFTC"] = "/nowhere/swiftc"
    try project.write("hello", SampleDAG.hello)
    let scheduler = try project.run("scheduler", "--until-idle")
    #expect(scheduler.code == 5)
    #expect(scheduler.errors.contains("no DAG file can be used") && scheduler.errors.contains("/nowhere/swiftc"))
  }

  @Test func `a file that loops while it is described ends with the command that asked`() throws {
    let project = try Project([
      "loops": """
      import Dagrun
      import Foundation

      try "\\(getpid())".write(toFile: "pid", atomically: true, encoding: .utf8)
      while true {}
      """
    ])
    let list = try project.start("dags", "list")
    let path = project.path + "/dags/pid"
    #expect(list.wait { _ in FileManager.default.fileExists(atPath: path) })
    let pid = try #require(pid_t(try String(contentsOfFile: path, encoding: .utf8)))
    let process = try ProcessDescriptor(pid: pid)
    list.signal(SIGINT)
    #expect(try list.waitForEnd() == 128 + Int(SIGINT))
    #expect(process.hasEnded(within: 10_000))
  }
}
