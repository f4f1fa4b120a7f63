import Foundation
import Testing

@Suite(.blocking) struct ReadingTests {
  @Test func `DAGs and tasks are listed, drawn and rendered without running anything`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    #expect(try project.run("dags", "list", "-o", "plain").output.hasPrefix("hello\t0 0 * * *\tfalse\t"))
    #expect(try project.run("dags", "show", "hello").output == "number\n└─ double\n")
    #expect(try project.run("dags", "show", "hello", "-f", "dot").output.contains("\"number\" -> \"double\""))
    #expect(try project.run("dags", "details", "hello", "-o", "json").output.contains("\"max_active_runs\": 16"))
    #expect(try project.run("tasks", "list", "hello", "-o", "plain").output.hasPrefix("number\tBashOperator\t"))
    let rendered = try project.run("tasks", "render", "hello", "number", "2026-01-31", "-o", "json")
    #expect(rendered.output.contains("echo counting; echo '2'"), "\(rendered.errors)")
    let next = try project.run("dags", "next-execution", "hello", "-n", "3", "-o", "plain")
    #expect(next.output.split(separator: "\n").count == 3)
  }

  @Test func `an empty project is not an error`() throws {
    let project = try Project()
    for command in [["dags", "list"], ["pools", "list"], ["variables", "list"], ["backfill", "list"]] {
      let ended = try project.run(command + ["-o", "json"])
      #expect(ended.code == 0, "\(ended.errors)")
      #expect(ended.output.hasPrefix("["))
    }
  }

  @Test func `version is said at once`() throws {
    let project = try Project()
    #expect(try project.run("version").output == "0.1.0\n")
    #expect(try project.run("--version").output == "0.1.0\n")
  }

  @Test func `hidden commands refuse people`() throws {
    let project = try Project()
    #expect(try project.run("worker").code == 2)
  }

  @Test(arguments: ["bash", "zsh", "fish"])
  func `completion scripts are made`(shell: String) throws {
    #expect(try Project().run("completions", shell).output.contains("dagrun"))
  }

  @Test func `shells are offered the ids of DAGs`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    try project.run("trigger", "hello", "--no-wait")
    let offered = try project.run("---completion", "trigger", "--", "positional@0", "0", "1", "dagrun", "trigger", "h")
    #expect(offered.output.contains("hello"), "\(offered.errors)")
  }

  @Test func `a build runs without the Swift toolchain and without the files`() throws {
    let project = try Project(["hello": SampleDAG.hello])
    let build = try project.run("build", "-o", "out put", timeout: 120)
    #expect(build.code == 0, "\(build.errors)")
    try FileManager.default.moveItem(atPath: project.path + "/out put", toPath: project.path + "/else where")
    try FileManager.default.removeItem(atPath: project.path + "/dags")
    project.environment = ["PATH": "/usr/bin:/bin", "HOME": project.path]
    let run = try project.run(binary: project.path + "/else where/dagrun", "trigger", "hello", "-l", "2026-01-31")
    #expect(run.code == 0, "\(run.errors)")
    #expect(run.output.contains("(2 success)"))
  }

  @Test func `nothing is built from a broken file`() throws {
    let project = try Project(["broken": SampleDAG.broken])
    let build = try project.run("build", "-o", "out")
    #expect(build.code == 4)
    #expect(build.errors.contains("broken.swift:4"))
    #expect(!FileManager.default.fileExists(atPath: project.path + "/out/bundle"))
  }

  @Test func `what was built runs elsewhere, without a compiler, with what lay beside the DAG files`() throws {
    let project = try Project([
      "notes": """
      import Dagrun

      DAG("notes") {
        BashOperator("reads", "cat note.txt")
      }
      """
    ])
    try "beside".write(toFile: project.path + "/dags/note.txt", atomically: true, encoding: .utf8)
    #expect(try project.run("build", "-o", "built").code == 0)
    let elsewhere = try Project()
    let binary = elsewhere.path + "/moved/dagrun"
    try FileManager.default.moveItem(atPath: project.path + "/built", toPath: elsewhere.path + "/moved")
    elsewhere.environment["PATH"] = "/usr/bin:/bin"
    let home = elsewhere.path + "/state/home"
    let trigger = try elsewhere.run(binary: binary, "trigger", "notes", "--home", home)
    #expect(trigger.code == 0, "\(trigger.errors)")
    #expect(
      try elsewhere.run(binary: binary, "tasks", "logs", "notes", "latest", "reads", "--home", home).output == "beside")
    let doctor = try elsewhere.run(binary: binary, "doctor", "--home", home)
    #expect(doctor.code == 0 && !doctor.output.contains("compiler"), "\(doctor.output)")
  }
}
