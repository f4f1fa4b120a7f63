import Dagrun
import Foundation
import Processes
import Testing

@testable import Dagrun

/// Real shells judge how values are quoted.
@Suite struct ShellPlacesTests {
  /// A shell, and which shell the script's author said it was.
  struct Judge: CustomTestStringConvertible, Sendable {
    var command: [String]
    var dialect: ShellDialect
    var testDescription: String { "\(command.joined(separator: " ")), \(dialect)" }

    static let all: [Judge] = {
      var judges = [
        Judge(command: ["/bin/bash"], dialect: .bash), Judge(command: ["/bin/bash"], dialect: .unknown),
        Judge(command: ["/bin/bash", "--posix"], dialect: .unknown),
      ]
      for command in [["/bin/dash"], ["/bin/busybox", "sh"]] {
        // In CI a missing one is a failure of its tests.
        let isThere = FileManager.default.isExecutableFile(atPath: command[0])
        guard isThere || ProcessInfo.processInfo.environment["CI"] != nil else { continue }
        judges.append(Judge(command: command, dialect: .unknown))
      }
      return judges
    }()
  }

  /// Each would write the file, if a shell ran it as a command somewhere.
  private static func hostile(_ file: String) -> [String] {
    let run = ":>\(file)"
    return [
      "$(\(run))", "`\(run)`", ";\(run);", "'; \(run); '", "\"; \(run); \"", "a[$(\(run))]", "a[$(\(run))0]=1",
      "x\nEOF\n\(run)\n",
      "\\'; \(run) #", "'\\'; \(run) #", "(\(run))", ")\n\(run)\n(", "|\(run)", "&& \(run)", "]] ; \(run)",
      "}\n\(run)\n{",
      "\\", "1)) ; \(run); ((1", ") \(run) ;;", "${x:=$(\(run))}", "EOF", "\\$(\(run))", "\r\nEOF\r\n\(run)",
      "{a,$(\(run))}",
      "<(\(run))", run, "[$(\(run))]=1", "a=$(\(run))", "\n\(run)\n", "A\n\(run)", "X\nEOF\n)\n\(run)",
      "x\\\nEOF\n\(run)\n", "EO\\\nF\n\(run)\n",
      "!\(run)", "'\u{301}; \(run); '\u{301}", "\u{1}\u{7f}$(\(run))\u{81}\u{88}", "s/x/x/w\(file)",
      "BEGIN{printf \"\">\"\(file)\"}",
      "-1", "-v", "E", "eval",
    ]
  }

  /// Pairs for scripts with several values: the second may be what the first makes of it.
  private static func pairs(_ file: String) -> [(String, String)] {
    let run = ":>\(file)"
    return [
      ("-v", "a[$(\(run))]"), ("E", "OF\n\(run)\n"), ("E", "O"), ("-c", run), ("eval", run), ("'", "; \(run) #"),
      ("$", "(\(run))"), ("\\", "$(\(run))"),
      ("$", "'\\'; \(run) #'"),
    ]
  }

  @Test(arguments: Judge.all)
  func `no value runs as a command, wherever it stands`(judge: Judge) throws {
    let folder = try TemporaryFolder()
    let mark = folder.path + "/left"
    var scripts: [String] = []
    var taken = 0
    let isAll = ProcessInfo.processInfo.environment["DAGRUN_FUZZ_ROUNDS"] == "all"
    for place in ShellPlaces.commands {
      for surrounding in ShellPlaces.surroundings {
        scripts.append(surrounding.replacing("@", with: "").replacing("%", with: place))
      }
    }
    scripts += ShellPlaces.whole
    var cases: [String] = []
    for (number, script) in scripts.enumerated() {
      let texts = script.split(separator: "@", omittingEmptySubsequences: false).map(String.init)
      let single = Self.hostile(mark).map { value in texts.dropFirst().map { _ in value } }
      let double =
        texts.count < 3
        ? []
        : Self.pairs(mark).map { pair in
          texts.indices.dropFirst().map { $0 % 2 == 1 ? pair.0 : pair.1 }
        }
      // Some of the values at each place, others in its surroundings; all of them when asked.
      let isPlain = number % ShellPlaces.surroundings.count == 0 || number >= scripts.count - ShellPlaces.whole.count
      let share = isAll ? 1 : isPlain ? 5 : 67
      for (index, values) in (single + double).enumerated() where (index + number) % share == 0 {
        var parts: [Template.Part] = []
        for (index, text) in texts.enumerated() {
          if index > 0 { parts.append(.variable(.var("v\(index)"))) }
          if !text.isEmpty { parts.append(.text(text)) }
        }
        var run = RunContext(dagID: "d", runID: "r", runAfter: Timestamp(microseconds: 0))
        for (index, value) in values.enumerated() { run.variables["v\(index + 1)"] = value }
        let rendered = try? Template(parts: parts).render(
          .init(run: run, taskID: "t", tryNumber: 1), for: .script(judge.dialect))
        guard let rendered else { continue }
        taken += 1
        cases.append(rendered)
      }
    }
    // Enough is taken for the test to mean something.
    #expect(taken > 2_000)
    let left = try folder.run(cases, by: judge, mark: mark)
    #expect(
      left.isEmpty, "\(left.count) of \(cases.count), among them: \(left.prefix(5).joined(separator: "\n-----\n"))")
  }
}

struct TemporaryFolder: ~Copyable {
  let path: String

  init() throws {
    path = NSTemporaryDirectory() + "places-" + UUID().uuidString
    try FileManager.default.createDirectory(atPath: path + "/work", withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  /// Runs each script in a subshell of one shell. Busybox 1.35 never comes back from some that fail, such as `${x:?a}`
  /// in a `$(…)` of a here-document: it is ended after two seconds of work.
  ///
  /// - Returns: those after which the file was there.
  func run(_ scripts: [String], by judge: ShellPlacesTests.Judge, mark: String) throws -> [String] {
    for (number, script) in scripts.enumerated() {
      try script.write(toFile: path + "/\(number).case", atomically: false, encoding: .utf8)
    }
    let driver = """
      cd \(path)/work
      number=0
      while [ $number -lt \(scripts.count) ]; do
        ( ulimit -t 2; . \(path)/$number.case ) </dev/null >/dev/null 2>&1
        if [ -e \(mark) ]; then echo $number; rm -f \(mark); fi
        number=$((number + 1))
      done
      """
    let output = try run(driver, by: judge)
    #expect(output.hasSuffix("end\n"))
    return output.split(separator: "\n").compactMap { Int($0) }.map { scripts[$0] }
  }

  func run(_ script: String, by judge: ShellPlacesTests.Judge) throws -> String {
    try (script + "\necho end\n").write(toFile: path + "/driver", atomically: false, encoding: .utf8)
    let arguments = judge.command.dropFirst() + [path + "/driver"]
    let shell = Spawn(judge.command[0], Array(arguments), workingDirectory: path + "/work")
    let ended = try shell.run(timeout: 300)
    try #require(!ended.hasTimedOut, "\(judge) does not come to its end")
    return ended.text(1)
  }
}
