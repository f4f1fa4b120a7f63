import Foundation
import Processes
import Testing

/// What tasks and files say is shown, whatever a terminal would make of it.
@Suite(.blocking) struct `Text from tasks and files` {
  /// Clears the screen, sets the title, writes to the clipboard, a C1 control, turns the direction, forges a line.
  private static let hostile =
    #"\u{1b}[2J\u{1b}]0;t\u{7}\u{1b}]52;c;eA==\u{7}\u{9b}31m\u{202e}\u{7f}\r\nerror: forged"#

  private func project() throws -> Project {
    let project = try Project([
      "bad": """
      import Dagrun

      DAG("bad", params: [.string("p", default: "\(Self.hostile)")]) {
        SwiftOperator("task") { _ in
          print("log \(Self.hostile)")
          throw TaskFailure("reason \(Self.hostile)")
        }
        BashOperator("script", "echo '\(Self.hostile)'")
      }
      """,
      "odd": "import Dagrun\nDAG(\"\(Self.hostile)\") { EmptyOperator(\"x\") }\n",
    ])
    try Data([0x1b, 0x5b, 0x32, 0x4a, 0x0a, 0x9b, 0x00]).write(to: URL(filePath: project.path + "/dags/binary.swift"))
    try "x".write(
      toFile: project.path + "/dags/\u{1b}[2J\nerror: forged.swift", atomically: true, encoding: .utf8)
    return project
  }

  private func expectShown(_ text: String, _ command: [String], keepsLines: Bool = false) {
    let obeyed = text.unicodeScalars.filter {
      $0.value < 0x20 && $0 != "\n" && $0 != "\t" || (0x7f..<0xa0).contains($0.value)
        || (0x202a...0x202e).contains($0.value) || (0x2066...0x2069).contains($0.value)
    }
    #expect(obeyed.isEmpty, "\(command) sends \(obeyed.map { $0.value }): \(text.debugDescription)")
    if !keepsLines {
      #expect(!text.hasPrefix("error: forged") && !text.contains("\nerror: forged"), "\(command): \(text)")
    }
  }

  @Test func `sends no control characters and forges no line, in any command`() throws {
    let project = try project()
    let commands: [[String]] =
      [["trigger", "bad", "-r", "r"], ["dags", "trigger", "bad", "-r", "r"]]
      + ["table", "plain", "yaml", "json"].flatMap { format in
        [
          ["dags", "list-import-errors"], ["dags", "list"], ["dags", "details", "bad"], ["tasks", "list", "bad"],
          ["dags", "list-runs", "bad"], ["tasks", "states-for-dag-run", "bad", "r"], ["explain", "bad", "r", "task"],
          ["tasks", "render", "bad", "script"], ["trigger", "bad", "-r", "r"], ["doctor"], ["variables", "list"],
          ["dags", "export", "bad"],
        ].map { $0 + ($0[1...].contains("export") && ["table", "plain"].contains(format) ? [] : ["-o", format]) }
      } + [
        ["trigger", "nothing"], ["dags", "show", "bad"], ["dags", "list-import-errors"], ["scheduler", "--until-idle"],
        ["tasks", "clear", "bad", "-y"], ["dags", "test", "bad"], ["build", "-o", project.path + "/out"],
        ["trigger", "bad", "-r", "\u{1b}[2J\nerror: forged"], ["trigger", "\u{1b}[2J\nerror: forged"],
        ["tasks", "logs", "bad", "r", "\u{9b}x\nerror: forged"], ["\u{1b}[2J\nerror: forged"],
      ]
    #expect(try project.run("variables", "set", "v", "\u{1b}[2J\nerror: forged").code == 0)
    for command in commands {
      let ended = try project.run(command)
      // A log that goes to a program is as it is, and so are scripts and values of several lines.
      let isLog = command.starts(with: ["dags", "test"]) || command[0] == "tasks" && command[1] == "run"
      if !isLog {
        expectShown(ended.output, command, keepsLines: command.contains("render") || command.contains("table"))
      }
      if !isLog { expectShown(ended.errors, command) }
    }
  }

  @Test func `a log is shown on a terminal, and sent on demand and to a program`() throws {
    let project = try project()
    #expect(try project.run("trigger", "bad", "-r", "r").code == 1)
    let command = ["tasks", "logs", "bad", "r", "task"]
    #expect(try project.run(command).output.contains("log \u{1b}[2J"))
    let shown = try onTerminal(project, command)
    #expect(shown.contains(#"log \x1b[2J"#), "\(shown.debugDescription)")
    #expect(!shown.contains("\u{1b}"))
    #expect(try onTerminal(project, command + ["--raw"]).contains("log \u{1b}[2J"))
    let value = ["variables", "get", "v"]
    #expect(try project.run("variables", "set", "v", "\u{1b}[2J").code == 0)
    #expect(try project.run(value).output == "\u{1b}[2J\n")
    #expect(try onTerminal(project, value).contains(#"\x1b[2J"#))
  }

  private func onTerminal(_ project: Project, _ arguments: [String]) throws -> String {
    let master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(master >= 0)
    defer { close(master) }
    // TIOCSPTLCK and TIOCGPTN, which Swift does not import.
    var (isLocked, number): (Int32, Int32) = (0, 0)
    try #require(ioctl(master, 0x4004_5431, &isLocked) == 0 && ioctl(master, 0x8004_5430, &number) == 0)
    let slave = open("/dev/pts/\(number)", O_RDWR | O_NOCTTY | O_CLOEXEC)
    try #require(slave >= 0)
    var spawn = Spawn(Project.binary, arguments, environment: project.environment, workingDirectory: project.path)
    spawn.descriptors = [1: slave, 2: slave]
    let pid = try spawn.start()
    close(slave)
    var text: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 1 << 12)
    while true {
      let count = retrying { read(master, &part, part.count) }
      // EIO: nobody has the other end any more.
      guard count > 0 else { break }
      text += part[..<count]
    }
    _ = waitForChild(pid)
    return String(decoding: text, as: UTF8.self)
  }
}
