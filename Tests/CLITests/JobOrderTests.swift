import Testing

@testable import CLI

@Suite struct JobOrderTests {
  @Test(
    arguments: [
      (#"{"attach": "train-1", "project": "p"}"#, .attach("train-1", project: "p")),
      (#"{"attach": "train-1"}"#, .attach("train-1", project: nil)),
      (#"{"project": null, "attach": "train-1"}"#, .attach("train-1", project: nil)),
      (#"{"cancel": "train-1"}"#, .cancel("train-1")), (#"{"taken": "train-1"}"#, .taken("train-1")),
      (#" {"leave": "train-1"} "#, .leave("train-1")),
    ] as [(String, JobOrder)])
  func `an order is one word and a job`(line: String, order: JobOrder) throws {
    #expect(try JobOrder(line: line) == order)
  }

  @Test(
    arguments: [
      ("attach train", "no JSON: attach train"), ("[]", "no JSON object"), ("null", "no JSON object"),
      ("{}", "one of attach, cancel, taken, leave"), (#"{"attach": 1}"#, "one of attach"),
      (#"{"attach": "a", "cancel": "a"}"#, "one of attach"), (#"{"attach": "a", "project": 1}"#, "a project is a text"),
      (#"{"cancel": "a", "now": true}"#, #"knows no "now""#),
    ])
  func `what is no order is refused in words`(line: String, words: String) {
    let problem = #expect(throws: JobOrder.Problem.self) { try JobOrder(line: line) }
    #expect(problem?.words.contains(words) == true, "\(problem?.words ?? "")")
  }

  @Test func `a log comes in whole lines, whatever the pieces`() {
    var lines = WholeLines()
    var pieces: [String] = []
    for byte in Array("aé€\n😀\r\n\nend".utf8) { pieces.append(lines.append([byte])) }
    #expect(pieces.filter { !$0.isEmpty } == ["aé€\n", "😀\r\n", "\n"])
    #expect(lines.rest() == "end\n")
    #expect(lines.rest() == "")
    #expect(lines.append(Array("one\ntwo\nthr".utf8)) == "one\ntwo\n")
  }

  @Test func `a line without an end does not grow for ever`() {
    var lines = WholeLines()
    var text = ""
    for _ in 0..<100 { text += lines.append([UInt8](repeating: UInt8(ascii: "x"), count: 1024)) }
    #expect(text.utf8.count >= 64 << 10)
    text += lines.rest()
    #expect(text == String(repeating: "x", count: 100 << 10) + "\n")
  }
}
