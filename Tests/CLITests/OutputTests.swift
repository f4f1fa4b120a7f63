import Dagrun
import Foundation
import Presentation
import Testing
import Yams

@testable import CLI

@Suite struct LabelTests {
  @Test func `each line has its label, when it is whole`() {
    let session = TestSession()
    let first = LabelledOutput(session.session.output, label: "[1] ")
    let second = LabelledOutput(session.session.output, label: "[2] ")
    first.output.write("one ")
    second.output.write("two\n\nthree")
    first.output.write("more\n")
    for labelled in [first, second] { labelled.finish() }
    #expect(session.output == "[2] two\n[2] \n[1] one more\n[2] three\n")
  }
}

@Suite struct OpenLineTests {
  @Test func `what is said behind a log's unfinished line has a line of its own`() {
    let session = TestSession()
    let output = session.session.errors
    output.log("whole\n")
    output.line("one")
    output.log("a ")
    let copy = output
    copy.log("b")
    output.paragraph("two")
    output.line("three")
    #expect(session.errors == "whole\none\na b\ntwo\nthree\n")
  }
}

@Suite struct TextWidthTests {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("ünï", 3), ("u\u{308}", 1), ("日本", 4), ("한국", 4), ("🚀", 2), ("👩‍👩‍👧", 2), ("✓", 1), ("❤️", 2),
    ("│─", 2),
  ])
  func `counts columns`(text: String, width: Int) {
    #expect(TextWidth.of(text) == width)
  }

  @Test(arguments: [("abcdef", 4, "abc…"), ("abc", 3, "abc"), ("日本語", 5, "日本…"), ("日本語", 4, "日…")])
  func `cuts to columns`(text: String, width: Int, expected: String) {
    #expect(TextWidth.truncate(text, to: width) == expected)
  }
}

@Suite struct TableTests {
  private let table = Table(
    headings: ["id", "state"], rows: [["日本", "success"], ["a\nb", "failed"]], stateColumns: [1])

  @Test func `columns line up, also with wide characters`() {
    let text = table.render(width: nil, style: Style(isColoured: false))
    #expect(text == "id    state\n────  ───────\n日本  success\na b   failed\n")
  }

  @Test func `a narrow terminal shortens the widest cell`() {
    let wide = Table(headings: ["id", "text"], rows: [["a", String(repeating: "x", count: 50)]])
    let text = wide.render(width: 20, style: Style(isColoured: false))
    let lines = text.split(separator: "\n")
    #expect(lines.allSatisfy { TextWidth.of(String($0)) <= 20 })
    #expect(lines[2].hasSuffix("…"))
  }

  @Test func `states have colours where they are wanted`() {
    #expect(
      table.render(width: nil, style: Style(isColoured: true)).contains(
        "\(ShownText.mark)[32msuccess\(ShownText.mark)[0m"))
  }
}

@Suite struct FormatTests {
  private let record: OutputObject = [
    "dag_id": .text("a \"b\"\n\t\u{1}é"), "map_index": .int(-1), "date": .time(Timestamp(microseconds: 1)),
    "none": .null, "list": .list([.bool(true), .double(0.5), .object(["x": .text("no")])]), "empty": .list([]),
  ]

  @Test func `JSON keeps the order of fields and reads back`() throws {
    let text = JSONText.pretty(.object(record))
    #expect(
      text == #"""
        {
          "dag_id": "a \"b\"\n\t\u0001é",
          "map_index": -1,
          "date": "1970-01-01T00:00:00.000001+00:00",
          "none": null,
          "list": [
            true,
            0.5,
            {
              "x": "no"
            }
          ],
          "empty": []
        }
        """#)
    let read = try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    #expect(read == (try JSONDecoder().decode(JSONValue.self, from: Data(JSONText.compact(.object(record)).utf8))))
  }

  @Test(arguments: ["no", "1.0", "null", "2026-01-31", "", " a", "a: b", "- a", "two\nlines", "#", "日本", "0x1F", "~"])
  func `a text stays a text in YAML`(text: String) throws {
    let yaml = try YAMLText.write(.object(["x": .text(text)]))
    let read = try Yams.load(yaml: yaml) as? [String: Any]
    #expect(read?["x"] as? String == text, "\(yaml)")
  }

  @Test func `other values keep their types in YAML`() throws {
    let yaml = try YAMLText.write(.object(record))
    let read = try #require(try Yams.load(yaml: yaml) as? [String: Any])
    #expect(read["map_index"] as? Int == -1)
    #expect(read["date"] as? String == "1970-01-01T00:00:00.000001+00:00")
    #expect(read["none"] is NSNull)
    #expect((read["list"] as? [Any])?.first as? Bool == true)
  }
}

@Suite struct ListingTests {
  private let listing = Listing(
    records: [
      ["a": .text("x\ty"), "b": .null, "hidden": .int(1)],
      ["a": .text("two\nlines"), "b": .bool(true), "hidden": .int(2)],
    ],
    columns: ["a", "b"], whenEmpty: "nothing here")

  @Test func `plain is a row a line, cells between tabs`() throws {
    let test = TestSession()
    try listing.print(.plain, to: test.session)
    #expect(test.output == "x y\t\ntwo lines\ttrue\n")
  }

  @Test func `a table shows the chosen columns, JSON shows all fields`() throws {
    let table = TestSession()
    try listing.print(.table, to: table.session)
    #expect(!table.output.contains("hidden"))
    let json = TestSession()
    try listing.print(.json, to: json.session)
    #expect(json.output.contains("\"hidden\": 1"))
  }

  @Test func `an empty list is a sentence for people and an empty list for programs`() throws {
    let empty = Listing(records: [], columns: ["a"], whenEmpty: "nothing here")
    let people = TestSession()
    try empty.print(.table, to: people.session)
    #expect(people.output.isEmpty)
    #expect(people.errors == "nothing here\n")
    let programs = TestSession()
    try empty.print(.json, to: programs.session)
    #expect(programs.output == "[]\n")
  }
}

@Suite struct DurationsTests {
  @Test(arguments: [
    (0.0, "0.00 s"), (0.42, "0.42 s"), (12.34, "12.3 s"), (59.97, "1 min 00 s"), (185, "3 min 05 s"),
    (7620, "2 h 07 min"), (273_600, "3 d 4 h"), (-1, "0.00 s"),
  ])
  func `are for people`(seconds: Double, text: String) {
    #expect(Durations.text(seconds) == text)
  }
}
