import Dagrun
import Foundation
import Processes
import Testing

private let hostile = [
  "plain", "", "two words", "a'b", "a\"b", "$HOME", "$(echo pwned)", "`echo pwned`", "a\\b", "a\\", "*", "~",
  "a;echo pwned",
  "a\necho pwned", "--flag", "!!", "#no comment", "é ü 漢字 🎉", "a\tb", "${x}", "'; echo pwned; '", "\"; echo pwned; \"",
  "&& echo pwned", "a|b", "<a>", "(a)", "{a,b}", "\u{1b}[31m", "EOF", "\r", "'\u{301}; echo pwned; '\u{301}",
  "\"\u{301}$(echo pwned)",
  "\\\u{301}", "a\r\nb",
]

@Suite struct RenderTests {
  private let run: RunContext = {
    var run = RunContext(
      dagID: "d", runID: "manual__1", logicalDate: Timestamp(iso8601: "2026-01-31T03:04:05"),
      dataIntervalStart: Timestamp(iso8601: "2026-01-30T03:00"),
      dataIntervalEnd: Timestamp(iso8601: "2026-01-31T03:00"),
      runAfter: Timestamp(iso8601: "2026-02-01")!)
    run.parameters = ["region": .string("eu west"), "count": .int(3), "list": .array([.string("a"), .double(0.5)])]
    run.variables = ["home": "/srv/x"]
    return run
  }()

  private func rendered(
    _ template: Template, _ outputs: [String: String] = [:], _ context: Template.Context = .plain
  ) throws -> String {
    try template.render(.init(run: run, taskID: "t", tryNumber: 2, outputs: outputs), for: context)
  }

  private func output(_ id: String, raw: Bool = false) -> Template.Part {
    raw ? .raw(.output(taskID: id)) : .output(taskID: id)
  }

  @Test func `every variable has Airflow's form`() throws {
    #expect(
      try rendered("\(.ds) \(.dsNodash) \(.ts) \(.tsNodash)")
        == "2026-01-31 20260131 2026-01-31T03:04:05+00:00 20260131T030405")
    #expect(try rendered("\(.logicalDate)") == "2026-01-31T03:04:05+00:00")
    #expect(
      try rendered("\(.dataIntervalStart) \(.dataIntervalEnd)") == "2026-01-30T03:00:00+00:00 2026-01-31T03:00:00+00:00"
    )
    #expect(try rendered("[\(.prevDataIntervalStartSuccess)\(.prevDataIntervalEndSuccess)]") == "[]")
    #expect(try rendered("\(.runID) \(.dagID) \(.taskID) \(.tryNumber)") == "manual__1 d t 2")
    #expect(try rendered("\(.param("region")) \(.param("count")) \(.param("list"))") == #"eu west 3 ["a",0.5]"#)
    #expect(try rendered("\(.var("home"))/\(7)/\(true)/\(0.5)") == "/srv/x/7/true/0.5")
  }

  @Test func `a manual run without a logical date has the moment it was triggered for`() throws {
    let run = RunContext(dagID: "d", runID: "r", runAfter: try #require(Timestamp(iso8601: "2026-02-01T10:00")))
    let template: Template = "\(.ds) \(.ts) \(.dataIntervalStart)"
    #expect(
      try template.render(.init(run: run, taskID: "t", tryNumber: 1), for: .plain)
        == "2026-02-01 2026-02-01T10:00:00+00:00 2026-02-01T10:00:00+00:00")
  }

  @Test func `an output that is text comes as it is, anything else as JSON`() throws {
    let template = Template(parts: [output("a"), .text("|"), output("b")])
    #expect(try rendered(template, ["a": #""x \"y\" \u00e9""#, "b": #"{"k":[1]}"#]) == #"x "y" é|{"k":[1]}"#)
  }

  @Test func `what is not there is named, with what to do`() {
    func message(_ template: Template) -> String? {
      #expect(throws: RenderError.self) { try rendered(template) }?.description
    }
    #expect(message("\(.param("x"))") == "the run has no parameter \"x\"; give it with -c '{\"x\": …}'")
    #expect(message("\(.var("x"))") == "there is no variable \"x\"; set it with: dagrun variables set x VALUE")
    #expect(message(Template(parts: [output("a")]))?.hasPrefix("task \"a\" has no output") == true)
  }

  @Test func `a value is quoted for the shell, raw is not`() throws {
    #expect(try rendered("x \("a b") \(raw: "a b") \(.param("region"))", [:], .shell) == "x 'a b' a b 'eu west'")
  }

  /// Each script prints the value and nothing else, whatever the value is: proven by a real bash.
  @Test(arguments: [
    "printf %s @", "printf %s \"@\"", "printf %s '@'", "x=@; printf %s \"$x\"", "printf %s \"$(printf %s @)\"",
    "printf %s \"$(printf %s \"@\")\"", "x=${nothing:-@}; printf %s \"$x\"", "printf %s $'@'",
    "# it's a comment\nprintf %s @", "printf %s \"it's @\" | tail -c +6", "echo \\\" >/dev/null; printf %s @",
    "true # don't \"@\nprintf %s @", "cat <<< @ | head -c -1", "(printf %s @)", "if true; then printf %s @; fi",
    "a=$((1 << 2)); printf %s @", "case x in x) printf %s @ ;; esac", "echo '#' >/dev/null; printf %s @",
    "printf %s ''\"@\"", "cat <<END | head -c -1\n@\nEND", "cat <<-'END' | head -c -1\n@\n\tEND",
    "cat <<'A' >/dev/null; printf %s @\nit's\nA", "cat <<END | head -c -1\n$(printf %s @)\nEND",
  ])
  func `a hostile value reaches the command as it is, wherever it stands`(script: String) throws {
    for value in hostile {
      let parts = script.split(separator: "@", omittingEmptySubsequences: false).map { Template.Part.text(String($0)) }
      let template = Template(parts: Array(parts.map { [$0] }.joined(separator: [.value(value)])))
      let text = try rendered(template, [:], .shell)
      let result = try bash(text)
      #expect(result == value, "\(text)")
    }
  }

  @Test func `a value that cannot be quoted where it stands is refused`() {
    func message(_ parts: [Template.Part]) -> String? {
      #expect(throws: RenderError.self) { try rendered(Template(parts: parts), [:], .shell) }?.description
    }
    #expect(message([.text("x=$(("), .value("a[$(id)]"), .text("))")])?.contains("only a whole number") == true)
    #expect(
      message([.text("cat <<END\n"), .value("a\nEND\nid"), .text("\nEND\n")])?.contains("would end the here-document")
        == true)
    #expect(
      message([.text("cat <<'END'\n"), .value("END"), .text("\nEND\n")])?.contains("would end the here-document")
        == true)
    #expect(
      message([.text("cat <<END\n"), .value("a\r\nEND\r\n\nEND\nid"), .text("\nEND\n")])?.contains("would end") == true)
    #expect(
      message([.text("echo \"$(case x in x) echo "), .value("a"), .text(" ;; esac)\"")])?.contains("case") == true)
    #expect(message([.text("cat <<"), .value("END"), .text("\n")])?.contains("delimiter") == true)
    #expect(message([.text("echo `echo "), .value("x"), .text("`")])?.contains("backticks") == true)
    #expect(message([.text("echo \"${x:-"), .value("x"), .text("}\"")])?.contains("shell variable") == true)
    #expect(message([.text("echo \\"), .value("x")])?.contains("backslash") == true)
    #expect(message([.value("a\0b")])?.contains("zero byte") == true)
  }

  @Test func `a script is private when a value stands in it that others may not be meant to see`() {
    for part in [Template.Part.value("x"), .output(taskID: "a"), .variable(.param("p")), .variable(.var("v"))] {
      #expect(Template(parts: [.text("echo "), part]).holdsPrivateValues)
      #expect(Template(parts: [.text("echo "), .raw(part)]).holdsPrivateValues)
    }
    #expect(!Template(parts: [.text("echo "), .variable(.ds), .variable(.runID)]).holdsPrivateValues)
  }

  /// The same in each shell that a container may have, of what is taken there.
  @Test(arguments: ShellPlacesTests.Judge.all)
  func `a hostile value reaches the command as it is, in every shell`(judge: ShellPlacesTests.Judge) throws {
    let folder = try TemporaryFolder()
    for script in [
      "printf %s @", "printf %s \"@\"", "printf %s '@'", "x=@; printf %s \"$x\"", "printf %s \"$(printf %s @)\"",
      "printf %s \"$(printf %s \"@\")\"", "x=${nothing:-@}; printf %s \"$x\"", "# it's a comment\nprintf %s @",
      "(printf %s @)", "for x in a @; do :; done; printf %s \"$x\"", "case x in x) printf %s @ ;; esac",
      "case @ in @) printf %s @ ;; esac", "x=a@; printf %s \"${x#a}\"", "x=@a; printf %s \"${x%a}\"",
      "cat <<END\n@\nEND", "cat <<-'END'\n@\n\tEND", "cat <<END\n$(printf %s @)\nEND", "export x=@; printf %s \"$x\"",
      "f() { printf %s \"$1\"; }; f @", "x=@ y=$x; printf %s \"$y\"", "set -- @; printf %s \"$1\"",
      "sh -c 'printf %s \"$1\"' _ @",
      "[ @ = @ ] && printf %s @",
    ] {
      let values = hostile.filter { !$0.contains("\n") }
      var program = ""
      for value in values {
        let texts = script.split(separator: "@", omittingEmptySubsequences: false)
        var parts: [Template.Part] = []
        for (index, text) in texts.enumerated() {
          if index > 0 { parts.append(output("a")) }
          parts.append(.text(String(text)))
        }
        let json = String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
        program +=
          "{ " + (try rendered(Template(parts: parts), ["a": json], .script(judge.dialect))) + "\n}\necho '|end'\n"
      }
      let line = script.hasPrefix("cat") ? "\n" : ""
      let expected = values.map { $0 + line + "|end\n" }.joined()
      #expect(try folder.run(program, by: judge) == expected + "end\n", "\(script)")
    }
  }

  @Test func `a number is put into arithmetic`() throws {
    #expect(try bash(try rendered("echo -n $((\(6) * \(7)))", [:], .shell)) == "42")
  }

  private func bash(_ script: String) throws -> String {
    try Spawn("/bin/bash", ["-c", script]).run(timeout: 60).text(1)
  }
}
