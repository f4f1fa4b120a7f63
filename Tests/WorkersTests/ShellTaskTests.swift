import Foundation
import Glibc
import Model
import Preparation
import Processes
import Testing

@testable import Workers

@Suite struct ShellTaskTests {
  @Test func `the output is the last line of standard output, whatever is written to standard error`() throws {
    let worker = try TestWorker()
    let result = try worker.bash("echo first; printf 'Working...' >&2; echo 42; echo done >&2")
    #expect(result.outcome == .success)
    #expect(result.output == #""42""#)
    let log = try #require(worker.log("shell"))
    for text in ["first\n", "Working...", "42\n", "done\n"] { #expect(log.contains(text)) }
  }

  @Test(arguments: [
    ("printf 'a\\nb'", #""b""#), ("printf 'a\\nb\\n\\n'", #""""#), ("printf 'part'; printf 'ly \\n'", #""partly""#),
    (#"echo 'say "hi" \ there'"#, #""say \"hi\" \\ there""#), ("printf 'tab\\there'", #""tab\there""#),
    ("for i in $(seq 20000); do echo $i; done", #""20000""#),
  ])
  func `the last line is the output`(script: String, output: String) throws {
    #expect(try TestWorker().bash(script).output == output)
  }

  @Test func `the file DAGRUN_OUTPUT comes before the last line`() throws {
    let worker = try TestWorker()
    #expect(try worker.bash("echo '{\"a\": 1}' > $DAGRUN_OUTPUT; echo line").output == #""{\"a\": 1}""#)
    #expect(try worker.bash("echo line", tryNumber: 2).output == #""line""#)
  }

  @Test func `a silent script has no log file, and an empty output`() throws {
    let worker = try TestWorker()
    let result = try worker.bash("true")
    #expect(result.outcome == .success)
    #expect(result.output == #""""#)
    #expect(worker.log("shell") == nil)
  }

  @Test func `writing to dev stderr keeps the log`() throws {
    let worker = try TestWorker()
    _ = try worker.bash("echo first; echo second > /dev/stderr; echo third")
    let log = try #require(worker.log("shell"))
    for text in ["first\n", "second\n", "third\n"] { #expect(log.contains(text)) }
  }

  @Test func `the log grows while the script runs`() throws {
    let worker = try TestWorker()
    worker.start(
      TryKey(run: 7, taskID: "shell", number: 1),
      .bash(script: "echo started; sleep 1000", environment: [:], workingDirectory: nil))
    worker.waitForLog("shell")
    worker.link.stop(TryKey(run: 7, taskID: "shell", number: 1))
    #expect(try worker.finish().outcome == .stopped(signal: Int(SIGTERM)))
  }

  @Test func `the script has the variables of its workload, and none of the worker's own`() throws {
    let result = try TestWorker().bash(
      "echo $FRUIT/$DAGRUN_DAG_ID/$SWIFT_BACKTRACE", environment: ["FRUIT": "pear", "DAGRUN_DAG_ID": "dag"])
    #expect(result.output == #""pear/dag/""#)
  }

  @Test func `a script longer than an argument may be is run from a file`() throws {
    let script = "x='\(String(repeating: "y", count: 300_000))'; echo ${#x}"
    #expect(try TestWorker().bash(script).output == #""300000""#)
  }

  @Test func `an exit code fails, 99 skips`() throws {
    let worker = try TestWorker()
    #expect(
      try worker.bash("exit 3").outcome == .failed(reason: "the script ended with exit code 3", exitCode: 3))
    #expect(
      try worker.bash("exit 99", tryNumber: 2).outcome == .skipped(reason: "the script ended with exit code 99"))
    #expect(
      try worker.bash("kill -9 $$", tryNumber: 3).outcome
        == .failed(reason: "the script was ended by signal 9 (SIGKILL)", signal: 9))
    #expect(worker.log("shell", tryNumber: 3) == "dagrun: the script was ended by signal 9 (SIGKILL)\n")
  }

  @Test func `a missing working directory fails with the reason`() throws {
    let worker = try TestWorker()
    worker.start(
      TryKey(run: 7, taskID: "shell", number: 1),
      .bash(script: "echo x", environment: [:], workingDirectory: "/no/such/folder"))
    guard case .failed(let failure, _) = try worker.finish().outcome else { throw WorkerDied() }
    #expect(failure.reason == "cannot start bash in /no/such/folder: No such file or directory")
  }

  @Test func `what a script leaves in its group is ended, and the log says so`() throws {
    let worker = try TestWorker()
    let result = try worker.bash("sleep 1000 & echo $!")
    #expect(result.outcome == .success)
    let child = try pid(in: result)
    #expect(end(of: child))
    #expect(
      worker.log("shell") == "\(child)\ndagrun: the script has ended, but not all that it started: ending that now\n")
  }

  @Test func `a child that left the session and ignores SIGTERM does not survive either`() throws {
    let result = try TestWorker().bash(
      "setsid bash -c 'trap : TERM; echo $$; exec >&- 2>&-; while :; do sleep 1000; done' & read < <(sleep 1000) -t 0.2; jobs -p"
    )
    let child = try pid(in: result)
    #expect(end(of: child))
  }

  @Test func `a stop reaches all of the group, and what ignores it is killed after the grace period`() throws {
    let worker = try TestWorker()
    let id = TryKey(run: 7, taskID: "shell", number: 1)
    worker.start(
      id,
      .bash(
        script: "trap '' TERM; sleep 1000 & echo $!; wait; wait; while :; do read -t 1000 < <(:); done",
        environment: [:], workingDirectory: nil), graceSeconds: 0.2)
    worker.waitForLog("shell")
    worker.link.stop(id)
    let result = try worker.finish()
    #expect(result.outcome == .stopped(signal: Int(SIGKILL)))
    let log = try #require(worker.log("shell"))
    let child = try #require(pid_t(log.prefix { $0.isNumber }))
    #expect(end(of: child))
  }

  @Test func `a program below a shell that ends at once has the grace period to save its work`() throws {
    let worker = try TestWorker()
    let id = TryKey(run: 7, taskID: "shell", number: 1)
    worker.start(
      id,
      .bash(
        script: "bash -c 'trap \"echo saved; exit 0\" TERM; echo ready; while :; do sleep 0.01; done'; true",
        environment: [:], workingDirectory: nil))
    worker.waitForLog("shell")
    worker.link.stop(id)
    guard case .stopped = try worker.finish().outcome else { throw WorkerDied() }
    #expect(worker.log("shell")?.contains("saved\n") == true)
  }

  @Test func `a stop that comes before its try takes effect when the try comes`() throws {
    let worker = try TestWorker()
    worker.link.stop(TryKey(run: 7, taskID: "shell", number: 1))
    // The two sockets are read by two threads: the stop may be read before the try or after.
    #expect(try worker.bash("sleep 1000").outcome == .stopped(signal: Int(SIGTERM)))
    #expect(try worker.bash("echo next", tryNumber: 2).outcome == .success)
  }

  @Test func `a stop of another try stops nothing`() throws {
    let worker = try TestWorker()
    worker.link.stop(TryKey(run: 7, taskID: "shell", number: 2))
    #expect(try worker.bash("echo on").output == #""on""#)
  }

  @Test func `usage and dates are told`() throws {
    let before = wallClockMicroseconds()
    let result = try TestWorker().bash("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")
    #expect(result.usage.cpuSeconds! > 0.005)
    #expect(result.usage.peakMemoryBytes! > 1_000_000)
    let (start, end) = try (#require(result.startDate), #require(result.endDate))
    #expect(start >= at(before))
    #expect(end > start)
  }

  @Test(arguments: [
    "extract.sh --region eu", "true", "/bin/ls -l /tmp/a_b", "python3 train.py --rate=0.1 -o out/2026-01-01.csv",
  ])
  func `a plain command needs no shell`(script: String) throws {
    let bin = NSTemporaryDirectory() + "dagrun-bin-\(UUID().uuidString)"
    try makeFolders(bin)
    defer { try? FileManager.default.removeItem(atPath: bin) }
    for name in ["extract.sh", "python3"] {
      try "#!/bin/sh\n".write(toFile: bin + "/" + name, atomically: false, encoding: .utf8)
      chmod(bin + "/" + name, 0o755)
    }
    let command = SimpleCommand(script, environment: ["PATH": bin + ":/usr/bin"], workingDirectory: "/")
    #expect(command?.words == script.split(separator: " ").map(String.init))
  }

  @Test(arguments: [
    "echo hi", "a=1 env", "ls *", "ls ~", "ls | wc", "ls > x", "ls; ls", "ls 'x'", "ls $HOME", "ls\nls", "ls # x",
    "cd /tmp", "no_such_program", "", "ls {a,b}", "ls (x)", "! ls", "ls\\x", "/tmp", "ls &", "test -f x",
  ])
  func `anything else is for the shell`(script: String) {
    #expect(SimpleCommand(script, environment: ["PATH": "/usr/bin:/bin"], workingDirectory: "/") == nil)
  }

  @Test func `what bash is told by variables is for the shell`() {
    for name in ["BASH_ENV", "SHELLOPTS", "BASH_FUNC_ls%%"] {
      #expect(SimpleCommand("ls", environment: ["PATH": "/usr/bin", name: "x"], workingDirectory: "/") == nil)
    }
  }
}

/// What a script hands on.
@Suite struct TaskOutputTests {
  @Test(arguments: [
    ("mkfifo $DAGRUN_OUTPUT", "$DAGRUN_OUTPUT is a named pipe, and must be a file"),
    ("rm -f $DAGRUN_OUTPUT; ln -s /dev/zero $DAGRUN_OUTPUT", "$DAGRUN_OUTPUT is a symbolic link, and must be a file"),
    ("echo x > x; ln -s $PWD/x $DAGRUN_OUTPUT", "$DAGRUN_OUTPUT is a symbolic link, and must be a file"),
    ("mkdir -p $DAGRUN_OUTPUT/with/content", "$DAGRUN_OUTPUT is a folder, and must be a file"),
    (
      "python3 -c 'import os, socket; socket.socket(socket.AF_UNIX).bind(os.environ[\"DAGRUN_OUTPUT\"])'",
      "$DAGRUN_OUTPUT is a socket, and must be a file"
    ),
    ("truncate -s 70000000 $DAGRUN_OUTPUT", "its output has 70000000 bytes, and an output may have 67108864"),
    ("printf '\\xff' > $DAGRUN_OUTPUT", "what was written to $DAGRUN_OUTPUT is not UTF-8"),
    ("printf '\\xff'", "its last line, which is its output, is not UTF-8"),
    ("head -c 1100000 /dev/zero | tr '\\0' x", "its last line, which is its output, is longer than 1048576 bytes"),
  ])
  func `an output that cannot be kept fails its task, unless nobody reads it`(script: String, reason: String) throws {
    let worker = try TestWorker()
    let read = try worker.bash(script)
    guard case .failed(let failure, isRetryable: false) = read.outcome else {
      Issue.record("\(read.outcome)")
      return
    }
    #expect(failure.reason.hasPrefix(reason), "\(failure)")
    #expect(read.output == nil)
    #expect(worker.log("shell")?.contains(reason) == true)

    // Nothing of it is left for the next one.
    #expect(try worker.bash("echo fine", tryNumber: 2).output == #""fine""#)

    let id = TryKey(run: 7, taskID: "shell", number: 3)
    var assignment = TryAssignment(
      TaskWorkload(id, work: .bash(script: script, environment: [:], workingDirectory: nil)), graceSeconds: 20)
    assignment.workload.outputIsRead = false
    worker.start(assignment)
    let unread = try worker.finish()
    #expect(unread.outcome == .success)
    #expect(unread.output == nil)
    #expect(unread.loss?.hasPrefix(reason) == true)
  }

  @Test func `a variable that the system does not take is named, with the limit`() throws {
    let worker = try TestWorker()
    let fits = String(repeating: "x", count: 131_071 - "BIG=".count)
    #expect(try worker.bash("echo ${#BIG}", environment: ["BIG": fits]).output == "\"\(fits.count)\"")
    for script in ["echo x", "true"] {
      let result = try worker.bash(script, environment: ["BIG": fits + "x", "OTHER": "1"], tryNumber: 2)
      #expect(
        result.outcome
          == .failed(
            reason: "the environment variable BIG has 131072 bytes with its name, and the system takes 131071: "
              + "hand the value on in a file, or put it into the script", isRetryable: false))
    }
  }

  @Test(arguments: ["", "set -eu\n", "# a comment\n", "#!/bin/bash\n"])
  func `a script with values is not in the list of processes`(beginning: String) throws {
    // Also of what the script starts: a subshell, and one in the background.
    let script =
      beginning + """
        : 'S3CRET'
        seen() { tr '\\0' ' ' < /proc/$1/cmdline; }
        { seen $$; (seen $BASHPID); seen $BASHPID & wait; } > $DAGRUN_OUTPUT
        """
    let worker = try TestWorker()
    #expect(try worker.bash(script).output?.contains("S3CRET") == true)
    let hidden = try worker.hidden(script, tryNumber: 2)
    #expect(hidden.outcome == .success)
    #expect(hidden.output?.contains("bash") == true)
    #expect(hidden.output?.contains("S3CRET") == false, "\(hidden.output ?? "")")
  }

  @Test func `a script that is not shown runs as one that is`() throws {
    let scripts = [
      "echo $0; echo $LINENO\n\necho $LINENO >> $DAGRUN_OUTPUT", "no_such_command_x || echo $?", "exit 3",
      "set -e\nfalse\necho not reached", "#!/bin/bash\necho first", "echo \"${DAGRUN_SCRIPT-unset}\"",
      "echo 'it'\"'\"'s \\ $HOME `echo x`'", "trap 'echo bye' EXIT\necho hi", "kill -9 $$",
      "return_x() { return 4; }; return_x",
      "cat <<E\n$((1 + 1))\nE", "case a in a) echo yes;; esac", "echo 'a\nb'",
    ]
    for (index, script) in scripts.enumerated() {
      let worker = try TestWorker()
      let shown = try worker.bash(script, tryNumber: 1)
      let hidden = try worker.hidden(script, tryNumber: 2)
      #expect(shown.outcome == hidden.outcome, "script \(index)")
      #expect(shown.output == hidden.output, "script \(index)")
      #expect(worker.log("shell", tryNumber: 1) == worker.log("shell", tryNumber: 2), "script \(index)")
    }
  }
}
