import Foundation
import Processes
import Testing

/// What a task did to its process is not there for the tasks after it, Swift or shell, in the binary that users have:
/// it is the one that compiled DAG files find the C library's functions through.
@Suite(.blocking) struct CleanProcessTests {
  /// What a Swift task does, by a name.
  private static let changes = [
    "path": #"setenv("PATH", "/nonexistent", 1)"#,
    "variable": #"setenv("NEW", "1", 1); unsetenv("HOME")"#,
    "no_variables": "clearenv()",
    "time_zone": #"setenv("TZ", "Asia/Tokyo", 1); tzset()"#,
    "mask": "umask(0o777)",
    "folder": #"chdir("/")"#,
    "limit": "var l = rlimit(rlim_cur: 64, rlim_max: 64); setrlimit(__rlimit_resource_t(7), &l)",
    "nice": "_ = nice(4)",
    "ignored": "signal(SIGCHLD, SIG_IGN); signal(SIGPIPE, SIG_IGN)",
    "handled": "signal(SIGUSR1) { _ in }; signal(SIGINT) { _ in }",
    "blocked": "var s = sigset_t(); sigfillset(&s); pthread_sigmask(SIG_BLOCK, &s, nil)",
    "alarm": "alarm(1000)",
    "locale": #"setlocale(LC_ALL, "C.UTF-8"); setlocale(LC_NUMERIC, "C.UTF-8")"#,
    "output": "close(1); close(2)",
    "input": #"dup2(open("/dev/zero", O_RDONLY), 0)"#,
    "descriptors": #"for _ in 0..<5 { _ = open("/dev/null", O_RDONLY) }"#,
    "thread": "Thread.detachNewThread { while true { sleep(1) } }",
    "queue": "DispatchQueue.global().async { while true { sleep(1) } }",
    "task":
      #"_ = _Concurrency.Task.detached { while true { print("not mine"); try await _Concurrency.Task.sleep(for: .milliseconds(1)) } }"#,
    "child":
      #"let p = Process(); p.executableURL = URL(fileURLWithPath: "/bin/sleep"); p.arguments = ["1000"]; try p.run()"#,
    "name": #"_ = control(15, strdup("mine"))"#,
    "subreaper": "_ = control(36, nil)",
    "dumpable": "_ = control(4, nil)",
    "oom": #"try "300".write(toFile: "/proc/self/oom_score_adj", atomically: false, encoding: .utf8)"#,
  ]

  private static func file(_ names: [String]) -> String {
    """
    import Dagrun
    import Foundation
    import Glibc

    // prctl(2), which Swift cannot import.
    func control(_ what: Int32, _ value: UnsafeMutablePointer<CChar>?) -> Int32 {
      typealias Call = @convention(c) (Int32, UInt, UInt, UInt, UInt) -> Int32
      return unsafeBitCast(dlsym(nil, "prctl"), to: Call.self)(what, UInt(bitPattern: value), 0, 0, 0)
    }

    func see(_ name: String) throws {
      var lines = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("DAGRUN_") }.map { "\\($0)=\\($1)" }.sorted()
      let mask = umask(0); umask(mask)
      lines.append("mask \\(mask)")
      for kind in UInt32(0)..<16 { var l = rlimit(); getrlimit(__rlimit_resource_t(kind), &l); lines.append("\\(kind) \\(l)") }
      lines.append("nice \\(getpriority(__priority_which_t(0), 0))")
      for number in Int32(1)..<65 {
        var action = sigaction()
        sigaction(number, nil, &action)
        lines.append("signal \\(number) \\(unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self) > 1 ? 2 : unsafeBitCast(action.__sigaction_handler.sa_handler, to: UInt.self))")
      }
      var blocked = sigset_t()
      pthread_sigmask(SIG_BLOCK, nil, &blocked)
      for number in Int32(1)..<65 where sigismember(&blocked, number) == 1 { lines.append("blocked \\(number)") }
      lines.append(FileManager.default.currentDirectoryPath)
      lines.append(String(cString: setlocale(LC_ALL, nil)))
      var zone = 0; var date = tm(); localtime_r(&zone, &date)
      lines.append("hour \\(date.tm_hour)")
      lines.append("alarm \\(alarm(0))")
      lines.append("input \\(try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/0"))")
      lines.append("threads \\(try FileManager.default.contentsOfDirectory(atPath: "/proc/self/task").count)")
      lines.append("dumpable \\(control(3, nil))")
      var reaper = [CChar](repeating: 0, count: 4); _ = control(37, &reaper)
      lines.append("subreaper \\(reaper[0])")
      var title = [CChar](repeating: 0, count: 16); _ = control(16, &title)
      lines.append("name \\(title)")
      lines.append("oom \\(try String(contentsOfFile: "/proc/self/oom_score_adj", encoding: .utf8))")
      try lines.joined(separator: "\\n").write(toFile: "../seen/swift.\\(name)", atomically: false, encoding: .utf8)
      print("seen")
    }

    let shell = "{ umask; ulimit -aS; nice; grep -E '^Sig(Blk|Ign)' /proc/self/status; cat /proc/$$/oom_score_adj; pwd; "
      + "env | grep -v ^DAGRUN_ | sort; readlink /proc/$$/fd/0; }"

    DAG("clean", maxActiveTasks: 1) {
      var last: any DAGTask = SwiftOperator("swift.first") { _ in try see("first") }
      func then(_ next: some DAGTask) { last --> next; last = next }
      then(BashOperator("shell.first", "\\(raw: shell) > ../seen/shell.first"))
    \(names.map { name in
      """
        then(SwiftOperator("do.\(name)") { _ in \(changes[name]!) })
        then(SwiftOperator("swift.\(name)") { _ in try see("\(name)") })
        then(SwiftOperator("again.\(name)") { _ in \(changes[name]!) })
        then(BashOperator("shell.\(name)", "\\(raw: shell) > ../seen/shell.\(name)"))
      """
    }.joined(separator: "\n"))
    }
    """
  }

  @Test func `whatever a Swift task did to its process, the next Swift and shell tasks find it as it was`() throws {
    let names = Self.changes.keys.sorted()
    let project = try Project(["clean": Self.file(names)])
    try FileManager.default.createDirectory(atPath: project.path + "/seen", withIntermediateDirectories: true)
    let ended = try project.run("trigger", "clean", "-r", "r", timeout: 180)
    #expect(ended.code == 0, "\(ended.output)\(ended.errors)")
    func seen(_ kind: String, _ name: String) -> String {
      (try? String(contentsOfFile: "\(project.path)/seen/\(kind).\(name)", encoding: .utf8)) ?? "nothing"
    }
    for kind in ["swift", "shell"] {
      let first = seen(kind, "first").split(separator: "\n")
      #expect(first.count > 10)
      for name in names {
        let now = seen(kind, name).split(separator: "\n")
        #expect(now == first, "\(kind) task after \(name): \(now.filter { !first.contains($0) })")
      }
    }
    // Nothing that was left running prints into another's log.
    for name in names {
      let log = try project.run("tasks", "logs", "clean", "r", "swift.\(name)")
      #expect(log.output == "seen\n", "after \(name): \(log.output)")
    }
    #expect(project.waitForNoSurvivors())
  }

  @Test func `a task that closes all descriptors fails with words, and leaves nothing running`() throws {
    let project = try Project([
      "closing": """
      import Dagrun
      import Glibc
      DAG("closing") {
        SwiftOperator("a") { _ in
          for number in 3..<200 { close(Int32(number)) }
          sleep(1000)
        }
      }
      """
    ])
    let ended = try project.run("trigger", "closing", "-r", "r")
    #expect(ended.code == 1)
    #expect(ended.errors.contains("a failed: closed descriptor "), "\(ended.errors)")
    #expect(project.waitForNoSurvivors())
  }
}
