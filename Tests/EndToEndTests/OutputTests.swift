import Foundation
import Processes
import Testing

/// What tasks hand on, and what of it is lost.
@Suite(.blocking) struct OutputTests {
  @Test func `a shell task that wrote nothing has an empty output`() throws {
    let project = try Project([
      "e": """
      import Dagrun
      DAG("e") {
        let q = BashOperator("q", "grep nothing /dev/null || true")
        SwiftOperator("s", q.output) { _, v in print("[\\(v)]") }
        BashOperator("b", "echo [\\(q.output)]")
      }
      """
    ])
    let ended = try project.run("trigger", "e", "-r", "r")
    #expect(ended.code == 0, "\(ended.errors)")
    #expect(try project.run("tasks", "logs", "e", "r", "s").output == "[]\n")
    #expect(try project.run("tasks", "logs", "e", "r", "b").output == "[]\n")
  }

  @Test
  func `an output that is not there is reported in the same words to Swift and shell, with the state of its task`()
    throws
  {
    let project = try Project([
      "m": """
      import Dagrun
      DAG("m") {
        let skipped = BashOperator("skipped", "exit 99")
        let failed = BashOperator("failed", "exit 1")
        let after = BashOperator("after", "true")
        failed --> after
        for (name, task) in [("skipped", skipped), ("failed", failed), ("after", after)] {
          SwiftOperator("swift_\\(name)", task.output, triggerRule: .allDone) { _, v in print(v) }
          BashOperator("shell_\\(name)", "echo \\(task.output)", triggerRule: .allDone)
          SwiftOperator("optional_\\(name)", task.output.optional, triggerRule: .allDone) { _, v in print(v ?? "nil") }
        }
      }
      """
    ])
    let ended = try project.run("trigger", "m", "-r", "r")
    #expect(ended.code == 1)
    for (name, reason) in [
      ("skipped", "it was skipped"), ("failed", "it failed"), ("after", "a task before it failed"),
    ] {
      for kind in ["swift", "shell"] {
        let words = "\(kind)_\(name) failed: task \"\(name)\" has no output: \(reason)"
        #expect(ended.errors.contains(words), "\(ended.errors)")
      }
      #expect(try project.run("tasks", "logs", "m", "r", "optional_\(name)").output == "nil\n")
    }
  }

  @Test func `an output that is too long fails its task where somebody reads it`() throws {
    let long = "head -c 2000000 /dev/zero | tr '\\\\0' x"
    let project = try Project([
      "l": """
      import Dagrun
      DAG("l") {
        let read = BashOperator("read", "\(long)")
        SwiftOperator("reader", read.output) { _, v in print(v.count) }
        BashOperator("unread", "\(long)")
      }
      """
    ])
    let ended = try project.run("trigger", "l", "-r", "r")
    #expect(ended.code == 1)
    #expect(ended.errors.contains("read failed: its last line, which is its output, is longer than 1048576 bytes"))
    #expect(ended.errors.contains("unread success"))
    #expect(ended.errors.contains("unread (try 1): its last line, which is its output, is longer than 1048576 bytes"))
  }

  @Test func `a value in backticks is an import error with its line`() throws {
    let project = try Project([
      "b": """
      import Dagrun
      DAG("b") {
        BashOperator("fine", "echo \\(.ds) `date`")
        BashOperator("x", "echo `echo \\(.ds)`")
      }
      """
    ])
    let errors = try project.run("dags", "list-import-errors")
    #expect(errors.output.contains("b.swift:4"), "\(errors.output)")
    #expect(errors.output.contains("a value stands in backticks"))
  }

  // An emoji is not a letter, and refused.
  @Test(arguments: ["a", "한"])
  func `the log of the longest ids is found`(letter: String) throws {
    let id = String(repeating: letter, count: 250)
    let run = String(repeating: letter, count: 240 / letter.utf8.count)
    let project = try Project([
      "long": """
      import Dagrun
      DAG("\(id)") {
        BashOperator("\(id)", "echo the shell; exit 1")
        SwiftOperator("swift") { _ in print("swift") }
      }
      """
    ])
    let ended = try project.run("trigger", id, "-r", run)
    #expect(ended.code == 1, "\(ended.errors)")
    #expect(!ended.errors.contains("lacks"), "\(ended.errors)")
    #expect(try project.run("tasks", "logs", id, run, id).output == "the shell\n")
    #expect(try project.run("tasks", "logs", id, run, "swift").output == "swift\n")
  }

  @Test func `a log that is cut is told by every command that shows the try`() throws {
    let project = try Project([
      "cut": """
      import Dagrun
      DAG("cut") {
        BashOperator("shell", "head -c 3000000 /dev/zero; prlimit --pid $PPID --fsize=unlimited; echo; echo end")
      }
      """
    ])
    // The compiler is not what is limited.
    #expect(try project.run("dags", "list").code == 0)
    let command = try project.start(limitingFilesTo: 2_000_000, "trigger", "cut", "-r", "r")
    #expect(try command.waitForEnd() == 0, "\(command.text)")
    let words = " bytes: File too large"
    #expect(command.text.contains("shell (try 1): the log lacks "), "\(command.text)")
    #expect(command.text.contains(words))
    let logs = try project.run("tasks", "logs", "cut", "r", "shell")
    #expect(logs.errors.contains("the log lacks ") && logs.errors.contains(words), "\(logs.errors)")
    #expect(try project.run("explain", "cut", "r", "shell").output.contains(words))
  }

  @Test func `a variable that is not text is refused`() throws {
    let project = try Project()
    let command = "printf 'a\\377b' | \"$0\" variables set x -"
    let ended = try project.run(program: "sh", "-c", command, Project.binary)
    #expect(ended.code == 2)
    #expect(ended.errors.contains("the value of variable x is not UTF-8"))
    let text = try project.run(program: "sh", "-c", "printf 'ü\\nb\\n' | \"$0\" variables set x -", Project.binary)
    #expect(text.code == 0)
    #expect(try project.run("variables", "get", "x").output == "ü\nb\n")
  }
}
